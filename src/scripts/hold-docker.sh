#!/bin/sh
# Holds a pipe open for as long as the runner container runs, then becomes the command after "--".
#
#   sh -c SCRIPT arc-primer-hold file=FILE -- COMMAND [ARG...]
#
# dockerd's preStop hook (await-runner.sh) waits for the end of this pipe, on a volume that both containers mount. It
# stays open with process 1, whatever that becomes, so the kernel closes it when the container ends, however that is.
set -u

say() { printf 'arc-primer: %s\n' "$*" >&2; }

# Says why this container ends badly, by a code that docs/operations/troubleshooting.md explains; kubectl describe shows it.
failed() { # CODE MESSAGE
  say "failed: $1: $2"
  [ ! -w /dev/termination-log ] || printf 'arc-primer: failed: %s: %s\n' "$1" "$2" > /dev/termination-log
}

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

# Becomes the command. dash and busybox hand on no variable with a . or a - in its name, so env does; they stand in /proc.
become() {
  # What the shell itself says comes after this, and its exit code is 126 or 127.
  command -v "$1" > /dev/null 2>&1 || failed command-missing "there is no $1 in this container, or it may not be executed"
  arc_primer_words=$#
  arc_primer_left=
  [ -n "${BASH_VERSION:-}" ] || arc_primer_left=$(tr '\0\n' '\n\1' 2> /dev/null < "/proc/$$/environ")
  while [ -n "$arc_primer_left" ]; do
    arc_primer_variable=${arc_primer_left%%"$arc_primer_newline"*}
    arc_primer_left=${arc_primer_left#"$arc_primer_variable"}
    arc_primer_left=${arc_primer_left#"$arc_primer_newline"}
    case ${arc_primer_variable%%=*} in [0-9]* | *[!A-Za-z0-9_]*)
      arc_primer_variable=$(printf '%sx' "$arc_primer_variable" | tr '\1' '\n')
      set -- "${arc_primer_variable%x}" "$@"
      ;;
    esac
  done
  [ $# -eq "$arc_primer_words" ] || set -- env "$@"
  exec "$@"
}
arc_primer_newline='
'

arc_primer_moves=
# No variables here: the command would see its own of the same name changed.
while [ "$1" != -- ]; do
  case $1 in file=*) hold "${1#*=}" ;; esac
  shift
done
shift
if [ -n "$arc_primer_moves" ] && command -v bash > /dev/null; then
  command -v "$1" > /dev/null 2>&1 || failed command-missing "there is no $1 in this container, or it may not be executed"
  # shellcheck disable=SC2016 # bash puts these in
  set -- bash -c 'exec 227<&9 9<&-; exec "$@"' bash "$@"
fi
become "$@"
