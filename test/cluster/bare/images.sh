#!/usr/bin/env bash
# Builds stand-ins with the names of the real images, for machines that cannot reach an image registry: the pause image,
# GitHub's runner image, docker:dind and registry:3, with the real programs on Debian (docs/contributing/test-bed.md lists
# the differences). Also a slim runner image and docker:20.10-dind, with Debian's own Docker. Takes about 6 minutes, once.
# shellcheck disable=SC2016 # the hooks of mmdebstrap expand $1 themselves
here=$(cd "$(dirname "$0")" && pwd)
. "$here/image-parts.sh"
all_packed && exit

mkdir -p "$IMAGES"
cd "$IMAGES" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $(uname -m) in x86_64) node_architecture=x64 ;; *) node_architecture=arm64 ;; esac

# wanted NAME: checks whether the image has to be built, and prints a message if so.
wanted() {
  packed "$1" && return 1
  say "image: $1 ..."
  began=$SECONDS
}

# pack LAYERS NAMES OUT CONFIG: an image's last step
pack() {
  "$here/pack-image.sh" "$1" "$2" "$3.tar" "$4"
  image_key "$3" > ".$3.key"
  say "image: $3 took $((SECONDS - began)) s"
}

# home FOLDER: the runner's own files
home() {
  mkdir -p "$1/home/runner/bin"
  cp "$files"/runner/{run.sh,safe_sleep.sh,run-helper.sh.template} "$1/home/runner"
  cp "$files"/runner/Runner.{Listener,Worker} "$1/home/runner/bin"
}

# externals FOLDER: the versions of Node in GitHub's runner: two with npm, and two for Alpine with only the program.
externals() {
  local version node npm
  for version in 20 24; do
    node=NODE${version}_VERSION npm=NPM${version}_VERSION
    mkdir -p "$1/node$version/lib/node_modules/npm" "$1/node${version}_alpine/bin"
    (cd "$work" && npm pack --silent "node-linux-$node_architecture@${!node}" "npm@${!npm}" > /dev/null)
    tar -xzf "$work/node-linux-$node_architecture-${!node}.tgz" -C "$1/node$version" --strip-components=1
    tar -xzf "$work/npm-${!npm}.tgz" -C "$1/node$version/lib/node_modules/npm" --strip-components=1
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/node$version/bin/npm"
    ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/node$version/bin/npx"
    chmod 755 "$1/node$version/bin/node"
    cp "$1/node$version/bin/node" "$1/node${version}_alpine/bin/node"
  done
}

if wanted pause; then
  gcc -static -O2 -o "$work/pause" "$files/pause/pause.c"
  layer "$work/root.tar" "$work" --owner=0 --group=0 pause
  pack "$work/root.tar" registry.k8s.io/pause:3.10 pause "{\"Entrypoint\":[\"/pause\"],\"Env\":[$path]}"
fi

if wanted registry; then
  "$here/build.sh" registry
  mkdir -p "$work"/registry/{bin,etc/distribution,etc/ssl/certs,var/lib/registry,tmp}
  cp "$(command -v busybox)" "$work/registry/bin/busybox"
  # A statically linked program needs no libraries; ldd reports this as an error.
  { ldd "$work/registry/bin/busybox" || true; } | { grep -o '/[^ ]*' || true; } | while read -r library; do
    cp --parents -L "$library" "$work/registry"
  done
  busybox --list | while read -r name; do [ "$name" = busybox ] || ln -s busybox "$work/registry/bin/$name"; done
  cp "$BIN/registry" "$work/registry/bin"
  cp "$files/registry/config.yml" "$work/registry/etc/distribution"
  cp "$files/registry/entrypoint.sh" "$work/registry"
  cp /etc/ssl/certs/ca-certificates.crt "$work/registry/etc/ssl/certs"
  layer "$work/root.tar" "$work/registry" --owner=0 --group=0 .
  pack "$work/root.tar" docker.io/library/registry:3 registry \
    "{\"Entrypoint\":[\"/entrypoint.sh\"],\"Cmd\":[\"/etc/distribution/config.yml\"],\"Volumes\":{\"/var/lib/registry\":{}},\"ExposedPorts\":{\"5000/tcp\":{}},\"Env\":[$path,\"OTEL_TRACES_EXPORTER=none\"]}"
