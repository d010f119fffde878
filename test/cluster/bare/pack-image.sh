#!/usr/bin/env bash
# Packs root filesystems as the layers of an image archive, without Docker, for `docker load`, `ctr images import`,
# `kind load image-archive` and skopeo.
# usage: pack-image.sh LAYER.tar[,LAYER.tar...] NAME:TAG[,NAME:TAG...] OUT.tar CONFIG-JSON
#        CONFIG-JSON is for example '{"Entrypoint":["/pause"],"User":"65534"}'
set -euo pipefail

case $(uname -m) in
  x86_64) architecture=amd64 ;;
  aarch64 | arm64) architecture=arm64 ;;
  *) echo "pack-image: images are packed of this machine's programs, on x86_64 or aarch64; this is $(uname -m)" >&2; exit 1 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
names=() digests=()
IFS=, read -ra layers <<< "$1"
for layer in "${layers[@]}"; do
  names+=("layer-${#names[@]}.tar")
  ln -s "$(realpath "$layer")" "$work/${names[-1]}"
  digests+=("sha256:$(sha256sum "$layer" | cut -d' ' -f1)")
done
jq -n --arg architecture "$architecture" --argjson config "$4" \
  '{$architecture, os: "linux", config: $config, rootfs: {type: "layers", diff_ids: $ARGS.positional}, history: ($ARGS.positional | map({created_by: "pack-image.sh"}))}' \
  --args "${digests[@]}" > "$work/config.json"
jq -n --arg names "$2" '[{Config: "config.json", RepoTags: ($names | split(",")), Layers: $ARGS.positional}]' --args "${names[@]}" > "$work/manifest.json"
tar -C "$work" -chf "$3.partial" manifest.json config.json "${names[@]}"
mv "$3.partial" "$3"
