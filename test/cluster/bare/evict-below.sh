#!/usr/bin/env bash
# Restarts the kubelet with another eviction threshold for free disk space. The kubelet would first remove unused images, so
# all images are pinned.
# usage: evict-below.sh LIMIT     up.sh sets 1%; +BYTES is the current free space plus BYTES
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/processes.sh"
export CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS=true
cd "$RUN"
limit=$1
case $limit in +*) limit=$(($(df --output=avail -B1 . | tail -n 1) + ${limit#+})) ;; esac
ctr() { "$BIN/ctr" -a "$RUN/containerd.sock" -n k8s.io "$@"; }
ctr images ls -q | while read -r image; do ctr images label "$image" io.cri-containerd.pinned=pinned > /dev/null; done
sed -i "s/nodefs.available: [^,]*, imagefs.available: [^,]*,/nodefs.available: \"$limit\", imagefs.available: \"$limit\",/" kubelet.yaml
end kubelet
start_kubelet
