#!/usr/bin/env bash
# Succeeds, and says how to take it down, if a bare cluster is up or is left in parts.
. "$(dirname "$0")/env.sh"
[ -e "$RUN" ] || exit 1
say "a cluster is up, or was not taken down; take it down with $(cd "$(dirname "$0")" && pwd)/down.sh"
