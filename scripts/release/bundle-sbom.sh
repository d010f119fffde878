#!/usr/bin/env bash
# Prints the SBOM of the bundle in an image, as written by the build (scripts/bundled.mjs).
# usage: bundle-sbom.sh IMAGE@sha256:…
set -euo pipefail
[ $# -eq 1 ] || { sed -n '3s/^# *//p' "$0" >&2; exit 2; }
container=$(docker create "$1")
trap 'docker rm "$container" > /dev/null' EXIT
docker cp "$container:/app/sbom.cdx.json" - | tar -xO
