#!/usr/bin/env bash
# Prints what the notes of a release say beside its changes: how it is installed, and what was published, by digest.
# usage: install-notes.sh oci://REGISTRY/PATH VERSION IMAGE@sha256:… CHART@sha256:…
set -euo pipefail
[ $# -eq 4 ] || { sed -n '3s/^# *//p' "$0" >&2; exit 2; }
cat << NOTES

### Install

\`\`\`sh
helm install arc-primer $1 --version $2 --namespace arc-primer --create-namespace
\`\`\`

Both are signed by the release workflow of this repository (\`scripts/release/verify.sh\`); the image has an SBOM and its
provenance.

- \`$3\`
- \`$4\`
NOTES
