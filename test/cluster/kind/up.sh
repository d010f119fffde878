#!/usr/bin/env bash
# Starts the kind cluster; the last line printed is the path of its kubeconfig.
#
#   CLUSTER_IMAGES    real: the real images, which Docker must be able to pull; the default if there is a Docker.
#                     stand-ins: images that are built here, including the node image. If there is no Docker, one is
#                     started for the cluster (needs root).
#   KIND_NODE_IMAGE   with real images, the node image and so the Kubernetes version (kindest/node:v…). Default: kind's own.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
"$here/../need.sh" kind node
lock
! "$here/is-up.sh" || exit 1
images=${CLUSTER_IMAGES:-$(cluster_images kind)}
own_docker=
docker version > /dev/null 2>&1 || own_docker=yes
if [ "$images" = stand-ins ]; then
  "$here/../bare/build.sh" node kind ${own_docker:+docker}
  "$here/../bare/images.sh"
  PATH=$KUBE_BIN:$BIN:$PATH # kind and kubectl of these versions
fi

creating=
# Docker does not list containers that it is about to create. So until kind has exited, repeat the deletion.
# shellcheck disable=SC2317 # called by the trap
failed() {
  trap '' INT TERM HUP
  while [ -n "$creating" ] && kill -0 "$creating" 2> /dev/null; do
    delete_cluster || true
    sleep 0.3
  done
  setsid --wait "$here/down.sh"
}
trap '[ $? -eq 0 ] || failed' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
began=$SECONDS

mkdir "$KIND_STATE"
[ -e /var/lib/containers ] || touch "$KIND_STATE/no-containers" # skopeo, which the suite runs, creates it as root
if [ -n "$own_docker" ]; then
  "$here/docker.sh" start
  use_own_docker
fi
# Build the suite's images before the cluster is up. This takes a while, and connections to the API server would be idle.
if [ -n "${ARC_PRIMER_ARCHIVE:-}" ] && [ -z "${ARC_PRIMER_IMAGE:-}" ]; then
  CLUSTER_PROVIDER=kind CLUSTER_IMAGES=$images "$here/../build-image.sh" "docker.io/library/arc-primer:test-$CLUSTER_RUN" "$ARC_PRIMER_ARCHIVE"
fi
docker network inspect kind > /dev/null 2>&1 || touch "$KIND_STATE/no-network"
config=$here/kind.yaml
if [ "$images" = stand-ins ]; then
  "$here/node-image.sh"
  KIND_NODE_IMAGE=$NODE_IMAGE
  config=$KIND_STATE/kind.yaml
  # Docker's name server for containers has a loopback address, which pods cannot reach. So they use the machine's.
  resolv=/run/systemd/resolve/resolv.conf
  [ -f $resolv ] || resolv=/etc/resolv.conf
  cat "$here/kind.yaml" - > "$config" << K
    extraMounts: [{ hostPath: $resolv, containerPath: /kind/resolv.conf, readOnly: true }]
networking: { disableDefaultCNI: true }
kubeadmConfigPatches:
  - |
    kind: KubeletConfiguration
    failCgroupV1: false
    resolvConf: /kind/resolv.conf
  - |
    kind: ClusterConfiguration
    etcd: { local: { imageTag: $ETCD_VERSION } }
    dns: { imageTag: $COREDNS_VERSION }
K
fi

# Runs in a new session, so that signals reach only this script, and without the lock.
setsid kind create cluster --name "$CLUSTER" --config "$config" ${KIND_NODE_IMAGE:+--image "$KIND_NODE_IMAGE"} \
  --kubeconfig "$KUBECONFIG" --wait 120s >&2 9>&- &
creating=$!
wait "$creating"
# For kind, a node that does not become ready is only a warning.
kubectl wait --for=condition=Ready node --all --timeout=1s >&2
if [ "$images" = stand-ins ]; then
  # Where udev runs, everybody may open this device; a rootless dockerd needs it.
  docker exec "$CLUSTER-control-plane" chmod 666 /dev/net/tun
  for image in runner dind dind-rootless registry; do "$here/load-image.sh" "$IMAGES/$image.tar"; done
fi
say "up after $((SECONDS - began)) s"
echo "$KUBECONFIG"
