#!/bin/sh
# Copies the packages that install-packages.sh has installed into the runner container, then executes the command after "--".
#
#   sh -c SCRIPT arc-primer-packages [directory=DIR on-failure=warn] [proxy=URL] [mirror=FROM by=TO]... -- COMMAND [ARG...]
#
# If a proxy or mirrors are given, they are also configured for the job's own apt-get.
#
# It runs as process 1, before anything else, as root or as a user with sudo. The image is the one in which the packages
# were installed, so the programs that install-packages.sh needs are available here, too. The work is done in a child
# process, so that no variable of this script reaches the job's environment.
set -uf

. ./shared/say.sh

. ./shared/failed.sh

# Prints the lines on stdin in a box. Uses only the shell: if libraries were partly replaced, other programs may not start.
say_boxed() {
  say "******************************************************************"
  while IFS= read -r line || [ -n "$line" ]; do say "* $line"; done
  say "******************************************************************"
}

refuse() {
  say_boxed << TEXT
the profile's packages are not installed in this container: $1
TEXT
  [ "$on_failure" = fail ] || return 0
  say "exit 1: the runner is not started, because onFailure is fail"
  failed packages-not-in-place "the profile's packages are not installed in this container: $1"
  return 1
}

. ./shared/now.sh

. ./shared/took.sh

. ./shared/limited.sh

. ./shared/apt-mirror.sh

ask_sudo() { sudo -n true > /dev/null 2>&1; }

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n -- "$@"; fi; }

# Prints the paths in a list that are not on a volume of this container. Files on volumes must not be touched. For awk,
# newlines in names are temporarily replaced by another character.
on_the_image() {
  tr '\n\0' '\1\n' < "$1" | awk 'FNR == NR { if ($5 != "/") mounted[$5]; next }
    { for (path = $0; path ~ /\//; sub(/\/[^\/]*$/, "", path)) if (path in mounted) next; print }' /proc/self/mountinfo - |
    tr '\1\n' '\n\0'
}

remove() {
  # sudo is slow, and usually there is nothing to remove.
  if [ -s "$lists/$1" ]; then on_the_image "$lists/$1" | as_root xargs -0 -r rm -f -- || return; fi
  if [ -s "$lists/$1-directories" ]; then
    on_the_image "$lists/$1-directories" | as_root xargs -0 -r rmdir --ignore-fail-on-non-empty --
  fi
}

# Extracts the installed files from changes.tar, which is a separate file or part of the bundle.
extract() {
  set --
  while read -r _ _ _ _ path _; do
    [ "$path" = / ] || set -- "$@" "--exclude=.$(printf '%b' "$path")"
  done < /proc/self/mountinfo
  set -- as_root tar --extract --directory=/ --numeric-owner --same-owner --same-permissions \
    --keep-directory-symlink --xattrs --xattrs-include=security.capability --xattrs-include='user.*' \
    --anchored --no-wildcards "$@"
  if [ "$lists" = "$directory" ]; then
    "$@" --file="$directory/changes.tar"
  else
    as_root tar --extract --to-stdout --file="$lists/bundle.tar" changes.tar | "$@" --file=-
  fi
}

# Can this user install files? If not, sets $obstacle to the reason.
may_write() {
  [ "$(id -u)" -ne 0 ] || return 0
  if ! command -v sudo > /dev/null; then
    obstacle="this requires root, and this image has no sudo"
    return 1
  fi
  limited 20 ask_sudo
  case $? in
    0) return 0 ;;
    137) obstacle="this requires root, and sudo did not respond within 20 s" ;;
    *) obstacle="this requires root, and sudo failed: $(sudo -n true 2>&1)" ;;
  esac
  return 1
}

apply() {
  now
  begin=$now
  if ! sha256sum --check --status "$lists/fingerprint"; then
    refuse "its image has a different package state than the image in which they were installed; was the tag moved?"
    return
  fi
  may_write || { refuse "$obstacle"; return; }
  # Removed files are deleted last: tar and sudo may be linked with a library under its old name.
  if ! { remove turned && extract && remove deleted; }; then
    refuse "only some of the files could be installed; see the errors above"
    return
  fi
  took "$begin"
  say "packages installed in $took s"
}

# Configures the proxy and the mirrors for the job's own apt-get. Files on volumes are not changed.
keep_apt() {
  [ -z "$proxy" ] || printf 'Acquire::http::Proxy "%s";\n' "$proxy" |
    as_root tee /etc/apt/apt.conf.d/95arc-primer > /dev/null || return
  [ -z "$mirrors" ] || find /etc/apt -maxdepth 2 '(' -path /etc/apt/sources.list -o -path '/etc/apt/sources.list.d/*.list' \
    -o -path '/etc/apt/sources.list.d/*.sources' ')' '(' -type f -o -type l ')' -print0 | on_the_image /dev/stdin |
    as_root xargs -0 -r sed --in-place --follow-symlinks -e "$mirrors" --
}

put_in_place() {
  directory=
  proxy=
  mirrors=
  while [ "$1" != -- ]; do
    case $1 in
      directory=*) directory=${1#*=} ;;
      on-failure=*) on_failure=${1#*=} ;;
      proxy=*) proxy=${1#*=} ;;
      mirror=*) from=${1#*=} ;;
      by=*) mirrors="$mirrors$(apt_mirror "$from" "${1#*=}")
" ;;
    esac
    shift
  done
  if [ -n "$directory" ]; then put_packages_in_place || return; fi
  [ -n "$proxy$mirrors" ] || return 0
  if ! [ -d /etc/apt/apt.conf.d ]; then obstacle="this image has no /etc/apt/apt.conf.d"
  elif ! may_write; then :
  elif keep_apt; then return 0
  else obstacle="not all files could be written; see the errors above"; fi
  say_boxed << TEXT
the profile's proxy and mirrors are not configured for apt in this container: $obstacle
TEXT
}

put_packages_in_place() {
  lists=$directory
  [ ! -d "$directory/bundle" ] || lists=$directory/bundle
  if [ -e "$lists/told" ]; then
    while IFS= read -r line; do say "$line"; done < "$lists/told"
  fi
  if [ -e "$directory/changes.tar" ] || [ "$lists" != "$directory" ]; then apply || return; fi
  if [ -e "$directory/problem" ]; then say_boxed < "$directory/problem"; fi
}

. ./shared/become.sh

# A shell runs traps only between foreground commands, so this shell only waits.
stop() {
  say "stopped by a signal while installing packages"
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
