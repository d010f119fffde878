# shellcheck shell=bash
# Where things are kept, and who may work on them. Sourced by the other scripts, before they change folders.

CACHE=${ARC_PRIMER_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/arc-primer-cluster}
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd)
export ARC_PRIMER_CLUSTER_CACHE=$CACHE
if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  KUBEBUILDER_ASSETS=$(realpath -m "$KUBEBUILDER_ASSETS")
  export KUBEBUILDER_ASSETS
fi

# One at a time: run.sh holds the lock for all of its run, and what it calls has it from run.sh, as descriptor 9. What
# runs on as the cluster has to close it.
lock() {
  [ "/proc/$$/fd/9" -ef "$CACHE/lock" ] || exec 9>> "$CACHE/lock"
  flock --nonblock 9 && return
  echo "cluster tests: somebody else is at work on the cluster in $CACHE; wait for the end of that run" >&2
  exit 1
}
