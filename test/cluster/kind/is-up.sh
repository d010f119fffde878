#!/usr/bin/env bash
# Succeeds, and says how to take it down, if the kind cluster is up.
set -euo pipefail
kind get clusters 2> /dev/null | grep -x arc-primer-test > /dev/null || exit 1
echo "kind: the cluster arc-primer-test is up; take it down with $(cd "$(dirname "$0")" && pwd)/down.sh" >&2
