#!/usr/bin/env bash
# Removes what the suite has installed in a cluster of yours, in case it was interrupted before it did so itself: what
# bears the label of this run, CLUSTER_RUN.
set -euo pipefail
trap '' INT TERM HUP
for kind in mutatingwebhookconfigurations namespaces; do # first the registration
  kubectl delete "$kind" --selector "arc-primer.dev/test-run=$CLUSTER_RUN" --ignore-not-found --timeout=180s
done
