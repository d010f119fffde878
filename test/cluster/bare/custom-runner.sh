#!/usr/bin/env bash
# The image that people build today, for the benchmark to compare with: the runner stand-in with packages baked in, and
# a loop that waits for Docker. Prints the archive.
# usage: custom-runner.sh PACKAGE...
# shellcheck disable=SC2016 # the hooks of mmdebstrap expand $1 themselves
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
archive=$CACHE/custom-runner.tar
if [ "$(cat "$archive.asked" 2> /dev/null)" != "$*" ]; then
  say "image: a custom runner with $* ..."
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  printf '#!/bin/sh\necho loop: waiting\nuntil docker info > /dev/null 2>&1; do sleep 1; done\nexec /home/runner/run.sh\n' > "$work/start.sh"
  packages=ca-certificates,sudo,docker.io,procps
  for package in "$@"; do packages+=,$package; done
  mmdebstrap --quiet --variant=minbase --include="$packages" \
    --customize-hook='chroot "$1" useradd -m -u 1001 runner; chroot "$1" groupadd -f -g 123 docker-host; chroot "$1" usermod -aG 123,sudo runner' \
    --customize-hook='mkdir -p "$1/home/runner/externals"; : > "$1/home/runner/run.sh"' \
    --customize-hook="install -m 755 '$work/start.sh' \"\$1/home/runner/start.sh\"" \
    --customize-hook='chroot "$1" chown -R 1001:1001 /home/runner; rm -rf "$1"/usr/share/man "$1"/usr/share/doc "$1"/var/cache/apt/*' \
    bookworm "$work/root.tar"
  "$here/pack-image.sh" "$work/root.tar" docker.io/library/custom-runner:bench "$archive" \
    '{"User":"runner","WorkingDir":"/home/runner","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}'
  echo "$*" > "$archive.asked"
fi
echo "$archive"
