#!/bin/sh
# Puts what install-packages.sh has installed into the runner container, then becomes the command after "--".
#
#   sh -c SCRIPT arc-primer-packages directory=DIR on-failure=warn -- COMMAND [ARG...]
#
# It runs as process 1, as root or as a user who may sudo, before anything else does. The image is the one that the
# packages were installed in, so what that script needed is here, too. The work is done in a child: no name that it uses
# reaches the job's environment.
set -uf

say() { printf 'arc-primer: %s\n' "$*" >&2; }

# Says why this container ends badly, by a code that docs/operations/troubleshooting.md explains; kubectl describe shows it.
failed() { # CODE MESSAGE
  say "failed: $1: $2"
  [ ! -w /dev/termination-log ] || printf 'arc-primer: failed: %s: %s\n' "$1" "$2" > /dev/termination-log
}

# Prints a file's lines. By the shell alone: where libraries were replaced only in part, no other program may start.
loudly() {
  say "******************************************************************"
  while IFS= read -r line || [ -n "$line" ]; do say "* $line"; done
  say "******************************************************************"
}

refuse() {
  loudly << TEXT
the packages of the profile are not in this container: $1
TEXT
  [ "$on_failure" = fail ] || return 0
  say "exit 1: the runner is not started, as onFailure: fail asks"
  failed packages-not-in-place "the packages of the profile are not in this container: $1"
  return 1
}

# Sets $now: hundredths of a second.
now() {
  if read -r uptime _ 2> /dev/null < /proc/uptime; then
    now=$((${uptime%.*} * 100 + 1${uptime#*.} - 100))
  else
    now=$(($(date +%s) * 100))
  fi
}

# Runs a function in a child, for at most so many seconds: no program that hangs holds up the start. Status 137 if it did.
# Its guard is ended by HUP, which these scripts do not trap: a TERM that comes before the guard has its own trap would be
# lost to the one that it begins with, and it would be waited for.
limited() { # SECONDS FUNCTION [ARG...]
  arc_primer_seconds=$1
  shift
  "$@" &
  arc_primer_child=$!
  (
    nap=
    trap '[ -z "$nap" ] || kill "$nap"; exit' HUP
    sleep "$arc_primer_seconds" &
    nap=$!
    wait "$nap" || exit # where there is no sleep there is no limit
    kill -KILL "$arc_primer_child"
  ) > /dev/null 2>&1 &
  arc_primer_guard=$!
  { wait "$arc_primer_child"; } 2> /dev/null # the shell's own "Killed" says nothing of use
  arc_primer_status=$?
  kill -HUP "$arc_primer_guard" 2> /dev/null
  { wait "$arc_primer_guard"; } 2> /dev/null
  return "$arc_primer_status"
}

ask_sudo() { sudo -n true > /dev/null 2>&1; }

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n -- "$@"; fi; }

# Prints the paths in a list that do not lie on a volume of this container: those are somebody else's files. Names with
# a newline go through the lines of awk with another character in its place.
on_the_image() {
  tr '\n\0' '\1\n' < "$1" | awk 'FNR == NR { if ($5 != "/") mounted[$5]; next }
    { for (path = $0; path ~ /\//; sub(/\/[^\/]*$/, "", path)) if (path in mounted) next; print }' /proc/self/mountinfo - |
    tr '\1\n' '\n\0'
}

remove() {
  on_the_image "$directory/$1" | as_root xargs -0 -r rm -f -- &&
    on_the_image "$directory/$1-directories" | as_root xargs -0 -r rmdir --ignore-fail-on-non-empty --
}

extract() {
  set --
  while read -r _ _ _ _ path _; do
    [ "$path" = / ] || set -- "$@" "--exclude=.$(printf '%b' "$path")"
  done < /proc/self/mountinfo
  as_root tar --extract --file="$directory/changes.tar" --directory=/ --numeric-owner --same-owner --same-permissions \
    --keep-directory-symlink --xattrs --xattrs-include=security.capability --xattrs-include='user.*' \
    --anchored --no-wildcards "$@"
}

apply() {
  now
  begin=$now
  if ! sha256sum --check --status "$directory/fingerprint"; then
    refuse "its image has another package state than the one they were installed in; is the tag being moved?"
    return
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo > /dev/null; then
      refuse "they have to be put in place as root, and this image has no sudo"
      return
    fi
    limited 20 ask_sudo
    if [ $? -eq 137 ]; then
      refuse "they have to be put in place as root, and sudo did not answer within 20 s"
      return
    elif ! answer=$(sudo -n true 2>&1); then
      refuse "they have to be put in place as root, and sudo said: $answer"
      return
    fi
  fi
  # What is gone goes last: a library under its old name may be what tar and sudo are linked with.
  if ! { remove turned && extract && remove deleted; }; then
    refuse "they could be put in place only in part; what failed is said above"
    return
  fi
  now
  say "packages in place after $(((now - begin) / 100)).$(((now - begin) % 100 / 10))$(((now - begin) % 10)) s"
}

put_in_place() {
  while [ "$1" != -- ]; do
    case $1 in
      directory=*) directory=${1#*=} ;;
      on-failure=*) on_failure=${1#*=} ;;
    esac
    shift
  done
  if [ -e "$directory/changes.tar" ]; then apply || return; fi
  if [ -e "$directory/problem" ]; then loudly < "$directory/problem"; fi
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

# A trap runs only between foreground commands, so this shell does nothing but wait.
stop() {
  say "told to stop while putting packages in place"
  kill "$!" 2> /dev/null
  exit "$1"
}
put_in_place "$@" &
trap 'stop 143' TERM
trap 'stop 130' INT
wait "$!" || exit
while [ "$1" != -- ]; do shift; done
shift
trap - TERM INT
become "$@"
