#!/usr/bin/env bash
# Starts the kind cluster; the last line printed is the path of its kubeconfig.
# KIND_NODE_IMAGE chooses the Kubernetes version (kindest/node:v…); without it, kind's own default.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
"$here/../need.sh" kind node
lock
! "$here/is-up.sh" || exit 1
trap '[ $? -eq 0 ] || "$here/down.sh"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
kind create cluster --config "$here/kind.yaml" ${KIND_NODE_IMAGE:+--image "$KIND_NODE_IMAGE"} \
  --kubeconfig "$CACHE/kind.kubeconfig" --wait 120s >&2
echo "$CACHE/kind.kubeconfig"
