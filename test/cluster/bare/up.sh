#!/usr/bin/env bash
# Starts a real one-node cluster without Docker: etcd, kube-apiserver, controller manager, scheduler, containerd, kubelet.
# usage: up.sh [node|apiserver]   With `apiserver`, only etcd and kube-apiserver, from KUBEBUILDER_ASSETS if it is
# set. The node needs root. The kubeconfig is $CACHE/run/admin.kubeconfig; the last line printed is its path.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
. "$here/processes.sh"
tier=${1:-node}

"$here/../need.sh" bare "$tier"
lock
! "$here/is-up.sh" || exit 1
if (: < "/dev/tcp/127.0.0.1/$API_PORT") 2> /dev/null; then
  say "port $API_PORT is in use, probably by a cluster with another cache directory; take that cluster down first"
  exit 1
fi
if [ "$tier" = apiserver ] && [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  KUBE_BIN=$KUBEBUILDER_ASSETS # etcd and kube-apiserver, as in controller-runtime's tests
else
  "$here/build.sh" "$tier"
fi
if [ "$tier" = node ]; then
  if grep -qsx kubelet /proc/[0-9]*/comm; then
    say "a kubelet is already running on this machine, and a second one would conflict with it"
    exit 1
  fi
  "$here/images.sh"
fi

# Take a partly started cluster down again, including the last process, which may not be recorded yet.
# shellcheck disable=SC2317 # called by the trap
failed() {
  trap '' INT TERM HUP
  [ ! -d "$RUN" ] || echo "${!:-none}" > "$RUN/last.pid"
  setsid --wait "$here/down.sh"
}
trap '[ $? -eq 0 ] || failed' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$RUN"
cd "$RUN"
mkdir pki logs cni
ln -s "$KUBE_BIN/kubectl" kubectl # used by down.sh, whatever the value of KUBERNETES is then
began=$SECONDS

# await WHAT COMMAND... : waits for at most 60 s, and prints the end of the logs on a timeout.
await() {
  local what=$1
  shift
  for _ in $(seq 300); do
    "$@" > /dev/null 2>&1 && return
    sleep 0.2
  done
  say "$what did not start; the last lines of the logs:"
  tail -n 5 logs/*.log >&2
  exit 1
}

certificate() { # NAME SUBJECT SAN
  openssl req -newkey rsa:2048 -nodes -keyout "pki/$1.key" -out "pki/$1.csr" -subj "$2" 2> /dev/null
  openssl x509 -req -in "pki/$1.csr" -CA pki/ca.crt -CAkey pki/ca.key -CAcreateserial -days 30 -out "pki/$1.crt" \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth' "$3") 2> /dev/null
}

kubeconfig() { # NAME
  cat > "$1.kubeconfig" << K
apiVersion: v1
kind: Config
clusters: [{ name: bare, cluster: { server: "https://127.0.0.1:$API_PORT", certificate-authority: "$RUN/pki/ca.crt" } }]
users: [{ name: me, user: { client-certificate: "$RUN/pki/$1.crt", client-key: "$RUN/pki/$1.key" } }]
contexts: [{ name: bare, context: { cluster: bare, user: me } }]
current-context: bare
K
}

# Record settings outside of $RUN that Kubernetes' programs change unconditionally, so that down.sh can restore them.
note_machine() {
  local path
  for path in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys \
    kernel/keys/root_maxbytes net/ipv4/ip_forward; do
    echo "$path $(cat "/proc/sys/$path")"
  done > sysctls
  for path in /run/containerd /run/containerd/s /var/lib/cni /var/lib/cni/results /var/lib/kubelet \
    /var/lib/kubelet/device-plugins /var/log/containers /var/lib/containers /var/lib/containers/cache; do
    [ -e "$path" ] || echo "$path"
  done > absent
}

# Creates a root for the pods' cgroups in each hierarchy. cgroup v2 has a single one, in which all controllers are enabled.
make_cgroups() {
  local hierarchy controller root=/sys/fs/cgroup
  if [ -f $root/cgroup.controllers ]; then
    tr ' ' '\n' < $root/cgroup.controllers | while read -r controller; do
      grep -qw "$controller" $root/cgroup.subtree_control && continue
      echo "+$controller" > $root/cgroup.subtree_control
      echo "$controller" >> controllers
    done
  fi
  awk '$3 ~ /^cgroup2?$/ && $2 ~ "^/sys/fs/cgroup" { print $2 }' /proc/mounts | while read -r hierarchy; do
    mkdir "$hierarchy/$OURS"
    echo "$hierarchy/$OURS" >> cgroups
  done
}

openssl req -x509 -newkey rsa:2048 -nodes -keyout pki/ca.key -out pki/ca.crt -days 30 -subj /CN=bare-ca 2> /dev/null
openssl genrsa -out pki/sa.key 2048 2> /dev/null
openssl rsa -in pki/sa.key -pubout -out pki/sa.pub 2> /dev/null
certificate apiserver /CN=kube-apiserver "DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1,IP:$GATEWAY"
certificate admin /O=system:masters/CN=admin DNS:admin
certificate controllers /CN=system:kube-controller-manager DNS:controllers
certificate scheduler /CN=system:kube-scheduler DNS:scheduler
certificate kubelet /O=system:nodes/CN=system:node:node0 "DNS:node0,IP:127.0.0.1,IP:$GATEWAY"
for name in admin controllers scheduler kubelet; do kubeconfig "$name"; done

start etcd "$KUBE_BIN/etcd" --data-dir "$RUN/etcd" --unsafe-no-fsync \
  --listen-client-urls http://127.0.0.1:12379 --advertise-client-urls http://127.0.0.1:12379 --listen-peer-urls http://127.0.0.1:12380
# Image volumes: available since 1.31, enabled by default since 1.35; the feature gate may be removed in future.
# Since 1.35, a kubelet that has pulled an image asks the registry before it uses the same image under another name, even if
# the image was loaded under that name. The tests load their images, and the registries cannot be reached.
gates=
pulled='imagePullCredentialsVerificationPolicy: NeverVerify'
case $KUBERNETES_VERSION in v1.3[1-4].*) gates=ImageVolume=true pulled= ;; esac
# --enable-aggregator-routing: a webhook's Service is called at its pods' addresses, so that no kube-proxy is needed.
start apiserver "$KUBE_BIN/kube-apiserver" --etcd-servers=http://127.0.0.1:12379 --secure-port="$API_PORT" \
  --advertise-address="$([ "$tier" = apiserver ] && echo 127.0.0.1 || echo "$GATEWAY")" --endpoint-reconciler-type=none \
  --tls-cert-file=pki/apiserver.crt --tls-private-key-file=pki/apiserver.key --client-ca-file=pki/ca.crt \
  --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=pki/sa.pub \
  --service-account-signing-key-file=pki/sa.key --service-cluster-ip-range=10.96.0.0/16 \
  --authorization-mode=Node,RBAC --allow-privileged=true --enable-aggregator-routing=true \
  --kubelet-client-certificate=pki/admin.crt --kubelet-client-key=pki/admin.key \
  --kubelet-preferred-address-types=InternalIP,Hostname --feature-gates="$gates" \
  --disable-admission-plugins="$([ "$tier" = apiserver ] && echo ServiceAccount)"
export KUBECONFIG=$RUN/admin.kubeconfig
ready() { curl --silent --fail --cacert pki/ca.crt --cert pki/admin.crt --key pki/admin.key "https://127.0.0.1:$API_PORT/readyz"; }
await kube-apiserver ready

if [ "$tier" = node ]; then
  start controllers "$KUBE_BIN/kube-controller-manager" --kubeconfig=controllers.kubeconfig --leader-elect=false \
    --service-account-private-key-file=pki/sa.key --root-ca-file=pki/ca.crt --use-service-account-credentials=true \
    --cluster-signing-cert-file=pki/ca.crt --cluster-signing-key-file=pki/ca.key \
    --flex-volume-plugin-dir="$RUN/volume-plugins"
  start scheduler "$KUBE_BIN/kube-scheduler" --kubeconfig=scheduler.kubeconfig --leader-elect=false

  note_machine
  make_cgroups
  ip link add "${OURS}0" type bridge
  echo "${OURS}0" > links
  ip addr add "$GATEWAY/24" dev "${OURS}0"
  ip link set "${OURS}0" up
  api_service -A
  touch api-service
  cat > cni/10-bridge.conflist << K
{"cniVersion": "0.4.0", "name": "$OURS", "plugins": [
  {"type": "bridge", "bridge": "${OURS}0", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$RUN/ipam", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
K
  cat > containerd.toml << K
version = 3
root = "$RUN/containerd"
state = "$RUN/containerd-state"
[grpc]
  address = "$RUN/containerd.sock"
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "registry.k8s.io/pause:3.10"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true # the machine may not allow lowering it
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "$RUN/cni"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    options = { Root = "$RUN/runc" }
[plugins."io.containerd.internal.v1.opt"]
  path = "$RUN/opt"
[plugins."io.containerd.nri.v1.nri"]
  disable = true # its socket would lie in /var/run
K
  PATH=$BIN:$PATH start containerd "$BIN/containerd" -c containerd.toml # the shim and runc are found in PATH
  cat > kubelet.yaml << K
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
cgroupRoot: /$OURS
volumePluginDir: "$RUN/volume-plugins"
failSwapOn: false
port: 16250 # the default 10250 may be in use
healthzPort: 16248
maxPods: 250
enforceNodeAllocatable: []
makeIPTablesUtilChains: false
localStorageCapacityIsolation: false
containerRuntimeEndpoint: "unix://$RUN/containerd.sock"
authentication: { anonymous: { enabled: false }, webhook: { enabled: false }, x509: { clientCAFile: "$RUN/pki/ca.crt" } }
authorization: { mode: AlwaysAllow }
imageGCHighThresholdPercent: 100
evictionHard: { nodefs.available: "1%", imagefs.available: "1%", memory.available: "100Mi" }
podLogsDir: "$RUN/pod-logs"
$pulled
failCgroupV1: false # since 1.35, the kubelet refuses to run on cgroup v1 by default
featureGates: { $([ -z "$gates" ] || echo "${gates/=/: }") }
K
  await containerd "$BIN/ctr" -a "$RUN/containerd.sock" version
  start_kubelet
  imports=()
  for archive in "$IMAGES"/*.tar; do
    "$here/load-image.sh" "$archive" &
    imports+=($!)
    echo $! > "import-$(basename "$archive").pid"
  done
  for import in "${imports[@]}"; do wait "$import"; done
  await "the node" "$KUBE_BIN/kubectl" wait --for=condition=Ready node/node0 --timeout=1s
fi
say "up after $((SECONDS - began)) s"
echo "$KUBECONFIG"
