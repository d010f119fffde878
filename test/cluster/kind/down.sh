#!/usr/bin/env bash
# Removes the kind cluster with any leftovers, and the Docker that was started for it.
trap '' INT TERM HUP # an interruption would leave things behind
. "$(dirname "$0")/env.sh"
lock
[ -d "$KIND_STATE" ] || [ -d "$DOCKER_RUN" ] || exit 0
status=0
if docker version > /dev/null 2>&1; then
  delete_cluster || status=1
  # kind does not remove its network. Another cluster may use it by now.
  [ ! -f "$KIND_STATE/no-network" ] || docker network rm kind > /dev/null 2>&1 || true
fi
"$(dirname "$0")/docker.sh" stop || status=1
if [ -f "$KIND_STATE/no-containers" ] && [ -d /var/lib/containers ]; then
  rm -f /var/lib/containers/cache/blob-info-cache-v1.*
  rmdir --ignore-fail-on-non-empty /var/lib/containers/cache /var/lib/containers
fi
[ "$status" -ne 0 ] || rm -rf "$KIND_STATE"
exit "$status"
