#!/usr/bin/env bash
# Builds everything that the bare cluster and its tests need, unless it exists, before the cluster starts. If a test waited
# minutes for a build, its connections would be closed meanwhile, and its timeouts would depend on the machine.
# usage: prepare.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
"$here/build.sh" node
"$here/images.sh"
"$here/mirror-images.sh" > /dev/null
