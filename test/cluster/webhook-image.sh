#!/usr/bin/env bash
# Packs the webhook's image without Docker: Node, the libraries it is linked with, and the bundle.
# usage: webhook-image.sh NAME:TAG OUT.tar      (after `npm ci && npm run build`)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
node=$root/node_modules/node/bin/node
if ! [ -x "$node" ] || ! [ -f "$root/dist/arc-primer.mjs" ]; then
  echo "webhook image: run npm ci && npm run build first" >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/nodejs/bin" "$work/root/app" "$work/root/etc"
cp -L "$node" "$work/root/nodejs/bin/node"
cp "$root/dist/arc-primer.mjs" "$work/root/app/"
ldd "$node" | grep -o '/[^ ]*' | while read -r library; do cp --parents -L "$library" "$work/root"; done
echo 'nonroot:x:65532:65532::/:/sbin/nologin' > "$work/root/etc/passwd"
tar -C "$work/root" --owner=0 --group=0 --sort=name --mtime=@0 -cf "$work/root.tar" .
"$here/bare/pack-image.sh" "$work/root.tar" "$1" "$2" \
  '{"Entrypoint":["/nodejs/bin/node","/app/arc-primer.mjs"],"User":"65532"}'
