#!/usr/bin/env bash
# Runs the cluster tests: creates a cluster, runs the suite against it, and removes the cluster completely.
# usage: run.sh [apiserver|node|machine] [VITEST ARGUMENTS]      without a tier: apiserver and node
#        run.sh bench PROGRAM...      runs these benchmarks with Node, on a cluster with a node
#        run.sh bench-apiserver PROGRAM...      the same, with only kube-apiserver and etcd
#
#   CLUSTER_PROVIDER    of the node tier: kind (the default), bare (one node without Docker, needs root), or existing. The
#                       tier `machine` needs control of the node, and is always run on bare.
#   CLUSTER_IMAGES      of kind: real or stand-ins (kind/up.sh)
#   KUBERNETES          the minor version of Kubernetes, such as 1.37 (versions.env)
#   KUBECONFIG          for `existing`, which is never the default: the suite installs the webhook in that cluster and
#                       removes it. Requires ARC_PRIMER_IMAGE, an image that the cluster can pull.
#   KUBEBUILDER_ASSETS  a directory with etcd, kube-apiserver and kubectl, for the apiserver tier
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"
cd "$here/../.." || exit 1
tiers=(apiserver node)
suite=(vitest run --config vitest.cluster.config.ts)
case ${1:-} in
  apiserver | node | machine) tiers=("$1"); shift ;;
  bench | bench-apiserver)
    tiers=(node)
    [ "$1" = bench ] || tiers=(apiserver)
    suite=("$here/../bench/run.sh")
    shift
    ;;
esac

CLUSTER_PROVIDER=${CLUSTER_PROVIDER:-kind}
CLUSTER_IMAGES=${CLUSTER_IMAGES:-$(cluster_images "$CLUSTER_PROVIDER")}
existing=${KUBECONFIG:-}
export CLUSTER_PROVIDER CLUSTER_IMAGES
export CLUSTER_RUN=$$-$EPOCHSECONDS # label for the objects that the suite creates
# node_modules/.bin has vitest, and Node.js if the machine's version is too old. kubectl comes with the assets or is built if missing.
export PATH=$PWD/node_modules/.bin:$PATH:${KUBEBUILDER_ASSETS:+$KUBEBUILDER_ASSETS:}$KUBE_BIN:$BIN

"$here/need.sh" "$CLUSTER_PROVIDER" "${tiers[@]}" || exit 1
lock

# in_session COMMAND... : runs it in a new session, so that Ctrl-C reaches only this script, which handles signals at once.
in_session() {
  setsid "$@" &
  wait $!
}

running=
down() {
  [ -n "$running" ] || return
  [ "$running" = "$here/existing" ] || echo "taking the cluster down (${running##*/}) ..." >&2
  setsid --wait "$running/down.sh" || status=1 # a second Ctrl-C would interrupt kubectl and kind
  running=
}
# shellcheck disable=SC2317 # called by the trap
finish() {
  status=$?
  trap '' INT TERM HUP # must not be interrupted
  for child in $(jobs -pr); do
    kill -TERM -- "-$child" 2> /dev/null || kill -TERM "$child" 2> /dev/null
    wait "$child"
  done
  down
  rm -rf "$TMPDIR"
  exit "$status"
}
TMPDIR=$(mktemp -d -t arc-primer-cluster-XXXXXX) # interrupted programs leave their temporary files here
export TMPDIR
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Build everything that takes long before the cluster is started.
if [ "${tiers[*]}" != apiserver ]; then
  if [ "${suite[0]}" = vitest ]; then # for the chart's tests
    in_session "$here/tools.sh" > /dev/null || exit 1
    [ "${tiers[*]}" = machine ] || in_session "$here/bare/build.sh" cert-manager || exit 1
  fi
  export ARC_PRIMER_ARCHIVE=$TMPDIR/arc-primer.tar # kind/up.sh builds it, when there is a Docker
  if [ "$CLUSTER_PROVIDER" = bare ] || [ "${tiers[*]}" = machine ]; then
    in_session "$here/bare/prepare.sh" || exit 1
    in_session "$here/build-image.sh" docker.io/library/arc-primer:test "$ARC_PRIMER_ARCHIVE" || exit 1
  fi
fi

status=0
for tier in "${tiers[@]}"; do
  provider=$CLUSTER_PROVIDER
  [ "$tier" = node ] || provider=bare
  echo "== $tier tier, provider: $([ "$tier" = apiserver ] && echo 'only kube-apiserver and etcd' || echo "$provider")" >&2
  if [ "$provider" = existing ]; then
    running=$here/existing
    export KUBECONFIG=$existing
  else
    "$here/$provider/is-up.sh" && exit 1
    running=$here/$provider # from here on, any cluster is ours, because of the lock
    in_session "$running/up.sh" "${tier/machine/node}" > "$TMPDIR/printed" || exit 1
    KUBECONFIG=$(tail -n 1 "$TMPDIR/printed")
    export KUBECONFIG
  fi
  CLUSTER_TIER=$tier CLUSTER_PROVIDER=$provider in_session "${suite[@]}" "$@" || status=1
  down
done
exit "$status"
