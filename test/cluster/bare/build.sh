#!/usr/bin/env bash
# Builds the programs of the cluster tests from Go modules, unless they are already built.
# usage: build.sh WHAT...
#   apiserver      etcd and kube-apiserver, for the tier without a node
#   node           etcd, all of Kubernetes, containerd and runc
#   docker         Docker's daemon, client and buildx, with containerd and runc
#   kind           kind itself, and the additional programs of its node: kubeadm, kube-proxy, CoreDNS, CNI plugins
#   registry, buildkit, cert-manager, helm, helm3, kubeconform, actionlint
# KUBERNETES chooses the version of Kubernetes (versions.env).
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
mkdir -p "$BIN" "$DOCKER_BIN"
export CGO_ENABLED=0

# compile NAME VERSION PACKAGE [GO-BUILD-OPTION...]: builds a program in a directory with a go.mod, into $into.
into=$BIN
compile() {
  local name=$1 version=$2 package=$3 began=$SECONDS
  shift 3
  say "building $name $version ..."
  mkdir -p "$into"
  patiently "building $name" go build -trimpath -ldflags "-s -w ${ldflags:-}" -o "$into/$name" "$@" "$package"
  echo "$version" > "$into/.$name.version"
  say "built $name in $((SECONDS - began)) s"
}

# enter NAME VERSION: changes to a directory for a temporary Go module that requires the module to build.
enter() {
  mkdir -p "$CACHE/src/$1-$2"
  cd "$CACHE/src/$1-$2" || exit 1
}

quietly() { "$@" 2> get.log || { cat get.log >&2; exit 1; }; }

# program NAME VERSION MODULE PACKAGE [GO-BUILD-OPTION...]: builds a program of a module, unless it is already built.
program() {
  local name=$1 version=$2 module=$3 package=$4
  shift 4
  built "$name" "$version" "$into" && return
  enter "${module//\//-}" "$version"
  [ -f go.mod ] || go mod init built 2> /dev/null
  quietly go get "$package@$version"
  compile "$name" "$version" "$package" "$@"
}

# module_files MODULE VERSION: prints the directory with the module's files
module_files() { (cd / && go mod download -json "$1@$2") | jq -re .Dir; }

# k8s.io/kubernetes requires its staging modules as v0.0.0 and replaces them by directories. Other modules must replace them
# by releases.
kubernetes_module() {
  enter kubernetes "$KUBERNETES_VERSION"
  [ -f ready ] && return
  say "resolving the modules of Kubernetes $KUBERNETES_VERSION ..."
  rm -f go.mod go.sum
  go mod init cluster 2> /dev/null
  local source module packages=()
  source=$(module_files k8s.io/kubernetes "$KUBERNETES_VERSION")
  while read -r module; do
    go mod edit -replace "$module=$module@v0.${KUBERNETES_VERSION#v1.}"
  done < <(go mod edit -json "$source/go.mod" | jq -r '.Replace[]?.Old.Path | select(startswith("k8s.io/"))')
  for module in kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl kubeadm kube-proxy; do
    packages+=("k8s.io/kubernetes/cmd/$module@$KUBERNETES_VERSION")
  done
  quietly go get "${packages[@]}"
  touch ready
}

# kubernetes PROGRAM...
kubernetes() {
  local name v=k8s.io/component-base/version into=$KUBE_BIN
  local ldflags="-X $v.gitVersion=$KUBERNETES_VERSION -X $v.gitMajor=${KUBERNETES%.*} -X $v.gitMinor=${KUBERNETES#*.}"
  for name in "$@"; do
    built "$name" "$KUBERNETES_VERSION" "$into" && continue
    kubernetes_module
    compile "$name" "$KUBERNETES_VERSION" "k8s.io/kubernetes/cmd/$name"
  done
}

etcd() {
  program etcd "$ETCD_VERSION" go.etcd.io/etcd/server/v3 go.etcd.io/etcd/server/v3
  mkdir -p "$KUBE_BIN"
  ln -sf ../etcd "$KUBE_BIN/etcd" # so that the directory can be used as KUBEBUILDER_ASSETS
}

containerd() {
  local name module=github.com/containerd/containerd/v2
  for name in containerd containerd-shim-runc-v2 ctr; do
    ldflags="-X $module/version.Version=$CONTAINERD_VERSION" \
      program "$name" "$CONTAINERD_VERSION" "$module" "$module/cmd/$name"
  done
  # Statically linked, like runc's releases: it runs on the machine, in Debian images and in an empty image.
  CGO_ENABLED=1 ldflags="-X main.version=${RUNC_VERSION#v} -linkmode external -extldflags -static" \
    program runc "$RUNC_VERSION" github.com/opencontainers/runc github.com/opencontainers/runc -tags "seccomp netgo osusergo"
}

