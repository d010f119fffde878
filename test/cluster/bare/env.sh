# shellcheck shell=bash
# Paths and helper functions of the bare cluster. Sourced by the other scripts.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

IMAGES=$CACHE/images               # image archives
MIRROR_IMAGES=$CACHE/mirror-images # images for the tests of mirrors
RUN=$CACHE/run                     # state of the running cluster; removed by down.sh
export IMAGES MIRROR_IMAGES RUN

export GATEWAY=10.244.0.1 # the node's address as seen by pods
export API_PORT=16443
export OURS=arcprimer # the name of everything that is created outside of $RUN: bridge, cgroups, network

say() { printf 'bare cluster: %s\n' "$*" >&2; }

# built NAME VERSION [DIRECTORY]: is this version of the program already built?
built() { [ -x "${3:-$BIN}/$1" ] && [ "$(cat "${3:-$BIN}/.$1.version" 2> /dev/null)" = "$2" ]; }

# programs [apiserver]: lists the Kubernetes programs to build. With `apiserver`, only those for the tier without a node.
programs() {
  echo kube-apiserver
  if [ "${1:-}" != apiserver ]; then printf '%s\n' kube-controller-manager kube-scheduler kubelet; fi
  if [ "${1:-}" != apiserver ] || ! command -v kubectl > /dev/null; then echo kubectl; fi
}

all_built() { # [apiserver]
  local program
  built etcd "$ETCD_VERSION" || return
  for program in $(programs "${1:-}"); do built "$program" "$KUBERNETES_VERSION" "$KUBE_BIN" || return; done
  [ "${1:-}" = apiserver ] && return
  for program in containerd containerd-shim-runc-v2 ctr; do built "$program" "$CONTAINERD_VERSION" || return; done
  built runc "$RUNC_VERSION"
}

kind_built() { # the additional programs for kind: build.sh kind docker
  local program
  for program in kubeadm kube-proxy; do built "$program" "$KUBERNETES_VERSION" "$KUBE_BIN" || return; done
  for program in ptp loopback host-local portmap; do built "$program" "$CNI_PLUGINS_VERSION" "$CNI_BIN" || return; done
  built kind "$KIND_VERSION" && built coredns "$COREDNS_VERSION" && built dockerd "$MOBY_VERSION" "$DOCKER_BIN" &&
    built docker "$DOCKER_VERSION" "$DOCKER_BIN" && built docker-buildx "$BUILDX_VERSION" "$DOCKER_BIN"
}

# image_key NAME: a cache key of an image's inputs; the image is rebuilt when it changes
image_key() {
  local folder=${BASH_SOURCE[0]%/*}
  {
    case $1 in
      dind | dind-rootless) echo "$MOBY_VERSION $DOCKER_VERSION $BUILDX_VERSION $CONTAINERD_VERSION $RUNC_VERSION $ROOTLESSKIT_VERSION" ;;
      runner) echo "$DOCKER_VERSION $BUILDX_VERSION $NODE20_VERSION $NODE24_VERSION $NPM20_VERSION $NPM24_VERSION" ;;
      registry) echo "$REGISTRY_VERSION" ;;
    esac
    find "$folder"/{../images,images.sh,image-parts.sh,pack-image.sh} -type f | LC_ALL=C sort | xargs cat
  } | sha256sum | cut -c 1-16
}

packed() { # NAME
  [ -f "$IMAGES/$1.tar" ] && [ "$(cat "$IMAGES/.$1.key" 2> /dev/null)" = "$(image_key "$1")" ]
}

all_packed() {
  local image
  for image in pause registry dind dind-rootless runner slim dind20; do packed "$image" || return; done
}

# The iptables rule for kube-apiserver's Service address, because there is no kube-proxy. $1: -A or -D.
api_service() {
  iptables -t nat "$1" PREROUTING -i "${OURS}0" -d 10.96.0.1/32 -p tcp --dport 443 -j DNAT --to-destination "$GATEWAY:$API_PORT"
}

mirror_images_packed() {
  [ -f "$MIRROR_IMAGES/docker28-dind.tar" ] && [ "$(cat "$MIRROR_IMAGES/.buildkit.version" 2> /dev/null)" = "$BUILDKIT_VERSION" ]
}

# patiently WHAT COMMAND... : runs a command and prints a message every minute while it runs.
patiently() {
  local what=$1 began=$SECONDS status=0 ticker
  shift
  { while sleep 60 > /dev/null 2>&1 && kill -0 $$; do say "... $what, $((SECONDS - began)) s so far"; done; } 9>&- &
  ticker=$!
  "$@" || status=$?
  kill "$ticker"
  return "$status"
}
