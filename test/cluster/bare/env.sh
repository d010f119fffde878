# shellcheck shell=bash
# Where the bare cluster keeps things, and what it is made of. Sourced by the other scripts.
set -euo pipefail

CACHE=${ARC_PRIMER_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/arc-primer-cluster}
BIN=$CACHE/bin       # built from Go modules
IMAGES=$CACHE/images # image archives
RUN=$CACHE/run       # the running cluster; gone after `down`
export CACHE BIN IMAGES RUN

export KUBERNETES_VERSION=v1.34.4
export ETCD_VERSION=v3.6.16
export GATEWAY=10.244.0.1 # the node, as pods see it
export API_PORT=16443

say() { printf 'bare cluster: %s\n' "$*" >&2; }

# need COMMAND:PACKAGE... : names everything that is missing, with the command that installs it.
need() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%:*}" > /dev/null || missing+=("${pair#*:}")
  done
  [ "${#missing[@]}" -eq 0 ] && return
  say "missing on this machine; install it with: apt-get install -y ${missing[*]}"
  exit 1
}
