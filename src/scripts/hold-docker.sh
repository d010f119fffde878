#!/bin/sh
# Holds a pipe open for as long as the runner container runs, then becomes the command after "--".
#
#   sh -c SCRIPT arc-primer-hold file=FILE -- COMMAND [ARG...]
#
# dockerd's preStop hook (await-runner.sh) waits for the end of this pipe, on a volume that both containers mount. It
# stays open with process 1, whatever that becomes, so the kernel closes it when the container ends, however that is.
set -u

say() { printf 'arc-primer: %s\n' "$*" >&2; }

# In a shell of its own first, since a redirection that fails would end this one. <> does not wait for the other side.
hold() {
  if { [ -p "$1" ] || mkfifo -m 666 "$1"; } && (: <> "$1"); then
    exec 9<> "$1"
  else
    say "$1 cannot be held open: dockerd will be told to stop at the same time as the runner"
  fi
}

# No variables here: the command would see its own of the same name changed.
while [ "$1" != -- ]; do
  case $1 in file=*) hold "${1#*=}" ;; esac
  shift
done
shift
exec "$@"
