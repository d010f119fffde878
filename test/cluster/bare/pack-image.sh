#!/usr/bin/env bash
# Packs a root file system as a one-layer image archive, without Docker: what `docker load`, `ctr images import`,
# `kind load image-archive` and skopeo take.
# usage: pack-image.sh ROOTFS.tar NAME:TAG OUT.tar CONFIG-JSON     e.g. '{"Entrypoint":["/pause"],"User":"65534"}'
set -euo pipefail

case $(uname -m) in
  x86_64) architecture=amd64 ;;
  aarch64 | arm64) architecture=arm64 ;;
  *) echo "pack-image: images are packed of this machine's programs, on x86_64 or aarch64; this is $(uname -m)" >&2; exit 1 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$1" "$work/layer.tar"
digest=sha256:$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
jq -n --arg digest "$digest" --arg architecture "$architecture" --argjson config "$4" \
  '{$architecture, os: "linux", config: $config, rootfs: {type: "layers", diff_ids: [$digest]}, history: [{created_by: "pack-image.sh"}]}' > "$work/config.json"
jq -n --arg name "$2" '[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' > "$work/manifest.json"
tar -C "$work" -cf "$3.partial" manifest.json config.json layer.tar
mv "$3.partial" "$3"
