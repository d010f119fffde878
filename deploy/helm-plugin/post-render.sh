#!/bin/sh
# A post-renderer for Helm. It reads manifests from standard input and prints them with the runner pods primed. Helm 4 runs it
# as a plugin (plugin.yaml). Helm 3 runs the file itself: --post-renderer deploy/helm-plugin/post-render.sh
# usage: post-render.sh [OPTION OF arc-primer render]...      for example --config FILE
set -eu
# The program in this checkout, or else the one on the PATH. Helm may run this script through a symbolic link.
program=$(cd -P "$(dirname "$0")/../.." && pwd)/dist/arc-primer.mjs
[ -x "$program" ] || program=arc-primer
exec "$program" render "$@"
