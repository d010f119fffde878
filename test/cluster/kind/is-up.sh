#!/usr/bin/env bash
# Succeeds, and prints how to take the cluster down, if the kind cluster is up or was only partly removed.
. "$(dirname "$0")/env.sh"
[ -d "$KIND_STATE" ] || [ -d "$DOCKER_RUN" ] || exit 1
say "the cluster $CLUSTER is up or was only partly removed; take it down with $(cd "$(dirname "$0")" && pwd)/down.sh"
