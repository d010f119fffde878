#!/usr/bin/env bash
# Stand-ins for the tests of mirrors: Docker 28 with buildx, as docker:28-dind and as a runner image, from Debian sid;
# and BuildKit, as moby/buildkit:buildx-stable-1, from its Go module. Made only where they are missing: about 3 minutes.
# They are kept apart from the images of every run; the last line printed is the folder.
# shellcheck disable=SC2016 # the hooks of mmdebstrap expand $1 themselves
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
pack() { "$here/pack-image.sh" "$@"; }

OUT=$MIRROR_IMAGES
mkdir -p "$OUT"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
path='"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"'

if [ ! -f "$OUT/docker28-runner.tar" ]; then
  say "image: Docker 28 with buildx ..."
  cat > "$work/entrypoint" << 'SH'
#!/bin/sh
set -eu
if [ "$#" -eq 0 ] || [ "${1#-}" != "$1" ]; then set -- dockerd --host=unix:///var/run/docker.sock "$@"; fi
exec "$@"
SH
  # Both images are one file system, so that the node keeps it once.
  mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
    --include=ca-certificates,openssl,sudo,docker.io,docker-cli,docker-buildx,iptables \
    --customize-hook='chroot "$1" useradd -m -u 1001 runner; chroot "$1" groupadd -f -g 123 docker-host; chroot "$1" usermod -aG 123,sudo runner' \
    --customize-hook='echo "runner ALL=(ALL) NOPASSWD:ALL" > "$1/etc/sudoers.d/runner"' \
    --customize-hook='mkdir -p "$1/home/runner/externals"; printf "#!/bin/bash\necho stand-in: no job\n" > "$1/home/runner/run.sh"' \
    --customize-hook='chmod 755 "$1/home/runner/run.sh"; chroot "$1" chown -R 1001:1001 /home/runner' \
    --customize-hook="install -m 755 '$work/entrypoint' \"\$1/usr/local/bin/dockerd-entrypoint.sh\"" \
    --customize-hook='rm -rf "$1"/usr/share/man "$1"/usr/share/doc "$1"/var/cache/apt/*' sid "$work/root.tar"
  pack "$work/root.tar" docker.io/library/docker:28-dind "$OUT/docker28-dind.tar" \
    "{\"Entrypoint\":[\"dockerd-entrypoint.sh\"],\"Volumes\":{\"/var/lib/docker\":{}},\"Env\":[$path]}"
  pack "$work/root.tar" ghcr.io/actions/actions-runner:buildx "$OUT/docker28-runner.tar" \
    "{\"User\":\"runner\",\"WorkingDir\":\"/home/runner\",\"Env\":[$path]}"
fi

if [ ! -f "$OUT/buildkit.tar" ]; then
  say "image: BuildKit $BUILDKIT_VERSION ..."
  "$here/build.sh" buildkit
  mkdir -p "$work/root/usr/bin" "$work/root/tmp" "$work/root/etc/ssl/certs"
  cp "$BIN/buildkitd" "$BIN/buildctl" "$BIN/runc" "$work/root/usr/bin"
  chmod 1777 "$work/root/tmp"
  tar -C "$work/root" --owner=0 --group=0 -cf "$work/root.tar" .
  pack "$work/root.tar" docker.io/moby/buildkit:buildx-stable-1 "$OUT/buildkit.tar" "{\"Entrypoint\":[\"buildkitd\"],\"Env\":[$path]}"
fi
echo "$OUT"
