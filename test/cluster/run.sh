#!/usr/bin/env bash
# The cluster tests, from nothing to nothing left: brings a cluster up, runs the suite against it, takes it down.
# usage: run.sh [apiserver|node] [VITEST ARGUMENTS]      without a tier: both
#
#   CLUSTER_PROVIDER  kind (where there is Docker), bare (one node without Docker, needs root), or existing
#   KUBECONFIG        for `existing`, which is never chosen by itself: the suite changes that cluster and leaves its
#                     namespaces there. Goes with ARC_PRIMER_IMAGE, an image that the cluster can pull.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 1
tiers=(apiserver node)
case ${1:-} in apiserver | node) tiers=("$1"); shift ;; esac

if [ -z "${CLUSTER_PROVIDER:-}" ]; then
  if docker info > /dev/null 2>&1; then CLUSTER_PROVIDER=kind
  else CLUSTER_PROVIDER=bare; fi
fi
existing=${KUBECONFIG:-}
export CLUSTER_PROVIDER
# kubectl, where the machine has none, is among what the bare provider builds.
export PATH=$PATH:${ARC_PRIMER_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/arc-primer-cluster}/bin

if [[ " ${tiers[*]} " == *" node "* ]]; then # what the suite itself runs; the providers name what they need
  missing=()
  for tool in jq skopeo busybox; do command -v "$tool" > /dev/null || missing+=("$tool"); done
  if [ "${#missing[@]}" -gt 0 ]; then
    echo "missing on this machine; install it with: apt-get install -y ${missing[*]}" >&2
    exit 1
  fi
fi

running=
down() {
  [ -z "$running" ] && return
  echo "taking the cluster down (${running##*/}) ..." >&2
  "$running/down.sh"
  running=
}
trap down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

status=0
for tier in "${tiers[@]}"; do
  if [ "$tier" = apiserver ]; then provider=bare
  else provider=$CLUSTER_PROVIDER; fi
  echo "== $tier tier, provider: $([ "$tier" = apiserver ] && echo 'kube-apiserver and etcd alone' || echo "$provider")" >&2
  if [ "$provider" = existing ]; then
    export KUBECONFIG=$existing
  else
    running=$here/$provider
    if [ "$tier" = apiserver ]; then KUBECONFIG=$("$here/bare/up.sh" apiserver | tail -n 1)
    else KUBECONFIG=$("$running/up.sh" | tail -n 1); fi
    [ -f "${KUBECONFIG:-}" ] || { echo "the cluster did not come up" >&2; exit 1; }
    export KUBECONFIG
  fi
  CLUSTER_TIER=$tier npx vitest run --config vitest.cluster.config.ts "$@" || status=1
  down
done
exit "$status"
