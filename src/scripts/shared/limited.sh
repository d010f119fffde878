# shellcheck shell=sh
# Runs a function in a child process with a timeout, so that a hanging program does not block the start. Returns 137 if it
# was killed. The guard process is stopped with USR1, which these scripts do not trap. A TERM that arrives before the guard has
# set its own trap would go to the inherited trap and be lost, and this shell would wait for the guard. A HUP would be lost in a
# container whose runtime was started with nohup: its processes ignore HUP, and a shell cannot trap a signal that it was
# started to ignore.
limited() { # SECONDS FUNCTION [ARG...]
  arc_primer_seconds=$1
  shift
  "$@" &
  arc_primer_child=$!
  (
    nap=
    trap '[ -z "$nap" ] || kill "$nap"; exit' USR1
    sleep "$arc_primer_seconds" &
    nap=$!
    wait "$nap" || exit # without `sleep` there is no timeout
    kill -KILL "$arc_primer_child"
  ) > /dev/null 2>&1 &
  arc_primer_guard=$!
  { wait "$arc_primer_child"; } 2> /dev/null # suppresses the shell's "Killed" message
  arc_primer_status=$?
  kill -USR1 "$arc_primer_guard" 2> /dev/null
  { wait "$arc_primer_guard"; } 2> /dev/null
  return "$arc_primer_status"
}
