# shellcheck shell=bash
# Paths of the kind cluster, and the Docker that it uses. Sourced by the other scripts in this directory.
. "$(dirname "${BASH_SOURCE[0]}")/../bare/env.sh"

# The name depends on the cache directory, so that runs of different checkouts on the same Docker have different clusters.
CLUSTER=arc-primer-test-$(sha256sum <<< "$CACHE" | cut -c 1-8)
KIND_STATE=$CACHE/kind              # state of the running cluster: its kubeconfig, and files for down.sh
DOCKER_RUN=$CACHE/docker-run        # state of the Docker that was started for it
DOCKER_DATA=$CACHE/docker           # data of that Docker: the node image, and layers of builds
NODE_IMAGE=arc-primer/node:$KUBERNETES_VERSION
KUBECONFIG=$KIND_STATE/kubeconfig
export CLUSTER KIND_STATE DOCKER_RUN DOCKER_DATA NODE_IMAGE KUBECONFIG
PATH=$PATH:$KUBE_BIN:$BIN

say() { printf 'kind cluster: %s\n' "$*" >&2; }

# use_own_docker: makes all programs use the Docker that docker.sh has started.
use_own_docker() {
  export DOCKER_HOST=unix://$DOCKER_RUN/docker.sock DOCKER_CONFIG=$DOCKER_RUN/config
  unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
  PATH=$DOCKER_BIN:$PATH
}
[ ! -d "$DOCKER_RUN" ] || use_own_docker

delete_cluster() { kind delete cluster --quiet --name "$CLUSTER" --kubeconfig "$KUBECONFIG"; }
