#!/bin/sh
# Puts what install-packages.sh has installed into the runner container, then becomes the command after "--".
#
#   sh -c SCRIPT arc-primer-packages directory=DIR on-failure=warn -- COMMAND [ARG...]
#
# It runs as process 1, as root or as a user who may sudo, before anything else does. The image is the one that the
# packages were installed in, so what that script needed is here, too. The work is done in a child: no name that it uses
# reaches the job's environment.
set -uf

. ./shared/say.sh

. ./shared/failed.sh

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

. ./shared/now.sh

. ./shared/limited.sh

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

. ./shared/become.sh

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
