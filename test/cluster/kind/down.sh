#!/usr/bin/env bash
# Removes the kind cluster.
set -euo pipefail
trap '' INT TERM
. "$(dirname "$0")/../common.sh"
lock
kind delete cluster --name arc-primer-test --kubeconfig "$CACHE/kind.kubeconfig"
rm -f "$CACHE/kind.kubeconfig"
