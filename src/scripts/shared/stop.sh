# shellcheck shell=sh
# Process 1 ignores signals for which it has no trap. A shell runs traps only between foreground commands or in `wait`.
arc_primer_child=
stop() {
  [ -z "$arc_primer_child" ] || kill -KILL "$arc_primer_child" 2> /dev/null
  exit "$1"
}
trap 'stop 143' TERM
trap 'stop 130' INT