fi

if wanted dind || wanted dind-rootless; then
  "$here/build.sh" docker
  debian "$work/root.tar" ca-certificates,openssl,git,iptables,nftables,iproute2,procps,kmod,pigz,xz-utils,mount,e2fsprogs,hostname,tini,uidmap,slirp4netns \
    "${dind[@]}" 'echo dockremap:165536:65536 | tee -a "$1/etc/subuid" >> "$1/etc/subgid"'
  mkdir -p "$work/docker/usr/local/bin" "$work/docker/usr/local/libexec/docker/cli-plugins"
  cp "$DOCKER_BIN"/{dockerd,docker-proxy,docker} "$BIN"/{containerd,containerd-shim-runc-v2,ctr,runc} "$work/docker/usr/local/bin"
  cp "$DOCKER_BIN/docker-buildx" "$work/docker/usr/local/libexec/docker/cli-plugins"
  layer "$work/docker.tar" "$work/docker" --owner=0 --group=0 usr/local
  pack "$work/root.tar,$work/docker.tar" docker.io/library/docker:dind,docker.io/library/docker:29-dind dind "$dind_config"

  mkdir -p "$work"/rootless/{usr/local/bin,run/user,home/rootless/.local/share/docker}
  tar -C "$work/rootless" -xf "$work/root.tar" ./etc/passwd ./etc/group ./etc/subuid ./etc/subgid
  cp "$DOCKER_BIN/rootlesskit" "$work/rootless/usr/local/bin"
  echo rootless:x:1000:1000::/home/rootless:/bin/sh >> "$work/rootless/etc/passwd"
  echo rootless:x:1000: >> "$work/rootless/etc/group"
  echo rootless:100000:65536 | tee -a "$work/rootless/etc/subuid" >> "$work/rootless/etc/subgid"
  chown -R 1000:1000 "$work/rootless/home/rootless"
  chmod 1777 "$work/rootless/run/user"
  layer "$work/rootless.tar" "$work/rootless" etc home/rootless run/user usr/local/bin/rootlesskit
  pack "$work/root.tar,$work/docker.tar,$work/rootless.tar" docker.io/library/docker:dind-rootless dind-rootless "$rootless_config"
fi

if wanted runner; then
  "$here/build.sh" docker
  debian "$work/root.tar" "$runner_packages" "${users[@]}"
  mkdir -p "$work/client/usr/bin" "$work/client/usr/local/lib/docker/cli-plugins"
  cp "$DOCKER_BIN/docker" "$work/client/usr/bin"
  cp "$DOCKER_BIN/docker-buildx" "$work/client/usr/local/lib/docker/cli-plugins"
  layer "$work/client.tar" "$work/client" --owner=0 --group=0 usr/bin/docker usr/local/lib/docker
  home "$work/home"
  externals "$work/home/home/runner/externals"
  layer "$work/home.tar" "$work/home" --owner=1001 --group=123 home/runner/{run.sh,safe_sleep.sh,run-helper.sh.template,bin,externals}
  pack "$work/root.tar,$work/client.tar,$work/home.tar" ghcr.io/actions/actions-runner:latest runner "$runner_config"
fi

if wanted slim || wanted dind20; then
  # A runner image as people make them: no curl, no git, no manual pages' folders, no package sources, no buildx, no
  # externals. One file system for both, so that the node keeps it once.
  debian "$work/root.tar" ca-certificates,openssl,sudo,docker.io,procps,iptables,iproute2,hostname,tini "${users[@]}" "${dind[@]}" \
    'rm -rf "$1/etc/apt/sources.list" "$1/usr/share/man" "$1/usr/share/doc"; chmod 1777 "$1/tmp"'
  home "$work/slim"
  mkdir "$work/slim/home/runner/externals"
  layer "$work/home.tar" "$work/slim" --owner=1001 --group=123 home/runner/{run.sh,safe_sleep.sh,run-helper.sh.template,bin,externals}
  pack "$work/root.tar,$work/home.tar" ghcr.io/actions/actions-runner:slim slim "$runner_config"
  pack "$work/root.tar" docker.io/library/docker:20.10-dind dind20 "$dind_config"
fi
