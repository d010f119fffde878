# shellcheck shell=bash
# Paths, versions and the lock of the cluster tests. Sourced by the other scripts, before they change directories.

CACHE=${ARC_PRIMER_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/arc-primer-cluster}
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd)
export ARC_PRIMER_CLUSTER_CACHE=$CACHE
if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  KUBEBUILDER_ASSETS=$(realpath -m "$KUBEBUILDER_ASSETS")
  export KUBEBUILDER_ASSETS
fi

set -a
. "$(dirname "${BASH_SOURCE[0]}")/versions.env"
set +a
minor() { [[ $1 =~ ^v([0-9]+\.[0-9]+) ]] && echo "${BASH_REMATCH[1]}"; } # v1.2.3: 1.2

# The Kubernetes version to run: the newer one, or the one whose minor version is in KUBERNETES.
for KUBERNETES_VERSION in "$KUBERNETES_NEWER" "$KUBERNETES_OLDER" ""; do
  case $KUBERNETES_VERSION in "v${KUBERNETES:=$(minor "$KUBERNETES_NEWER")}".*) break ;; esac
done
if [ -z "$KUBERNETES_VERSION" ]; then
  echo "KUBERNETES=$KUBERNETES is not supported; use $(minor "$KUBERNETES_NEWER") or $(minor "$KUBERNETES_OLDER") (test/cluster/versions.env)" >&2
  exit 1
fi

BIN=$CACHE/bin                               # built from Go modules
KUBE_BIN=$BIN/kubernetes-$KUBERNETES_VERSION # Kubernetes' programs and a link to etcd; one directory per version
DOCKER_BIN=$BIN/docker                       # Docker's programs, kept separate so that they are not mistaken for the machine's own
CNI_BIN=$BIN/cni                             # the network plugins of kind's node
export KUBERNETES KUBERNETES_VERSION BIN KUBE_BIN DOCKER_BIN CNI_BIN

# cluster_images PROVIDER: the default for CLUSTER_IMAGES. With Docker, which is assumed to have internet access, the real
# images are used; otherwise stand-ins with the same names are built here.
cluster_images() {
  case $1 in
    kind) if docker version > /dev/null 2>&1; then echo real; else echo stand-ins; fi ;;
    bare) echo stand-ins ;;
    *) echo real ;;
  esac
}

# Only one run at a time: run.sh holds the lock, and the scripts that it calls inherit it as file descriptor 9.
# Processes that keep running as part of the cluster must close it.
lock() {
  [ "/proc/$$/fd/9" -ef "$CACHE/lock" ] || exec 9>> "$CACHE/lock"
  flock --nonblock 9 && return
  echo "cluster tests: another run is using the cluster in $CACHE; wait until it has finished" >&2
  exit 1
}
