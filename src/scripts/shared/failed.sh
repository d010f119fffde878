# shellcheck shell=sh
# Reports why this container fails, with a code that docs/operations/troubleshooting.md explains. The message also becomes
# the termination message, which kubectl describe shows.
failed() { # CODE MESSAGE
  say "failed: $1: $2"
  [ ! -w /dev/termination-log ] || printf 'arc-primer: failed: %s: %s\n' "$1" "$2" > /dev/termination-log
}
