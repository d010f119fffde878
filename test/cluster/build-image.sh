#!/usr/bin/env bash
# Builds the image from the Dockerfile and writes it to an archive, with Docker if available, otherwise with buildah. If the
# base images cannot be pulled, stand-ins with the same names are built: node:24 is Debian with this machine's npm and the
# Node.js version in .node-version; distroless is this Node.js with the libraries that it needs.
# usage: build-image.sh NAME:TAG OUT.tar
here=$(cd "$(dirname "$0")" && pwd)
. "$here/bare/env.sh"
[ "${CLUSTER_PROVIDER:-}" != kind ] || . "$here/kind/env.sh"
root=$(cd "$here/../.." && pwd)

builder=buildah
! docker version > /dev/null 2>&1 || builder=docker
stand_ins=yes
if [ "$builder" = docker ] && [ "${CLUSTER_PROVIDER:-}/${CLUSTER_IMAGES:-}" != kind/stand-ins ]; then stand_ins=; fi

docker_build() { # the tag is needed only in the archive
  trap 'docker image rm "$1" > /dev/null' EXIT
  docker build --quiet --tag "$1" "$root" >&2
  docker save --output "$2" "$1"
}
if [ -z "$stand_ins" ]; then
  docker_build "$@"
  exit
fi

for tool in "$builder" mmdebstrap jq npm; do
  command -v "$tool" > /dev/null || { say "$tool is missing on this machine: apt-get install -y $tool"; exit 1; }
done
node=$(node "$root/scripts/prepare-node.mjs" --path)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$IMAGES/bases"

# Copies Node.js and the libraries that it needs to a directory.
add_node() { # DIRECTORY FILE
  mkdir -p "$1/${2%/*}"
  cp -L "$node" "$1/$2"
  ldd "$node" | grep -o '/[^ ]*' | while read -r library; do cp --parents -L "$library" "$1"; done
}

version=$("$node" --version)
if [ ! -f "$IMAGES/bases/node-$version.tar" ]; then
  say "image: stand-in for node:24 ..."
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  # The build must trust the same CAs as this machine, because there may be a proxy between it and the registry.
  # shellcheck disable=SC2016 # the hooks of mmdebstrap expand $1 themselves
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,libstdc++6,libatomic1 \
    --customize-hook="cp -L '$node' \"\$1/usr/local/bin/node\"" \
    --customize-hook="mkdir -p \"\$1/usr/local/lib/node_modules\" && cp -r '$npm' \"\$1/usr/local/lib/node_modules/npm\"" \
    --customize-hook='ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"' \
    --customize-hook='cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/ca-certificates.crt"' \
    bookworm "$work/root.tar"
  "$here/bare/pack-image.sh" "$work/root.tar" docker.io/library/node:24 "$IMAGES/bases/node-$version.tar" \
    '{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt"]}'
fi
if [ ! -f "$IMAGES/bases/distroless-$version.tar" ]; then
  say "image: stand-in for distroless ..."
  add_node "$work/distroless" nodejs/bin/node
  mkdir -p "$work/distroless/etc"
  echo 'nonroot:x:65532:65532::/home/nonroot:/sbin/nologin' > "$work/distroless/etc/passwd"
  tar -C "$work/distroless" --owner=0 --group=0 --sort=name --mtime=@0 -cf "$work/distroless.tar" .
  "$here/bare/pack-image.sh" "$work/distroless.tar" gcr.io/distroless/nodejs24-debian13:nonroot \
    "$IMAGES/bases/distroless-$version.tar" '{"Entrypoint":["/nodejs/bin/node"],"User":"65532"}'
fi

say "image: building $1 from the Dockerfile ..."
if [ "$builder" = docker ]; then
  for base in node distroless; do docker load --quiet --input "$IMAGES/bases/$base-$version.tar" > /dev/null; done
  rm -rf "$work"
  docker_build "$@"
  exit
fi

# Regardless of its storage, buildah records known layers in a fixed directory, and creates a directory with a network lock.
known=/var/lib/containers networks=()
[ ! -e "$known" ] || known=
for folder in /etc/cni /etc/cni/net.d; do [ -e "$folder" ] || networks=("$folder" "${networks[@]}"); done
# shellcheck disable=SC2317 # called by the trap
undo() {
  rm -rf "$work" ${known:+"$known"}
  [ "${#networks[@]}" -eq 0 ] || rm -f /etc/cni/net.d/cni.lock
  for folder in "${networks[@]}"; do [ ! -d "$folder" ] || rmdir --ignore-fail-on-non-empty "$folder"; done
}
trap undo EXIT
# Uses a chroot, because the build needs no separate namespaces. The storage is separate from the machine's.
store=(--root "$CACHE/buildah" --runroot "$work/run" --storage-driver "${BUILDAH_STORAGE_DRIVER:-overlay}")
for base in node distroless; do
  buildah "${store[@]}" pull --quiet "docker-archive:$IMAGES/bases/$base-$version.tar" > /dev/null
done
buildah "${store[@]}" build --isolation chroot --network host --pull-never --layers --quiet \
  --tag "$1" --file "$root/Dockerfile" "$root" > /dev/null
rm -f "$2"
buildah "${store[@]}" push --quiet "$1" "docker-archive:$2:$1"
# Keep the stages of the last builds as a cache for the next one. Older ones only take up space.
buildah "${store[@]}" images --quiet --filter dangling=true | tail -n +4 | xargs -r buildah "${store[@]}" rmi --force > /dev/null
