#!/usr/bin/env bash
# Removes everything that an interrupted run has installed in an existing cluster, by the label of that run (CLUSTER_RUN).
set -euo pipefail
trap '' INT TERM HUP
for kind in mutatingwebhookconfigurations namespaces; do # the webhook configurations first
  kubectl delete "$kind" --selector "arc-primer.dev/test-run=$CLUSTER_RUN" --ignore-not-found --timeout=180s
done
