#!/bin/sh
# Holds a pipe open for as long as the runner container runs, then becomes the command after "--".
#
#   sh -c SCRIPT arc-primer-hold file=FILE -- COMMAND [ARG...]
#
# dockerd's preStop hook (await-runner.sh) waits for the end of this pipe, on a volume that both containers mount. It
# stays open with process 1, whatever that becomes, so the kernel closes it when the container ends, however that is.
set -u

. ./shared/say.sh

. ./shared/failed.sh

# In a shell of its own first, since a redirection that fails would end this one. <> does not wait for the other side.
hold() {
  if { [ -p "$1" ] || mkfifo -m 666 "$1"; } && (: <> "$1"); then
    # A number that no script uses. dash knows numbers up to 9 alone, so bash moves it where there is one.
    if (eval 'exec 227<> "$1"') 2> /dev/null; then eval 'exec 227<> "$1"'
    else exec 9<> "$1" && arc_primer_moves=bash; fi
  else
    say "$1 cannot be held open: dockerd will be told to stop at the same time as the runner"
  fi
}

. ./shared/become.sh

arc_primer_moves=
# No variables here: the command would see its own of the same name changed.
while [ "$1" != -- ]; do
  case $1 in file=*) hold "${1#*=}" ;; esac
  shift
done
shift
if [ -n "$arc_primer_moves" ] && command -v bash > /dev/null; then
  check_command "$1"
  # shellcheck disable=SC2016 # bash puts these in
  set -- bash -c 'exec 227<&9 9<&-; exec "$@"' bash "$@"
fi
become "$@"
