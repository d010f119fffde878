#!/bin/sh
# The preStop hook of the DinD container: waits until the runner container has ended, which is when nobody holds the
# pipe open any more (hold-docker.sh).
#
#   sh -c SCRIPT arc-primer-hold FILE
#
# The kubelet ends the wait with the pod's grace period. A runner that never started has made no pipe.
[ -p "$1" ] || exit 0
: > "$1" & # where nobody holds it any more, opening it to read would wait for somebody who does
while read -r _; do :; done < "$1"
