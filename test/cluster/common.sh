# shellcheck shell=bash
# Where things are kept, of which versions, and who may work on them. Sourced by the other scripts, before they change folders.

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

# The Kubernetes that runs: the newer one, or the one that KUBERNETES names by its minor version.
for KUBERNETES_VERSION in "$KUBERNETES_NEWER" "$KUBERNETES_OLDER" ""; do
  case $KUBERNETES_VERSION in "v${KUBERNETES:=$(minor "$KUBERNETES_NEWER")}".*) break ;; esac
done
if [ -z "$KUBERNETES_VERSION" ]; then
  echo "KUBERNETES=$KUBERNETES: there are $(minor "$KUBERNETES_NEWER") and $(minor "$KUBERNETES_OLDER") (test/cluster/versions.env)" >&2
  exit 1
fi

BIN=$CACHE/bin                               # built from Go modules
KUBE_BIN=$BIN/kubernetes-$KUBERNETES_VERSION # Kubernetes' own, and a link to etcd: a folder for each version
DOCKER_BIN=$BIN/docker                       # Docker's, apart: they must not be taken for the machine's own
CNI_BIN=$BIN/cni                             # the network plugins of kind's node
export KUBERNETES KUBERNETES_VERSION BIN KUBE_BIN DOCKER_BIN CNI_BIN

# cluster_images PROVIDER: the images that a cluster has unless CLUSTER_IMAGES says otherwise. They are the real ones
# where there is a Docker, which is taken to have a way out; else stand-ins under the same names, made here.
cluster_images() {
  case $1 in
    kind) if docker version > /dev/null 2>&1; then echo real; else echo stand-ins; fi ;;
    bare) echo stand-ins ;;
    *) echo real ;;
  esac
}

# One at a time: run.sh holds the lock for all of its run, and what it calls has it from run.sh, as descriptor 9. What
# runs on as the cluster has to close it.
lock() {
  [ "/proc/$$/fd/9" -ef "$CACHE/lock" ] || exec 9>> "$CACHE/lock"
  flock --nonblock 9 && return
  echo "cluster tests: somebody else is at work on the cluster in $CACHE; wait for the end of that run" >&2
  exit 1
}
