# shellcheck shell=sh
say() { printf 'arc-primer: %s\n' "$*" >&2; }
