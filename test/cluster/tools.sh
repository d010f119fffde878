#!/usr/bin/env bash
# Builds what the tests run, from Go modules: Helm and kubeconform, with the JSON schemas that kubeconform checks against,
# and test/validate, which validates pods by Kubernetes' own code. They land in the cluster tests' cache. About 5 minutes on
# two cores, once.
# usage: tools.sh      the last line printed is the folder of the programs
. "$(dirname "$0")/bare/env.sh"
for tool in go jq; do
  command -v "$tool" > /dev/null || { echo "tools: $tool is missing on this machine; test/cluster/need.sh tells how to get it" >&2; exit 1; }
done

validate=$(realpath "$(dirname "$0")/../validate")
kubeconform=v0.8.0
certmanager=v1.21.2
prometheus=v0.85.0
export CGO_ENABLED=0
mkdir -p "$BIN"

# build NAME MODULE VERSION PACKAGE
build() {
  local folder=$CACHE/src/$1-$3 began=$SECONDS
  built "$1" "$3" && return
  echo "tools: building $1 $3 ..." >&2
  mkdir -p "$folder"
  cd "$folder" || exit 1
  [ -f go.mod ] || go mod init tools 2> /dev/null
  go get "$2@$3" 2> get.log || { cat get.log >&2; exit 1; }
  go build -trimpath -ldflags "-s -w" -o "$BIN/$1" "$4"
  echo "$3" > "$BIN/.$1.version"
  echo "tools: built $1 in $((SECONDS - began)) s" >&2
}

# folder MODULE VERSION: where Go keeps the module's files
folder() { (cd / && go mod download -json "$1@$2") | jq -re .Dir; }

build helm helm.sh/helm/v4/cmd/helm "$HELM_VERSION" helm.sh/helm/v4/cmd/helm
build kubeconform github.com/yannh/kubeconform/cmd/kubeconform "$kubeconform" github.com/yannh/kubeconform/cmd/kubeconform

version=$(cat "$validate"/main.go "$validate"/go.mod "$validate"/go.sum | sha256sum | cut -c1-16)
if ! built validate-pods "$version"; then
  began=$SECONDS
  echo "tools: building validate-pods ..." >&2
  (cd "$validate" && go build -trimpath -ldflags "-s -w" -o "$BIN/validate-pods" .)
  echo "$version" > "$BIN/.validate-pods.version"
  echo "tools: built validate-pods in $((SECONDS - began)) s" >&2
fi

# What kubeconform's schemas are made of (test/support/kubernetes-schemas.ts): Kubernetes' own OpenAPI description, and
# the definitions of the other kinds that the chart uses.
versions="$KUBERNETES_VERSION $certmanager $prometheus"
if [ "$(cat "$CACHE/api/.versions" 2> /dev/null)" != "$versions" ]; then
  echo "tools: fetching the API descriptions of Kubernetes, cert-manager and prometheus-operator ..." >&2
  mkdir -p "$CACHE/api"
  cp -f "$(folder k8s.io/kubernetes "$KUBERNETES_VERSION")/api/openapi-spec/swagger.json" "$CACHE/api/"
  cp -f "$(folder github.com/cert-manager/cert-manager "$certmanager")"/deploy/crds/*.yaml "$CACHE/api/"
  cp -f "$(folder github.com/prometheus-operator/prometheus-operator "$prometheus")"/example/prometheus-operator-crd/*_{servicemonitors,prometheusrules}.yaml "$CACHE/api/"
  chmod -R u+w "$CACHE/api"
  echo "$versions" > "$CACHE/api/.versions"
fi
echo "$BIN"
