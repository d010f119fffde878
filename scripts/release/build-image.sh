#!/usr/bin/env bash
# Builds the image for amd64 and arm64 and pushes it, with an SBOM and provenance. Prints IMAGE@sha256:…
# usage: build-image.sh IMAGE VERSION REPOSITORY-URL REVISION      (in the checkout, with buildx's container driver)
set -euo pipefail
[ $# -eq 4 ] || { sed -n '3s/^# *//p' "$0" >&2; exit 2; }
image=$1 version=$2 url=$3 revision=$4

about=()
for pair in "title=arc-primer" "version=$version" "source=$url" "revision=$revision" "licenses=Apache-2.0" \
  "description=Primes the runner pods of actions-runner-controller"; do
  about+=(--label "org.opencontainers.image.$pair" --annotation "index:org.opencontainers.image.$pair")
done
metadata=$(mktemp)
trap 'rm -f "$metadata"' EXIT
docker buildx build --pull --platform linux/amd64,linux/arm64 --sbom=true --provenance=mode=max \
  "${about[@]}" --tag "$image:$version" --push --metadata-file "$metadata" . >&2
digest=$(jq -re '.["containerimage.digest"]' "$metadata")
echo "$image@$digest"
