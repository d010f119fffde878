#!/bin/sh
# The preStop hook of the runner container. It lets a running job finish.
#
#   sh -c SCRIPT arc-primer-finish-job seconds=N
#
# If no job is running, it returns within a second. Otherwise it waits until the runner exits by itself, which ends the
# container and this process with it. After N seconds it returns anyway. The kubelet then sends SIGTERM, which cancels the
# job.
#
# Processes are looked up in /proc, because slim images have neither ps nor pgrep. How the runner's listener gets a job: it
# receives a message from GitHub and logs it. It requests the job from GitHub, which assigns the job to it (Runner.cs). It
# writes "Running job" to its log, confirms the job to GitHub, and starts the worker (JobDispatcher.cs; both in
# actions/runner 2.336). So there are three signs of a job: the worker process, the line "Running job", and a message. A
# message counts only for 15 s, because not every message brings a job.
set -u

# Sets $listener and $worker to the runner's processes; empty if there is none.
find_runner() {
  listener=
  worker=
  for process in /proc/[0-9]*; do
    # Ignore a process that has exited in the meantime.
    { IFS= read -r name < "$process/comm"; } 2> /dev/null || continue
    case $name in
      Runner.Listener) listener=$process ;;
      Runner.Worker) worker=$process ;;
    esac
  done
}

# Does the runner have a job? Its log directory, _diag, is next to bin. If the log is elsewhere, has another format or cannot
# be read, this is ignored, because the worker process is checked anyway.
has_job() {
  [ -z "$worker" ] || return 0
  [ -n "$listener" ] || return 1
  directory=$(tr '\0' '\n' < "$listener/cmdline" | sed -n 's,/bin/Runner\.Listener$,,p')
  grep -qs ': Running job: ' "$directory"/_diag/Runner_*.log
}

# Has the listener received a message in the last 15 s, without logging since that it brought no job?
is_asking_for_job() {
  [ -n "$listener" ] || return 1
  line=$(grep -hs -e "MessageListener\] Message '.*' received" -e ' Runner\] Skipping message Job' \
    -e ' Runner\] Caught exception from acquiring job' "$directory"/_diag/Runner_*.log | sed -n '$p')
  case $line in *"] Message '"*) ;; *) return 1 ;; esac
  # [2026-11-26 03:15:00Z INFO MessageListener] …
  line=${line#\[}
  received=$(date -u -d "${line%%Z *}" +%s) || return 1
  [ $(($(date +%s) - received)) -lt 15 ]
}

# The output of a hook is not logged. So messages are written to the listener's stderr, which is the container's log.
say() { [ -z "$listener" ] || { printf 'arc-primer: %s\n' "$*" >> "$listener/fd/2"; } 2> /dev/null; }

. ./shared/failed.sh

. ./shared/now.sh

seconds=${1#seconds=}
now
begin=$now
find_runner
# A job that GitHub assigns at this moment becomes visible only after a while.
attempts=1
until has_job; do
  [ -n "$listener$worker" ] || exit 0 # no runner, no job
  [ "$attempts" -lt 4 ] || is_asking_for_job || exit 0
  attempts=$((attempts + 1))
  sleep 0.2
  find_runner
done

say "this pod is being terminated while a job is running: waiting up to $seconds s for the runner to exit"
last=$begin
while :; do
  find_runner
  now
  [ -z "$worker" ] || last=$now
  left=$((seconds - (now - begin) / 100))
  if [ "$left" -le 0 ]; then
    failed job-timeout "the job did not finish within $seconds s after the pod's termination began, and is cancelled"
    exit 0
  elif [ $((now - last)) -ge 6000 ]; then
    failed runner-hangs "the runner did not exit within 60 s after its job, and is stopped"
    exit 0
  fi
  sleep "$((left < 5 ? left : 5))"
done
