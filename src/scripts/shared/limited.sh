# shellcheck shell=sh
# Runs a function in a child, for at most so many seconds: no program that hangs holds up the start. Status 137 if it did.
# Its guard is ended by HUP, which these scripts do not trap: a TERM that comes before the guard has its own trap would be
# lost to the one that it begins with, and it would be waited for.
limited() { # SECONDS FUNCTION [ARG...]
  arc_primer_seconds=$1
  shift
  "$@" &
  arc_primer_child=$!
  (
    nap=
    trap '[ -z "$nap" ] || kill "$nap"; exit' HUP
    sleep "$arc_primer_seconds" &
    nap=$!
    wait "$nap" || exit # where there is no sleep there is no limit
    kill -KILL "$arc_primer_child"
  ) > /dev/null 2>&1 &
  arc_primer_guard=$!
  { wait "$arc_primer_child"; } 2> /dev/null # the shell's own "Killed" says nothing of use
  arc_primer_status=$?
  kill -HUP "$arc_primer_guard" 2> /dev/null
  { wait "$arc_primer_guard"; } 2> /dev/null
  return "$arc_primer_status"
}
