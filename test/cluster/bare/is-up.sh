#!/usr/bin/env bash
# Succeeds, and prints how to take the cluster down, if a bare cluster is up or was only partly removed.
. "$(dirname "$0")/env.sh"
[ -e "$RUN" ] || exit 1
say "a cluster is up or was only partly removed; take it down with $(cd "$(dirname "$0")" && pwd)/down.sh"
