#!/usr/bin/env bash
# Packages the chart with the image pinned by digest. The last line of the output is the path of the package.
# usage: package-chart.sh IMAGE@sha256:… REPOSITORY-URL FOLDER      (in the checkout)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 3 ] || { sed -n '3s/^# *//p' "$0" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R charts/arc-primer "$work/arc-primer"
node "$here/pin-chart.ts" "$work/arc-primer" "$1" "$2"
helm lint --quiet "$work/arc-primer" >&2
mkdir -p "$3"
helm package "$work/arc-primer" --destination "$3" > "$work/said"
sed -n 's/^Successfully packaged chart and saved it to: //p' "$work/said" | grep . || { cat "$work/said" >&2; exit 1; }
