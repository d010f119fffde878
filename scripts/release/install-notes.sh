#!/usr/bin/env bash
# Prints the rest of the release notes: how to install the release, and the digests of the published artifacts.
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
