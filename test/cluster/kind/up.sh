#!/usr/bin/env bash
# Starts the kind cluster; the last line printed is the path of its kubeconfig.
# KIND_NODE_IMAGE chooses the Kubernetes version (kindest/node:v…); without it, kind's own default.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${ARC_PRIMER_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/arc-primer-cluster}
command -v kind > /dev/null || { echo "kind is missing on this machine; install it with: go install sigs.k8s.io/kind@latest" >&2; exit 1; }
mkdir -p "$cache"
kind create cluster --config "$here/kind.yaml" ${KIND_NODE_IMAGE:+--image "$KIND_NODE_IMAGE"} \
  --kubeconfig "$cache/kind.kubeconfig" --wait 120s >&2
echo "$cache/kind.kubeconfig"
