# shellcheck shell=sh
# Says why this container ends badly, by a code that docs/operations/troubleshooting.md explains; kubectl describe shows it.
failed() { # CODE MESSAGE
  say "failed: $1: $2"
  [ ! -w /dev/termination-log ] || printf 'arc-primer: failed: %s: %s\n' "$1" "$2" > /dev/termination-log
}
