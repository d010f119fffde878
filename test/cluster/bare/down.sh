#!/usr/bin/env bash
# Ends the cluster that up.sh started, only by what up.sh noted, and removes all of it but the cache of what was built.
. "$(dirname "$0")/env.sh"
set +e
[ -d "$RUN" ] || exit 0
cd "$RUN" || exit 1
export KUBECONFIG=$RUN/admin.kubeconfig

end() { # NAME [SECONDS]: TERM, and KILL after a while
  local pid
  [ -f "$1.pid" ] || return
  pid=$(cat "$1.pid")
  rm -f "$1.pid"
  kill "$pid" 2> /dev/null
  for _ in $(seq "$((${2:-5} * 10))"); do
    kill -0 "$pid" 2> /dev/null || return
    sleep 0.1
  done
  kill -KILL "$pid" 2> /dev/null
}
containers() { ctr -a containerd.sock -n k8s.io "$@" 2> /dev/null; }

for import in import-*.pid; do end "${import%.pid}" 1; done # if it was interrupted in the middle of `up`
if [ -f kubelet.pid ]; then
  # The kubelet takes its pods down itself: sandboxes, networks, mounts.
  end scheduler 1
  end controllers 1
  "$BIN/kubectl" delete pods --all --all-namespaces --grace-period=1 --wait=false > /dev/null 2>&1
  for _ in $(seq 150); do
    [ -z "$(containers tasks ls -q)" ] && break
    sleep 0.1
  done
  end kubelet
  # What would not go by itself.
  for task in $(containers tasks ls -q); do containers tasks kill --all --signal KILL "$task"; done
  sleep 0.5
  for container in $(containers containers ls -q); do
    containers tasks rm --force "$container" > /dev/null
    containers containers rm "$container"
  done
fi
for name in apiserver etcd containerd; do end "$name"; done
awk -v folder="$RUN/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r -n 1 umount -l
if [ -d cni ]; then
  ip netns list | cut -d' ' -f1 | sort | comm -13 netns.before - | grep '^cni-' | xargs -r -n 1 ip netns del
  ip link del cni0 2> /dev/null
  find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -exec rmdir {} + 2> /dev/null
fi
cd / || exit 1
rm -rf "$RUN"
[ ! -e "$RUN" ] || { say "could not remove $RUN"; exit 1; }