docker() {
  local into=$DOCKER_BIN version=${DOCKER_VERSION#v} moby=github.com/moby/moby/v2 source swarmkit
  version=${version%+*}
  ldflags="-X $moby/dockerversion.Version=$version" program dockerd "$MOBY_VERSION" "$moby" "$moby/cmd/dockerd"
  program docker-proxy "$MOBY_VERSION" "$moby" "$moby/cmd/docker-proxy"
  program rootlesskit "$ROOTLESSKIT_VERSION" github.com/rootless-containers/rootlesskit/v2 \
    github.com/rootless-containers/rootlesskit/v2/cmd/rootlesskit
  ldflags="-X github.com/docker/buildx/version.Version=$BUILDX_VERSION" \
    program docker-buildx "$BUILDX_VERSION" github.com/docker/buildx github.com/docker/buildx/cmd/buildx
  built docker "$DOCKER_VERSION" "$into" && return
  # The client's module has its go.mod under the name vendor.mod, so it must be the main module. The version of swarmkit that
  # it requires is not published; the daemon's version is.
  enter docker-cli "$DOCKER_VERSION"
  source=$(module_files github.com/docker/cli "$DOCKER_VERSION")
  cp -r --no-preserve=mode "$source/." .
  rm -rf vendor
  mv vendor.mod go.mod
  mv vendor.sum go.sum
  swarmkit=$(go mod edit -json "$(module_files "$moby" "$MOBY_VERSION")/go.mod" | jq -re '.Require[] | select(.Path == "github.com/moby/swarmkit/v2").Version')
  go mod edit -require="github.com/moby/swarmkit/v2@$swarmkit"
  ldflags="-X github.com/docker/cli/cli/version.Version=$version" compile docker "$DOCKER_VERSION" ./cmd/docker -mod=mod
}

# A program around cert-manager's library (cert-manager/main.go). It is rebuilt when either of them changes.
cert_manager() {
  local module=github.com/cert-manager/cert-manager version
  version=$CERT_MANAGER_VERSION-$(sha256sum < "$here/../cert-manager/main.go" | cut -c 1-12)
  built cert-manager "$version" && return
  enter cert-manager "$CERT_MANAGER_VERSION"
  cp "$here/../cert-manager/main.go" .
  [ -f go.mod ] || go mod init "$module/cmd/tests" 2> /dev/null # below its path, because it imports internal packages
  quietly go get "$module@$CERT_MANAGER_VERSION"
  quietly go mod tidy
  ldflags="-X $module/pkg/util.AppVersion=$CERT_MANAGER_VERSION" compile cert-manager "$version" .
}

for what in "$@"; do
  case $what in
    apiserver)
      etcd
      # shellcheck disable=SC2046 # names without spaces
      kubernetes $(programs apiserver)
      ;;
    node)
      etcd
      containerd
      # shellcheck disable=SC2046
      kubernetes $(programs)
      ;;
    docker)
      containerd
      docker
      ;;
    registry)
      module=github.com/distribution/distribution/v3
      ldflags="-X $module/version.version=$REGISTRY_VERSION" program registry "$REGISTRY_VERSION" "$module" "$module/cmd/registry"
      ;;
    buildkit)
      containerd # for runc
      module=github.com/moby/buildkit
      for name in buildkitd buildctl; do
        ldflags="-X $module/version.Version=$BUILDKIT_VERSION" program "$name" "$BUILDKIT_VERSION" "$module" "$module/cmd/$name"
      done
      ;;
    kind)
      containerd
      kubernetes kubeadm kube-proxy
      program kind "$KIND_VERSION" sigs.k8s.io/kind sigs.k8s.io/kind
      program coredns "$COREDNS_VERSION" github.com/coredns/coredns github.com/coredns/coredns
      module=github.com/containernetworking/plugins
      for name in main/ptp main/loopback ipam/host-local meta/portmap; do
        into=$CNI_BIN program "${name#*/}" "$CNI_PLUGINS_VERSION" "$module" "$module/plugins/$name"
      done
      ;;
    cert-manager) cert_manager ;;
    helm) program helm "$HELM_VERSION" helm.sh/helm/v4 helm.sh/helm/v4/cmd/helm ;;
    helm3) program helm3 "$HELM3_VERSION" helm.sh/helm/v3 helm.sh/helm/v3/cmd/helm ;;
    kubeconform)
      program kubeconform "$KUBECONFORM_VERSION" github.com/yannh/kubeconform github.com/yannh/kubeconform/cmd/kubeconform
      ;;
    actionlint)
      module=github.com/rhysd/actionlint
      ldflags="-X $module.version=${ACTIONLINT_VERSION#v}" program actionlint "$ACTIONLINT_VERSION" "$module" "$module/cmd/actionlint"
      ;;
    *) sed -n '3,9s/^# *//p' "$0" >&2; exit 2 ;;
  esac
done
