#!/usr/bin/env bash
# Builds etcd, the Kubernetes control plane, kubelet and kubectl from their Go modules, and the stand-in images.
# usage: build.sh [apiserver]   With `apiserver`, only etcd and kube-apiserver, for the tier without a node.
# About 8 minutes on two cores the first time; nothing to do afterwards.
. "$(dirname "$0")/env.sh"

mkdir -p "$BIN"
export CGO_ENABLED=0

# compile NAME VERSION PACKAGE [LDFLAGS], in a folder with a go.mod
compile() {
  say "building $1 $2 ..."
  local began=$SECONDS
  go build -trimpath -ldflags "-s -w ${4:-}" -o "$BIN/$1" "$3"
  echo "$2" > "$BIN/.$1.version"
  say "built $1 in $((SECONDS - began)) s"
}

# k8s.io/kubernetes requires its staging modules as v0.0.0, replaced by folders; others must replace these by releases.
kubernetes_module() {
  mkdir -p "$CACHE/src/kubernetes-$KUBERNETES_VERSION"
  cd "$CACHE/src/kubernetes-$KUBERNETES_VERSION" || exit 1
  [ -f ready ] && return
  say "resolving the modules of Kubernetes $KUBERNETES_VERSION ..."
  rm -f go.mod go.sum
  go mod init cluster 2> /dev/null
  local source module packages=()
  source=$(go mod download -json "k8s.io/kubernetes@$KUBERNETES_VERSION" | jq -r .Dir)
  while read -r module; do
    go mod edit -replace "$module=$module@v0.${KUBERNETES_VERSION#v1.}"
  done < <(go mod edit -json "$source/go.mod" | jq -r '.Replace[]?.Old.Path | select(startswith("k8s.io/"))')
  for module in kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl; do
    packages+=("k8s.io/kubernetes/cmd/$module@$KUBERNETES_VERSION")
  done
  go get "${packages[@]}" 2> get.log || { cat get.log >&2; exit 1; }
  touch ready
}

for program in $(programs "${1:-}"); do
  built "$program" "$KUBERNETES_VERSION" && continue
  kubernetes_module
  v=k8s.io/component-base/version
  compile "$program" "$KUBERNETES_VERSION" "k8s.io/kubernetes/cmd/$program" \
    "-X $v.gitVersion=$KUBERNETES_VERSION -X $v.gitMajor=1 -X $v.gitMinor=$(cut -d. -f2 <<< "$KUBERNETES_VERSION")"
done

if ! built etcd "$ETCD_VERSION"; then
  mkdir -p "$CACHE/src/etcd-$ETCD_VERSION"
  cd "$CACHE/src/etcd-$ETCD_VERSION" || exit 1
  [ -f go.mod ] || go mod init etcd 2> /dev/null
  go get "go.etcd.io/etcd/server/v3@$ETCD_VERSION" 2> get.log || { cat get.log >&2; exit 1; }
  compile etcd "$ETCD_VERSION" go.etcd.io/etcd/server/v3
fi
