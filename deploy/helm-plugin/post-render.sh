#!/bin/sh
# Helm's post-renderer: takes manifests on standard input and prints them with the runners primed. Helm 4 runs it as a plugin
# (plugin.yaml); Helm 3 takes the file itself: --post-renderer deploy/helm-plugin/post-render.sh
# usage: post-render.sh [OPTION OF render...]      such as --config FILE
set -eu
# The program beside this folder, which Helm may reach by a link; or else the one on the PATH.
program=$(cd -P "$(dirname "$0")/../.." && pwd)/dist/arc-primer.mjs
[ -x "$program" ] || program=arc-primer
exec "$program" render "$@"
