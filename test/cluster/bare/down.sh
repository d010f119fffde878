#!/usr/bin/env bash
# Stops the cluster that up.sh started, using only its recorded state, and removes all but the cache of built programs.
trap '' INT TERM HUP # an interruption would leave things behind
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/processes.sh"
lock
set +e
[ -d "$RUN" ] || exit 0
cd "$RUN" || exit 1
export KUBECONFIG=$RUN/admin.kubeconfig

containers() { "$BIN/ctr" -a "$RUN/containerd.sock" -n k8s.io "$@" 2> /dev/null; }

for import in import-*.pid; do end "${import%.pid}" 1; done # if it was interrupted in the middle of `up`
if [ -f kubelet.pid ]; then
  # The kubelet removes its pods itself, with sandboxes, networks and mounts.
  end scheduler 1
  end controllers 1
  ./kubectl delete pods --all --all-namespaces --grace-period=1 --wait=false > /dev/null 2>&1
  for _ in $(seq 150); do
    [ -z "$(containers tasks ls -q)" ] && break
    sleep 0.1
  done
  end kubelet
  # Kill and remove the remaining containers.
  for task in $(containers tasks ls -q); do containers tasks kill --all --signal KILL "$task"; done
  sleep 0.5
  for container in $(containers containers ls -q); do
    containers tasks rm --force "$container" > /dev/null
    containers containers rm "$container"
  done
fi
for name in scheduler controllers apiserver etcd containerd last; do end "$name"; done
awk -v folder="$RUN/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r -n 1 umount -l

# Undo changes outside of $RUN, as recorded by up.sh. Each file exists only if up.sh got that far.
notes() { if [ -f "$1" ]; then cat "$1"; fi; }
[ ! -f api-service ] || api_service -D
notes links | xargs -r -n 1 ip link del
notes cgroups | while read -r cgroup; do
  for _ in $(seq 20); do # a cgroup can be removed only a moment after its last process has exited
    find "$cgroup" -depth -type d -exec rmdir {} + 2> /dev/null && break
    sleep 0.1
  done
done
notes controllers | while read -r controller; do echo "-$controller" > /sys/fs/cgroup/cgroup.subtree_control; done
notes sysctls | while read -r name value; do
  [ "$(cat "/proc/sys/$name")" = "$value" ] || echo "$value" > "/proc/sys/$name"
done
if [ -f absent ]; then
  find /var/log/containers -type l -lname "$RUN/*" -delete 2> /dev/null
  find /var/lib/cni/results -name "$OURS-*" -delete 2> /dev/null
  if grep -qx /var/lib/kubelet/device-plugins absent; then
    rm -f /var/lib/kubelet/device-plugins/{kubelet.sock,kubelet_internal_checkpoint}
  fi
  if grep -qx /var/lib/containers/cache absent; then # created by skopeo, which the suite runs
    rm -f /var/lib/containers/cache/blob-info-cache-v1.*
  fi
  sort -r absent | xargs -r rmdir 2> /dev/null # only if they are empty
fi
cd / || exit 1
rm -rf "$RUN"
[ ! -e "$RUN" ] || { say "could not remove $RUN"; exit 1; }
