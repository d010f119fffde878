#!/usr/bin/env bash
# Pushes a packaged chart as an OCI artifact, and prints its reference: REGISTRY/PATH@sha256:…
# usage: push-chart.sh CHART.tgz oci://REGISTRY/PATH [helm push OPTION...]
set -euo pipefail
[ $# -ge 2 ] || { sed -n '3s/^# *//p' "$0" >&2; exit 2; }
chart=$1 repository=$2
shift 2

# Helm 3 prints the reference to stderr, Helm 4 to stdout.
said=$(helm push "$chart" "$repository" "$@" 2>&1) || { echo "$said" >&2; exit 1; }
echo "$said" >&2
digest=$(sed -n 's/.*Digest: *\(sha256:[0-9a-f]\{64\}\).*/\1/p' <<< "$said")
name=$(sed -n 's/.*Pushed: *\([^ "]*\):[^:/ "]*.*/\1/p' <<< "$said")
if [ -z "$digest" ] || [ -z "$name" ]; then
  echo "push-chart: the output of helm push contains no reference and digest" >&2
  exit 1
fi
echo "$name@$digest"
