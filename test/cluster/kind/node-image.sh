#!/usr/bin/env bash
# Builds the node image as $NODE_IMAGE in Docker, if kindest/node cannot be pulled. It contains Debian with systemd, the
# files in node/, the programs from ../bare/build.sh, and the images of the control plane. kind requires an entry point,
# units for containerd and the kubelet, and /kind/version. The images in it have the names of the real ones, but are
# stand-ins: the program in that version, alone or on Debian.
# shellcheck disable=SC2016 # the hooks of mmdebstrap expand $1 themselves
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
PATH=$PATH:/usr/sbin:/sbin
pack() { "$here/../bare/pack-image.sh" "$@"; }
parts=$CACHE/kind-node # parts that take long to build, and work in progress

# It is rebuilt when any of its inputs changes.
made_of=$({ find "$here/node" "$here/node-image.sh" -type f -exec sha256sum {} + | sort; sha256sum "$IMAGES/pause.tar"
  echo "$KUBERNETES_VERSION $ETCD_VERSION $CONTAINERD_VERSION $RUNC_VERSION $COREDNS_VERSION $CNI_PLUGINS_VERSION"; } | sha256sum | cut -c 1-16)
[ "$(docker image inspect --format '{{ index .Config.Labels "made-of" }}' "$NODE_IMAGE" 2> /dev/null)" != "$made_of" ] || exit 0

work=$parts/work
finish() {
  [ ! -f "$work/containerd.pid" ] || kill "$(cat "$work/containerd.pid")" 2> /dev/null || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
rm -rf "$work"
mkdir -p "$work/root"
began=$SECONDS

# debian NAME PACKAGES: a minimal Debian with these, as $parts/NAME.tar
debian() {
  [ ! -f "$parts/$1.tar" ] || return 0
  say "image: Debian for $1 ..."
  mmdebstrap --quiet --variant=minbase --include="$2" \
    --customize-hook='rm -rf "$1"/usr/share/man "$1"/usr/share/doc "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*' bookworm "$work/$1.tar"
  mv "$work/$1.tar" "$parts/$1.tar"
}
debian node systemd,dbus,ca-certificates,conntrack,iproute2,iptables,kmod,mount,nftables,procps
debian kube-proxy conntrack,iptables,kmod,nftables

say "image: the node, Kubernetes $KUBERNETES_VERSION ..."
root=$work/root
tar -C "$root" -xf "$parts/node.tar"
cp -r "$here/node/." "$root/"
mkdir -p "$root/opt/cni/bin"
install -t "$root/usr/local/bin" "$BIN"/{containerd,containerd-shim-runc-v2,ctr}
install -t "$root/usr/local/sbin" "$BIN/runc"
install -t "$root/usr/bin" "$KUBE_BIN"/{kubeadm,kubelet,kubectl}
install -t "$root/opt/cni/bin" "$CNI_BIN"/{ptp,loopback,host-local,portmap}
echo "$KUBERNETES_VERSION" > "$root/kind/version"
: > "$root/etc/machine-id" # each node generates its own
chroot "$root" systemctl --quiet enable containerd kubelet
chroot "$root" systemctl --quiet set-default multi-user.target
# Masked units: some would change kernel parameters, modules or consoles of the machine; others are for permanent machines.
chroot "$root" systemctl --quiet mask systemd-sysctl.service systemd-modules-load.service modprobe@.service getty.target \
  systemd-logind.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer

# image NAME:TAG PROGRAM [FOLDER]: the program alone, in the folder, as an image
path='"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"'
image() {
  local layer=$work/layer
  rm -rf "$layer"
  mkdir -p "$layer/tmp" "$layer/etc"
  chmod 1777 "$layer/tmp"
  install -D -t "$layer/${3-usr/local/bin}" "$2"
  tar -C "$layer" --owner=0 --group=0 -cf "$work/layer.tar" .
  pack "$work/layer.tar" "registry.k8s.io/$1" "$work/image-${1%%[/:]*}.tar" "{\"Entrypoint\":[\"/${3-usr/local/bin}/${2##*/}\"],\"Env\":[$path]}"
}
for program in kube-apiserver kube-controller-manager kube-scheduler; do
  image "$program:$KUBERNETES_VERSION" "$KUBE_BIN/$program"
done
image "etcd:$ETCD_VERSION" "$BIN/etcd"
image "coredns/coredns:$COREDNS_VERSION" "$BIN/coredns" ""
mkdir "$work/proxy"
tar -C "$work/proxy" -xf "$parts/kube-proxy.tar"
install -t "$work/proxy/usr/local/bin" "$KUBE_BIN/kube-proxy"
tar -C "$work/proxy" -cf "$work/layer.tar" .
pack "$work/layer.tar" "registry.k8s.io/kube-proxy:$KUBERNETES_VERSION" "$work/image-kube-proxy.tar" "{\"Env\":[$path]}"
cp "$IMAGES/pause.tar" "$work/image-pause.tar"
rm -rf "$work/proxy" "$work/layer" "$work/layer.tar"

# containerd writes the images to the directory that the node's containerd uses. They are unpacked there on first use.
cat > "$work/containerd.toml" << K
version = 3
root = "$root/var/lib/containerd"
state = "$work/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.nri.v1.nri"]
[grpc]
  address = "$work/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$work/opt"
K
"$BIN/containerd" --config "$work/containerd.toml" > "$work/containerd.log" 2>&1 9>&- &
echo $! > "$work/containerd.pid"
ctr() { CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS=1 "$BIN/ctr" -a "$work/containerd.sock" -n k8s.io "$@"; }
for _ in $(seq 100); do
  ! ctr version > /dev/null 2>&1 || break
  sleep 0.1
done
for archive in "$work"/image-*.tar; do
  ctr images import --no-unpack --label io.cri-containerd.pinned=pinned "$archive" > /dev/null
  rm "$archive"
done
kill "$(cat "$work/containerd.pid")"
wait "$(cat "$work/containerd.pid")" || true
rm "$work/containerd.pid"

tar -C "$root" -c . | docker image import --change 'ENTRYPOINT ["/usr/local/bin/entrypoint"]' \
  --change 'STOPSIGNAL SIGRTMIN+3' --change "LABEL made-of=$made_of" - "$NODE_IMAGE" > /dev/null
[ ! -d "$DOCKER_RUN" ] || docker image prune --force > /dev/null # the previous image; only in our own Docker
say "image: made in $((SECONDS - began)) s"
