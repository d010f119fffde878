#!/usr/bin/env bash
# Removes images from the node, with their layers, as if it had never had them. What runs beside the runner pods stays.
# usage: forget-images.sh
. "$(dirname "$0")/env.sh"
export CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS=true
images() { "$BIN/ctr" -a "$RUN/containerd.sock" -n k8s.io images "$@"; }

# An image has several names, its ID among them; each keeps its layers. The digest tells which names are of one image.
kept=$(images ls | awk '$1 ~ /\/(pause|registry|arc-primer):/ { print $3 }')
mapfile -t forgotten < <(images ls | awk -v kept="$kept" 'NR > 1 && index(kept, $3) == 0 { print $1 }')
[ "${#forgotten[@]}" -eq 0 ] || images rm --sync "${forgotten[@]}" > /dev/null
