#!/usr/bin/env bash
# Removes images and their layers from the node, except those of pods other than the runner pods.
# usage: forget-images.sh
. "$(dirname "$0")/env.sh"
export CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS=true
ctr() { "$BIN/ctr" -a "$RUN/containerd.sock" -n k8s.io "$@"; }
stays='/(pause|registry|arc-primer):'

# A container keeps its image's layers in use, and the kubelet removes the containers of deleted pods only periodically.
for _ in $(seq 180); do
  left=$(ctr containers ls | awk -v stays="$stays" 'NR > 1 && $2 !~ stays { print $1 }')
  [ -n "$left" ] || break
  sleep 1
done
[ -z "$left" ] || { say "containers of deleted pods are still there after 180 s"; exit 1; }

# An image has several names, including its ID, and each name keeps the layers. Names of the same image have the same digest.
kept=$(ctr images ls | awk -v stays="$stays" '$1 ~ stays { print $3 }')
mapfile -t forgotten < <(ctr images ls | awk -v kept="$kept" 'NR > 1 && index(kept, $3) == 0 { print $1 }')
[ "${#forgotten[@]}" -eq 0 ] || ctr images rm --sync "${forgotten[@]}" > /dev/null
