#!/usr/bin/env bash
# Compares the runner pods of ARC's newest charts, and arc-primer's report on them, with those of the supported version
# (ARC_VERSION in test/cluster/versions.env). Prints the differences; the exit code is 1 if there are any.
# usage: newest-arc.sh [CHARTS]      (in the checkout, after `npm run build`; needs Helm)
set -euo pipefail
charts=${1:-oci://ghcr.io/actions/actions-runner-controller-charts}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../test/cluster/versions.env"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in gha-runner-scale-set gha-runner-scale-set-experimental; do
  node "$here/arc-shapes.ts" "$charts/$name" "$work/known/$name" --version "$ARC_VERSION" >&2
  node "$here/arc-shapes.ts" "$charts/$name" "$work/newest/$name" >&2
done
cd "$work"
diff -ru known newest
