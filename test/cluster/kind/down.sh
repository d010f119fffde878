#!/usr/bin/env bash
# Removes the kind cluster.
set -euo pipefail
cache=${ARC_PRIMER_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/arc-primer-cluster}
kind delete cluster --name arc-primer-test --kubeconfig "$cache/kind.kubeconfig"
rm -f "$cache/kind.kubeconfig"
