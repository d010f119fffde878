#!/usr/bin/env bash
# Runs benchmarks with Node.js, one after another. If one fails, the others still run.
# usage: run.sh PROGRAM...
cd "$(dirname "$0")/../.." || exit 1
status=0
for program in "$@"; do
  echo "== $program" >&2
  node --import ./test/bench/support/scripts-as-text.ts "$program" || status=1
done
exit "$status"
