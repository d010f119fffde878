#!/bin/sh
# The preStop hook of the runner container: lets a job that has begun finish.
#
#   sh -c SCRIPT arc-primer-finish-job seconds=N
#
# Where no job runs it returns within a second. Else it waits until the runner has ended by itself: the container is over
# then, and this process with it. After N seconds it returns all the same, and the kubelet sends SIGTERM, which cancels the
# job.
#
# Processes are looked for in /proc, since slim images have neither ps nor pgrep. The runner's listener receives a message
# from GitHub and logs that. It asks GitHub for the job, which is its own from then on (Runner.cs), writes "Running job" to
# its log, tells GitHub that it has it, and starts the worker (JobDispatcher.cs, all of actions/runner 2.336). Each of the
# three counts as a job; a message only for 15 s, because not every message brings one.
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

# Has the listener received a message in the last 15 s, and not logged since that it gets no job by it?
is_asking_for_job() {
  [ -n "$listener" ] || return 1
  line=$(grep -hs -e "MessageListener\] Message '.*' received" -e ' Runner\] Skipping message Job' \
    -e ' Runner\] Caught exception from acquiring job' "$folder"/_diag/Runner_*.log | sed -n '$p')
  case $line in *"] Message '"*) ;; *) return 1 ;; esac
  # [2026-11-26 03:15:00Z INFO MessageListener] …
  line=${line#\[}
  received=$(date -u -d "${line%%Z *}" +%s) || return 1
  [ $(($(date +%s) - received)) -lt 15 ]
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
looks=1
until has_job; do
  [ -n "$listener$worker" ] || exit 0 # no runner, no job
  [ "$looks" -lt 4 ] || is_asking_for_job || exit 0
  looks=$((looks + 1))
  sleep 0.2
  look
done

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
