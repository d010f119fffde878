#!/usr/bin/env bash
# Builds the tools of the tests from Go modules, in the cache of the cluster tests: actionlint, Helm 4 and 3, the registry,
# kubeconform with the input for its JSON schemas, and test/validate, which validates pods with Kubernetes' own code. Takes
# about 7 minutes on two cores, once.
# usage: tools.sh      the last line printed is the directory of the programs
here=$(cd "$(dirname "$0")" && pwd)
. "$here/bare/env.sh"
for tool in go jq; do
  command -v "$tool" > /dev/null || { echo "tools: $tool is missing on this machine; test/cluster/need.sh prints how to install it" >&2; exit 1; }
done

validate=$(realpath "$here/../validate")

"$here/bare/build.sh" helm helm3 kubeconform actionlint registry

# module_files MODULE VERSION: prints the directory with the module's files
module_files() { (cd / && go mod download -json "$1@$2") | jq -re .Dir; }

version=$(cat "$validate"/main.go "$validate"/go.mod "$validate"/go.sum | sha256sum | cut -c1-16)
if ! built validate-pods "$version"; then
  began=$SECONDS
  echo "tools: building validate-pods ..." >&2
  (cd "$validate" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$BIN/validate-pods" .)
  echo "$version" > "$BIN/.validate-pods.version"
  echo "tools: built validate-pods in $((SECONDS - began)) s" >&2
fi

# The input for kubeconform's schemas (test/support/kubernetes-schemas.ts): Kubernetes' OpenAPI specification, and the
# CustomResourceDefinitions of the other kinds that the chart uses.
versions="$KUBERNETES_NEWER $CERT_MANAGER_VERSION $PROMETHEUS_OPERATOR_VERSION"
if [ "$(cat "$CACHE/api/.versions" 2> /dev/null)" != "$versions" ]; then
  echo "tools: fetching the API descriptions of Kubernetes, cert-manager and prometheus-operator ..." >&2
  mkdir -p "$CACHE/api"
  cp -f "$(module_files k8s.io/kubernetes "$KUBERNETES_NEWER")/api/openapi-spec/swagger.json" "$CACHE/api/"
  cp -f "$(module_files github.com/cert-manager/cert-manager "$CERT_MANAGER_VERSION")"/deploy/crds/*.yaml "$CACHE/api/"
  cp -f "$(module_files github.com/prometheus-operator/prometheus-operator "$PROMETHEUS_OPERATOR_VERSION")"/example/prometheus-operator-crd/*_{servicemonitors,prometheusrules}.yaml "$CACHE/api/"
  chmod -R u+w "$CACHE/api"
  echo "$versions" > "$CACHE/api/.versions"
fi
echo "$BIN"
