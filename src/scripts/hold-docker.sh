#!/bin/sh
# Opens a pipe that stays open as long as the runner container runs, then executes the command after "--".
#
#   sh -c SCRIPT arc-primer-hold file=FILE -- COMMAND [ARG...]
#
# The preStop hook of the DinD container (await-runner.sh) waits until this pipe is closed. The pipe is on a volume that
# both containers mount. Process 1 keeps it open, also after exec, so the kernel closes it when the container ends for any
# reason.
set -u

. ./shared/say.sh

. ./shared/failed.sh

# Tried in a subshell first, because a failed redirection would end this shell. <> does not block until a reader opens it.
hold() {
  if { [ -p "$1" ] || mkfifo -m 666 "$1"; } && (: <> "$1"); then
    # A file descriptor that no script uses. dash supports only descriptors up to 9, so bash moves it, if available.
    if (eval 'exec 227<> "$1"') 2> /dev/null; then eval 'exec 227<> "$1"'
    else exec 9<> "$1" && arc_primer_moves=bash; fi
  else
    say "cannot keep $1 open: dockerd will be stopped at the same time as the runner"
  fi
}

. ./shared/become.sh

arc_primer_moves=
# This loop sets no variables, because they could change the command's environment variables of the same name.
while [ "$1" != -- ]; do
  case $1 in file=*) hold "${1#*=}" ;; esac
  shift
done
shift
if [ -n "$arc_primer_moves" ] && command -v bash > /dev/null; then
  check_command "$1"
  # shellcheck disable=SC2016 # expanded by bash
  set -- bash -c 'exec 227<&9 9<&-; exec "$@"' bash "$@"
fi
become "$@"
