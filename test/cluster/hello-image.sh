#!/usr/bin/env bash
# Packs docker.io/library/hello:1, a small image for jobs to pull: busybox, and no layers that a node may already have.
# usage: hello-image.sh OUT.tar [GREETING]      another greeting is another image
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
busybox=$(command -v busybox) || {
  echo "busybox is missing on this machine; install it with: apt-get install -y busybox" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/bin"
cp "$busybox" "$work/root/bin/busybox"
ln -s busybox "$work/root/bin/sh"
# A statically linked program needs no libraries; ldd reports this as an error.
{ ldd "$busybox" || true; } | { grep -o '/[^ ]*' || true; } | while read -r library; do cp --parents -L "$library" "$work/root"; done
tar -C "$work/root" -cf "$work/root.tar" .
"$here/bare/pack-image.sh" "$work/root.tar" docker.io/library/hello:1 "$1" "{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo ${2:-hello from the registry}\"]}"
