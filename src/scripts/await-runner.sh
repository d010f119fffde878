#!/bin/sh
# The preStop hook of the DinD container. It waits until the runner container has stopped. That is when no process holds
# the pipe open any more (hold-docker.sh).
#
#   sh -c SCRIPT arc-primer-hold FILE
#
# The kubelet ends the wait when the grace period is over. If the runner never started, there is no pipe.
[ -p "$1" ] || exit 0
: > "$1" & # without a writer, opening the pipe for reading would block
while read -r _; do :; done < "$1"
