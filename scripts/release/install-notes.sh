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

The release workflow of this repository has signed the image and the chart (\`scripts/release/verify.sh\` verifies this). The
image has an SBOM and provenance.

- \`$3\`
- \`$4\`
NOTES
