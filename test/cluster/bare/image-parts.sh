# shellcheck shell=bash
# Common parts of the images that are built here. Sourced by the scripts that build them.
# shellcheck disable=SC2016,SC2034 # the hooks of mmdebstrap expand $1 themselves; others use what is set here
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
files=$(cd "$(dirname "${BASH_SOURCE[0]}")/../images" && pwd)
path='"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"'

# debian OUT PACKAGES HOOK... : a minimal Debian with these packages; each hook is a shell command, $1 the root.
debian() {
  local out=$1 packages=$2 hooks=()
  shift 2
  for hook in "$@"; do hooks+=(--customize-hook="$hook"); done
  # For a suite that changes daily, mirrors are not always in sync.
  patiently "installing Debian packages" mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
    --include="$packages" "${hooks[@]}" \
    --customize-hook='rm -rf "$1"/usr/share/doc/* "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*' "${debian_suite:-bookworm}" "$out"
}

# layer OUT ROOT [TAR-OPTION...] PATH... : archives these paths below a folder reproducibly.
layer() {
  local out=$1 root=$2
  shift 2
  tar -C "$root" --sort=name --mtime=@0 --numeric-owner -cf "$out" "$@"
}

# As in GitHub's image: uid 1001, group 123 for the socket, passwordless sudo, a world-writable home directory.
users=(
  'chroot "$1" useradd --create-home --shell /bin/bash --uid 1001 runner; chroot "$1" groupadd --force --gid 123 docker-host'
  'chroot "$1" usermod -aG 123,sudo runner; chmod 777 "$1/home/runner"'
  'printf "%s\n" "%sudo ALL=(ALL:ALL) NOPASSWD:ALL" "Defaults env_keep += \"DEBIAN_FRONTEND\"" > "$1/etc/sudoers"'
)
runner_config='{"User":"runner","WorkingDir":"/home/runner","Env":['$path',"DEBIAN_FRONTEND=noninteractive","RUNNER_MANUALLY_TRAP_SIG=1","ACTIONS_RUNNER_PRINT_LOG_TO_STDOUT=1","ImageOS=ubuntu24"]}'
dind_config='{"Entrypoint":["dockerd-entrypoint.sh"],"Volumes":{"/var/lib/docker":{}},"ExposedPorts":{"2375/tcp":{},"2376/tcp":{}},"Env":['$path',"DOCKER_TLS_CERTDIR=/certs"]}'
rootless_config=$(jq -c '.User = "rootless" | .Volumes += {"/home/rootless/.local/share/docker": {}}' <<< "$dind_config")
# The entry point, docker-init, and the older iptables in a folder that the entry point may put first in PATH.
dind=(
  "install -m 755 '$files/dind/dockerd-entrypoint.sh' \"\$1/usr/local/bin/\""
  'cp "$1/usr/bin/tini-static" "$1/usr/local/bin/docker-init"; mkdir "$1/usr/local/sbin/.iptables-legacy"'
  'for name in ip ip6; do for what in tables tables-save tables-restore; do ln -s "/usr/sbin/${name}tables-legacy${what#tables}" "$1/usr/local/sbin/.iptables-legacy/$name$what"; done; done'
)

# The packages in the Dockerfile of GitHub's image, with their dependencies on Ubuntu. The image keeps its package sources.
runner_packages=ca-certificates,libicu72,zlib1g,libssl3,libstdc++6,tzdata,adduser,sudo,lsb-release,gpg,gpg-agent
runner_packages+=,software-properties-common,curl,jq,unzip,git,less,patch,openssh-client
