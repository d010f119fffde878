#!/usr/bin/env bash
# Removes images from the node, with their layers, as if it had never had them. What runs beside the runner pods stays.
# usage: forget-images.sh
. "$(dirname "$0")/env.sh"
export CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS=true
ctr() { "$BIN/ctr" -a "$RUN/containerd.sock" -n k8s.io "$@"; }
stays='/(pause|registry|arc-primer):'

# A container keeps its image's layers, and the kubelet removes the containers of deleted pods now and then.
for _ in $(seq 180); do
  left=$(ctr containers ls | awk -v stays="$stays" 'NR > 1 && $2 !~ stays { print $1 }')
  [ -n "$left" ] || break
  sleep 1
done
[ -z "$left" ] || { say "containers of deleted pods are still there after 180 s"; exit 1; }

# An image has several names, its ID among them; each keeps its layers. The digest tells which names are of one image.
kept=$(ctr images ls | awk -v stays="$stays" '$1 ~ stays { print $3 }')
mapfile -t forgotten < <(ctr images ls | awk -v kept="$kept" 'NR > 1 && index(kept, $3) == 0 { print $1 }')
[ "${#forgotten[@]}" -eq 0 ] || ctr images rm --sync "${forgotten[@]}" > /dev/null
