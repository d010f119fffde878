#!/usr/bin/env bash
# Stand-ins, made of Debian packages under the real images' names, where no image registry can be reached: the pause
# image, GitHub's runner image, docker:dind and registry:3. About 2 minutes, once.
# The runner stand-in lacks curl, git and the manual pages' folders on purpose: images that people run do. Nor has it package sources: pods could not reach them.
# shellcheck disable=SC2016 # the hooks of mmdebstrap expand $1 themselves
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
all_packed && exit
pack() { "$here/pack-image.sh" "$@"; }

mkdir -p "$IMAGES"
cd "$IMAGES" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
path='"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"'

# debian OUT PACKAGES HOOK... : a minimal Debian with these packages; each hook is a shell command, $1 the root.
debian() {
  local out=$1 packages=$2 hooks=()
  shift 2
  for hook in "$@"; do hooks+=(--customize-hook="$hook"); done
  mmdebstrap --quiet --variant=minbase --include="$packages" "${hooks[@]}" \
    --customize-hook='rm -rf "$1"/usr/share/man "$1"/usr/share/doc "$1"/var/cache/apt/*' bookworm "$out"
}

if [ ! -f pause.tar ]; then
  say "image: pause ..."
  cat > "$work/pause.c" << 'C'
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void end(int signal) { (void)signal; _exit(0); }
static void reap(int signal) { (void)signal; while (waitpid(-1, 0, WNOHANG) > 0); }
int main(void) { signal(SIGTERM, end); signal(SIGINT, end); signal(SIGCHLD, reap); for (;;) pause(); }
C
  gcc -static -O2 -o "$work/pause" "$work/pause.c"
  tar -C "$work" -cf "$work/root.tar" pause
  pack "$work/root.tar" registry.k8s.io/pause:3.10 pause.tar "{\"Entrypoint\":[\"/pause\"],\"Env\":[$path]}"
fi

if [ ! -f runner.tar ]; then
  say "image: actions-runner ..."
  debian "$work/root.tar" ca-certificates,sudo,docker.io,procps \
    'chroot "$1" useradd -m -u 1001 runner; chroot "$1" groupadd -f -g 123 docker-host; chroot "$1" usermod -aG 123,sudo runner' \
    'echo "runner ALL=(ALL) NOPASSWD:ALL" > "$1/etc/sudoers.d/runner"; rm -f "$1/etc/apt/sources.list"' \
    'mkdir -p "$1/home/runner/externals/node24/bin"; printf "#!/bin/bash\necho stand-in: no job\n" > "$1/home/runner/run.sh"' \
    'chmod 755 "$1/home/runner/run.sh"; chroot "$1" chown -R 1001:1001 /home/runner'
  pack "$work/root.tar" ghcr.io/actions/actions-runner:latest runner.tar \
    "{\"User\":\"runner\",\"WorkingDir\":\"/home/runner\",\"Env\":[$path]}"
fi

if [ ! -f dind.tar ]; then
  say "image: docker:dind ..."
  # As the official entrypoint does: dockerd and its default host come before args that are flags, or none.
  cat > "$work/entrypoint" << 'SH'
#!/bin/sh
set -eu
if [ "$#" -eq 0 ] || [ "${1#-}" != "$1" ]; then set -- dockerd --host=unix:///var/run/docker.sock "$@"; fi
exec "$@"
SH
  debian "$work/root.tar" ca-certificates,docker.io,iptables,fuse-overlayfs \
    "install -m 755 '$work/entrypoint' \"\$1/usr/local/bin/dockerd-entrypoint.sh\""
  pack "$work/root.tar" docker.io/library/docker:dind dind.tar \
    "{\"Entrypoint\":[\"dockerd-entrypoint.sh\"],\"Volumes\":{\"/var/lib/docker\":{}},\"Env\":[$path]}"
fi

if [ ! -f registry.tar ]; then
  say "image: registry ..."
  # Debian has 2.8 of the same program, with a configuration that asks for a password; the image's asks for none.
  cat > "$work/config.yml" << 'YAML'
version: 0.1
storage: { filesystem: { rootdirectory: /var/lib/registry } }
http: { addr: ":5000" }
YAML
  debian "$work/root.tar" docker-registry "install -m 644 '$work/config.yml' \"\$1/etc/docker/registry/config.yml\""
  pack "$work/root.tar" docker.io/library/registry:3 registry.tar \
    "{\"Entrypoint\":[\"docker-registry\"],\"Cmd\":[\"serve\",\"/etc/docker/registry/config.yml\"],\"Env\":[$path,\"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/var/lib/registry\"]}"
fi
