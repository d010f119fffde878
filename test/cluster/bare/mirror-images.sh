#!/usr/bin/env bash
# Builds images for the tests of mirrors, unless they exist: docker:28-dind with Docker 28 from Debian sid, where the webhook
# chooses the image store, and moby/buildkit:buildx-stable-1 with BuildKit from its Go module. Takes about 3 minutes. They
# are kept separate from the images of every run. The last line of the output is the directory.
# shellcheck disable=SC2016 # the hooks of mmdebstrap expand $1 themselves
here=$(cd "$(dirname "$0")" && pwd)
. "$here/image-parts.sh"
pack() { "$here/pack-image.sh" "$@"; }

OUT=$MIRROR_IMAGES
mkdir -p "$OUT"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -f "$OUT/docker28-dind.tar" ]; then
  say "image: Docker 28 ..."
  debian_suite=sid debian "$work/root.tar" ca-certificates,openssl,docker.io,docker-cli,iptables,iproute2,procps,hostname,tini "${dind[@]}"
  pack "$work/root.tar" docker.io/library/docker:28-dind "$OUT/docker28-dind.tar" "$dind_config"
fi

if [ "$(cat "$OUT/.buildkit.version" 2> /dev/null)" != "$BUILDKIT_VERSION" ]; then
  say "image: BuildKit $BUILDKIT_VERSION ..."
  "$here/build.sh" buildkit
  mkdir -p "$work/root/usr/bin" "$work/root/tmp" "$work/root/etc/ssl/certs"
  cp "$BIN/buildkitd" "$BIN/buildctl" "$BIN/runc" "$work/root/usr/bin"
  chmod 1777 "$work/root/tmp"
  tar -C "$work/root" --owner=0 --group=0 -cf "$work/root.tar" .
  pack "$work/root.tar" docker.io/moby/buildkit:buildx-stable-1 "$OUT/buildkit.tar" "{\"Entrypoint\":[\"buildkitd\"],\"Env\":[$path]}"
  echo "$BUILDKIT_VERSION" > "$OUT/.buildkit.version"
fi
echo "$OUT"
