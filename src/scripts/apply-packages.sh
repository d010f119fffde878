#!/bin/sh
# Puts what install-packages.sh has installed into the runner container, then becomes the command after "--".
#
#   sh -c SCRIPT arc-primer-packages directory=DIR on-failure=warn -- COMMAND [ARG...]
#
# It runs as process 1, as root or as a user who may sudo, before anything else does. The image is the one that the
# packages were installed in, so what that script needed is here, too.
set -uf

say() { printf 'arc-primer: %s\n' "$*" >&2; }

while [ "$1" != -- ]; do
  case $1 in
    directory=*) directory=${1#*=} ;;
    on-failure=*) on_failure=${1#*=} ;;
  esac
  shift
done
shift

# Sets $now: hundredths of a second.
now() {
  read -r uptime _ < /proc/uptime
  now=$((${uptime%.*} * 100 + 1${uptime#*.} - 100))
}

job=
stop() {
  say "told to stop while putting packages in place"
  [ -z "$job" ] || kill "$job" 2> /dev/null
  exit "$1"
}
trap 'stop 143' TERM
trap 'stop 130' INT

# Runs a command as root, and waits for it where a trap can interrupt.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@" & else sudo -n -- "$@" & fi
  job=$!
  wait "$job"
  status=$?
  job=
  return "$status"
}

loudly() {
  say "******************************************************************"
  printf '%s\n' "$1" | sed 's/^/arc-primer: * /' >&2
  say "******************************************************************"
}

refuse() {
  loudly "the packages of the profile are not in this container: $1"
  [ "$on_failure" = fail ] || return 0
  say "exit 1: the runner is not started, as onFailure: fail asks"
  [ ! -w /dev/termination-log ] || printf 'arc-primer: %s\n' "$1" > /dev/termination-log
  exit 1
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
    elif ! answer=$(sudo -n true 2>&1); then
      refuse "they have to be put in place as root, and sudo said: $answer"
      return
    fi
  fi
  if ! { as_root xargs -0 -r -a "$directory/deleted" rm -f -- &&
    as_root xargs -0 -r -a "$directory/deleted-directories" rmdir --ignore-fail-on-non-empty -- &&
    as_root tar --extract --file="$directory/changes.tar" --directory=/ --numeric-owner --same-owner --same-permissions \
      --keep-directory-symlink --xattrs --xattrs-include=security.capability --xattrs-include='user.*'; }; then
    refuse "they could be put in place only in part; what failed is said above"
    return
  fi
  now
  say "packages in place after $(((now - begin) / 100)).$(((now - begin) % 100 / 10))$(((now - begin) % 10)) s"
}

[ ! -e "$directory/changes.tar" ] || apply
[ ! -e "$directory/problem" ] || loudly "$(cat "$directory/problem")"
trap - TERM INT
exec "$@"
