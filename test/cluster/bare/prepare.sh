#!/usr/bin/env bash
# Builds all that the bare cluster and its tests run, before it is up: a test that waits minutes for a build is one whose
# connections have been closed meanwhile, and whose time-outs measure the machine. Each only where it is missing.
# usage: prepare.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
"$here/build.sh" node
"$here/images.sh"
"$here/mirror-images.sh" > /dev/null
