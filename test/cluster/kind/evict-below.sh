#!/usr/bin/env bash
# Restarts the node's kubelet with another threshold of free disk space, below which it evicts pods. The kubelet removes
# unused images first, so all images are pinned.
# usage: evict-below.sh LIMIT     0% is kind's default; -BYTES is the space that is free now, minus BYTES
. "$(dirname "$0")/env.sh"
docker exec -i "$CLUSTER-control-plane" bash -s -- "$1" << 'NODE'
set -euo pipefail
limit=$1
case $limit in -*) limit=$(($(df --output=avail -B1 /var/lib/kubelet | tail -n 1) - ${limit#-})) ;; esac
for image in $(ctr -n k8s.io images ls -q); do
  ctr -n k8s.io images label "$image" io.cri-containerd.pinned=pinned > /dev/null
done
sed -i -E "s/^( *(nodefs|imagefs)\.available:).*/\1 \"$limit\"/" /var/lib/kubelet/config.yaml
grep -q "nodefs.available: \"$limit\"" /var/lib/kubelet/config.yaml
systemctl restart kubelet
NODE
