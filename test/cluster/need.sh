#!/usr/bin/env bash
# Lists all programs that are required but missing on this machine, with the commands that install them.
# usage: need.sh bare|kind|existing TIER...
here=$(cd "$(dirname "$0")" && pwd)
. "$here/bare/env.sh"
provider=$1
shift
PATH=$PATH:/usr/sbin:/sbin # not always in a user's PATH
packages=() others=()

# need WHAT:PACKAGE... : a command (or a file with its full path) and the Debian package that contains it.
need() {
  local pair
  for pair in "$@"; do
    case $pair in
      /*) [ -e "${pair%%:*}" ] ;;
      *) command -v "${pair%%:*}" > /dev/null ;;
    esac || packages+=("${pair#*:}")
  done
}

# need_other COMMAND HOW : a command that Debian does not package, or not in the required version.
need_other() { command -v "$1" > /dev/null || others+=("$1: $2"); }

go_is_new() { # since 1.21, Go downloads a newer toolchain if required, unless this is disabled
  local wanted=1.21
  [ "$(go env GOTOOLCHAIN)" = local ] && wanted=$GO_VERSION
  printf '%s\n' "$wanted" "$(go env GOVERSION | sed 's/^go//')" | sort --check=quiet --version-sort
}

need_go() {
  local how="Go $GO_VERSION or later builds Kubernetes $KUBERNETES_VERSION, etcd and Helm; Debian's may be older: https://go.dev/doc/install"
  need_other go "$how"
  ! command -v go > /dev/null || go_is_new || others+=("go: $how (here: $(go env GOVERSION))")
}

for tier in "$@"; do
  need flock:util-linux
  case $tier/$provider in
    apiserver/*)
      need openssl:openssl curl:curl
      if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
        for program in etcd kube-apiserver; do
          need_other "$KUBEBUILDER_ASSETS/$program" "KUBEBUILDER_ASSETS must contain it"
        done
        PATH=$PATH:$KUBEBUILDER_ASSETS need_other kubectl "not found in PATH or in KUBEBUILDER_ASSETS"
      elif ! all_built apiserver; then
        need jq:jq
        need_go
      fi
      ;;
    node/bare | machine/*)
      [ "$(id -u)" -eq 0 ] || others+=("root: required for the node of the bare provider, which starts containers")
      need openssl:openssl curl:curl jq:jq /usr/lib/cni/bridge:containernetworking-plugins \
        ip:iproute2 iptables:iptables mount:mount skopeo:skopeo busybox:busybox apt-ftparchive:apt-utils \
        buildah:buildah mmdebstrap:mmdebstrap
      { all_built && built helm "$HELM_VERSION" && [ -x "$BIN/cert-manager" ] && mirror_images_packed; } || need_go
      { all_built && all_packed; } || need gcc:gcc /usr/include/signal.h:libc6-dev /usr/include/seccomp.h:libseccomp-dev \
        pkg-config:pkg-config npm:npm
      ;;
    node/kind)
      need jq:jq skopeo:skopeo busybox:busybox
      { built helm "$HELM_VERSION" && [ -x "$BIN/cert-manager" ]; } || need_go
      docker=$(command -v docker || true)
      said=$(docker version 2>&1 > /dev/null) || said=${said:-Docker does not respond}
      if [ "${CLUSTER_IMAGES:-$(cluster_images kind)}" = real ]; then
        need_other docker "https://docs.docker.com/engine/install/"
        [ -z "$docker" ] || [ -z "$said" ] || others+=("docker: $(tail -n 1 <<< "$said")")
        need_other kubectl "https://kubernetes.io/docs/tasks/tools/"
        need_other kind "go install sigs.k8s.io/kind@$KIND_VERSION"
      else
        [ "$(id -u)" -eq 0 ] || others+=("root: required to build the node image and, if there is no Docker, to start one${said:+ ($(tail -n 1 <<< "$said"))}")
        need mmdebstrap:mmdebstrap
        [ -z "$said" ] || need nft:nftables ip:iproute2 mount:mount
        { all_built && kind_built; } || need_go
        { all_built && all_packed; } || need gcc:gcc /usr/include/signal.h:libc6-dev /usr/include/seccomp.h:libseccomp-dev \
          pkg-config:pkg-config npm:npm
      fi
      ;;
    node/existing)
      need jq:jq skopeo:skopeo busybox:busybox
      { built helm "$HELM_VERSION" && [ -x "$BIN/cert-manager" ]; } || need_go
      need_other kubectl "https://kubernetes.io/docs/tasks/tools/"
      ;;
    *) others+=("$tier/$provider: unknown tier (apiserver, node, machine) or provider (bare, kind, existing)") ;;
  esac
done

[ "${#packages[@]}" -gt 0 ] || [ "${#others[@]}" -gt 0 ] || exit 0
echo "cluster tests: missing on this machine:" >&2
if [ "${#packages[@]}" -gt 0 ]; then
  echo "  apt-get install -y $(printf '%s\n' "${packages[@]}" | sort -u | paste -sd ' ')" >&2
fi
for other in "${others[@]}"; do echo "  $other"; done | sort -u >&2
exit 1
