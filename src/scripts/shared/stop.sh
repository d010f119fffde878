# shellcheck shell=sh
# Process 1 ignores signals without a trap, and a shell runs a trap only between foreground commands or while it waits.
arc_primer_child=
stop() {
  [ -z "$arc_primer_child" ] || kill -KILL "$arc_primer_child" 2> /dev/null
  exit "$1"
}
trap 'stop 143' TERM
trap 'stop 130' INT
