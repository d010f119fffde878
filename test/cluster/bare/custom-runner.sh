#!/usr/bin/env bash
# Builds a typical custom image for comparison in the benchmark: the runner image with packages included and a loop that
# waits for Docker. Prints the path of the archive.
# usage: custom-runner.sh PACKAGE...
here=$(cd "$(dirname "$0")" && pwd)
. "$here/image-parts.sh"
archive=$CACHE/custom-runner.tar
asked="$* $(image_key runner)"
if [ "$(cat "$archive.asked" 2> /dev/null)" != "$asked" ]; then
  say "image: a custom runner with $* ..."
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/loop/home/runner"
  printf '#!/bin/sh\necho loop: waiting\nuntil docker info > /dev/null 2>&1; do sleep 1; done\nexec /home/runner/run.sh\n' > "$work/loop/home/runner/start.sh"
  chmod 755 "$work/loop/home/runner/start.sh"
  layer "$work/loop.tar" "$work/loop" --owner=1001 --group=123 home/runner/start.sh
  debian "$work/root.tar" "$runner_packages,$(IFS=, && echo "$*")" "${users[@]}"
  tar -C "$work" -xf "$IMAGES/runner.tar" layer-1.tar layer-2.tar # the Docker client, and the runner itself
  "$here/pack-image.sh" "$work/root.tar,$work/layer-1.tar,$work/layer-2.tar,$work/loop.tar" \
    docker.io/library/custom-runner:bench "$archive" "$runner_config"
  echo "$asked" > "$archive.asked"
fi
echo "$archive"
