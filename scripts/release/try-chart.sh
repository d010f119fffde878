#!/usr/bin/env bash
# Installs the published chart in the cluster of the current kubectl context, with its default values, and runs `helm test`.
# usage: try-chart.sh oci://REGISTRY/PATH VERSION
set -euo pipefail
[ $# -eq 2 ] || { sed -n '3s/^# *//p' "$0" >&2; exit 2; }
name=arc-primer

# shellcheck disable=SC2317 # called by the trap
tell() {
  [ $? -ne 0 ] || return 0
  {
    kubectl get pods,events --all-namespaces --sort-by=.metadata.creationTimestamp | tail -n 60
    kubectl logs --namespace "$name" --selector app.kubernetes.io/name=arc-primer --prefix --tail 100
    kubectl logs --namespace "$name" "$name-test" # the pod of a failed test is kept
  } >&2 || true
}
trap tell EXIT

helm install "$name" "$1" --version "$2" --namespace "$name" --create-namespace --wait --timeout 5m
helm test "$name" --namespace "$name" --timeout 5m
