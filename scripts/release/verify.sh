#!/usr/bin/env bash
# Verifies that an image or a chart was signed by the release workflow of a repository. No key is needed: the certificate
# that Sigstore issued contains the identity of the workflow.
# usage: verify.sh REGISTRY/PATH@sha256:… REPOSITORY-URL
set -euo pipefail
[ $# -eq 2 ] || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
cosign verify "$1" --output text \
  --certificate-oidc-issuer https://token.actions.githubusercontent.com \
  --certificate-identity-regexp "^${2//./\\.}/\.github/workflows/release\.yml@refs/tags/v"
