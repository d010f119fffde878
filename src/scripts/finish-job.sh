#!/bin/sh
# The preStop hook of the runner container: lets a job that has begun finish.
#
#   sh -c SCRIPT arc-primer-finish-job seconds=N
#
# Where no job runs it returns within a second. Else it waits until the runner has ended by itself: the container is over
# then, and this process with it. After N seconds it returns all the same, and the kubelet sends SIGTERM, which cancels the
# job.
#
# Processes are looked for in /proc, since slim images have neither ps nor pgrep. The runner's listener takes a job from
# GitHub, writes "Running job" to its log, tells GitHub that it has it, and starts the worker (actions/runner,
# JobDispatcher.cs). Either of the two counts as a job.
set -u

# Sets $listener and $worker to the runner's processes; empty where there is none.
look() {
  listener=
  worker=
  for process in /proc/[0-9]*; do
    # One that has ended meanwhile is none.
    { IFS= read -r name < "$process/comm"; } 2> /dev/null || continue
    case $name in
      Runner.Listener) listener=$process ;;
      Runner.Worker) worker=$process ;;
    esac
  done
}

# Does the runner have a job? Its log is beside the folder that its program lies in; another place, another form or no
# right to read it are not worth a word: there is still the worker to go by.
has_job() {
  [ -z "$worker" ] || return 0
  [ -n "$listener" ] || return 1
  folder=$(tr '\0' '\n' < "$listener/cmdline" | sed -n 's,/bin/Runner\.Listener$,,p')
  grep -qs ': Running job: ' "$folder"/_diag/Runner_*.log
}

# A hook's own output reaches no log, so this is said where the listener writes: to the container's log.
say() { [ -z "$listener" ] || { printf 'arc-primer: %s\n' "$*" >> "$listener/fd/2"; } 2> /dev/null; }

. ./shared/failed.sh

. ./shared/now.sh

seconds=${1#seconds=}
now
begin=$now
look
# A job that GitHub hands out in this very moment needs a while to be seen.
for _ in 1 2 3; do
  [ -n "$listener$worker" ] || exit 0 # no runner, no job
  ! has_job || break
  sleep 0.2
  look
done
has_job || exit 0

say "this pod is to end while a job runs: waiting until the runner has ended, at most $seconds s"
last=$begin
while :; do
  look
  now
  [ -z "$worker" ] || last=$now
  left=$((seconds - (now - begin) / 100))
  if [ "$left" -le 0 ]; then
    failed job-timeout "the job has not ended within $seconds s after this pod was told to end, and is cancelled"
    exit 0
  elif [ $((now - last)) -ge 6000 ]; then
    failed runner-hangs "the runner has not ended within 60 s after its job, and is told to stop"
    exit 0
  fi
  sleep "$((left < 5 ? left : 5))"
done
