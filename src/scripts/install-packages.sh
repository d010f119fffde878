#!/bin/sh
# Installs packages that the runner's image lacks, in an init container with the same image. The changes are archived on a
# shared volume, for apply-packages.sh in the runner container.
#
#   sh -c SCRIPT arc-primer-prerequisites directory=DIR on-failure=warn timeout=300 size-limit=BYTES \
#     [proxy=URL] [mirror=FROM by=TO]... [key=ASC source=DEB822]... [script=TEXT] \
#     [bundle="ARCHITECTURE SHA256 URL"]... -- [PACKAGE[=VERSION]...]
#
# If a bundle is offered that build-bundle.sh has built from the same image, it is used instead of apt and the script.
#
# It runs as root and as process 1. apt exists only on Debian and its derivatives. So, in addition to POSIX sh, the script
# uses programs that they always have: GNU find, tar, coreutils, sed, awk. Long commands run in the background, because a
# shell runs traps only between foreground commands.
#
# The files that it writes to DIR:
#   changes.tar           new and changed files; present only if there is something to apply
#   deleted, deleted-directories   removed paths: absolute, NUL-terminated
#   turned, turned-directories     the removed paths that a new file of another type replaces (a directory by a file, say)
#   changes               the paths in changes.tar: relative to /, NUL-terminated
#   fingerprint           the package state before the installation, for sha256sum --check
#   bundle/               instead of all of the above, if a bundle is used: the bundle, its files except changes.tar, and
#                         `told`, for the runner's log
#   told                  why no bundle was used, for the runner's log; present only if one was offered
#   problem               what is missing and why, for the runner's log; present only if something is missing
set -uf
umask 022

. ./shared/say.sh

. ./shared/failed.sh

. ./shared/now.sh

. ./shared/took.sh

. ./shared/apt-mirror.sh

. ./shared/find-node.sh

. ./shared/download.sh

. ./shared/take-bundle.sh

job=
stop() {
  say "stopped by a signal while preparing packages"
  [ -z "$job" ] || kill "$job" 2> /dev/null
  exit "$1"
}
trap 'stop 143' TERM
trap 'stop 130' INT

# Appends a message to $problem.
problem=
add_problem() { problem="${problem:+$problem; }$1"; }

# Reports the problems and exits. Depending on onFailure, the job starts without the packages or does not start.
give_up() {
  {
    printf '%s\n' "$problem"
    [ ! -f "$work/log" ] || grep -E '^(E|Err|W|dpkg|tar)[: ]' "$work/log" | tail -n 20 | sed 's/^/  /'
  } > "$directory/problem"
  sed 's/^/arc-primer: /' "$directory/problem" >&2
  # The termination message, which kubectl describe shows.
  [ ! -w /dev/termination-log ] || tail -c 4000 "$directory/problem" > /dev/termination-log
  rm -rf "$work"
  if [ "$on_failure" = warn ]; then
    say "the job starts anyway, because onFailure is warn"
    exit 0
  fi
  say "exit 1: the runner is not started, because onFailure is fail"
  failed packages-not-installed "$problem"
  # Append apt's messages.
  [ ! -w /dev/termination-log ] || tail -n +2 "$directory/problem" | tail -c 3000 >> /dev/termination-log
  exit 1
}

proxy=
bundles=
sources=0
while [ "$1" != -- ]; do
  value=${1#*=}
  case $1 in
    directory=*)
      directory=$value
      work=$directory/work
      now
      begin=$now
      made=$(stat -c %Z "$directory")
      rm -rf "$work" "$directory/changes.tar" "$directory/bundle" "$directory/told" "$directory/problem"
      mkdir -p "$work/sources.list.d" "$work/keys"
      for file in script mirrors.sed log sources.list; do : > "$work/$file"; done
      ;;
    on-failure=*) on_failure=$value ;;
    timeout=*) deadline=$((begin + value * 100)) ;;
    size-limit=*) size_limit=$value ;;
    proxy=*) proxy=$value ;;
    mirror=*) from=$value ;;
    by=*) apt_mirror "$from" "$value" >> "$work/mirrors.sed" ;;
    key=*) printf '%s\n' "$value" > "$work/keys/$sources.asc" ;;
    source=*)
      printf '%s\n' "$value" > "$work/sources.list.d/arc-primer-$sources.sources"
      [ ! -f "$work/keys/$sources.asc" ] ||
        printf 'Signed-By: %s\n' "$work/keys/$sources.asc" >> "$work/sources.list.d/arc-primer-$sources.sources"
      sources=$((sources + 1))
      ;;
    script=*) printf '%s\n' "$value" > "$work/script" ;;
    bundle=*) bundles="$bundles $value" ;;
  esac
  shift
done
shift

# Runs a command with the remaining time as its timeout. Its output is streamed to the container's log and to $work/log.
bounded() {
  now
  if [ "$now" -ge "$deadline" ]; then
    say "timeout reached; not running: $1"
    return 124
  fi
  printed=$(wc -c < "$work/log")
  timeout --kill-after=5 "$(((deadline - now + 99) / 100))" "$@" >> "$work/log" 2>&1 &
  job=$!
  tail -c "+$((printed + 1))" -f -s 0.05 --pid="$job" "$work/log" >&2 &
  tail=$!
  wait "$job"
  status=$?
  job=
  wait "$tail"
  [ "$status" -ne 124 ] || say "timeout reached; stopped: $1"
  return "$status"
}

# The installed files live only as long as the pod, so dpkg does not have to sync every file to disk (force-unsafe-io).
apt_get() {
  DEBIAN_FRONTEND=noninteractive bounded apt-get -q -y \
    -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts="$work/sources.list.d" \
    ${proxy:+-o} ${proxy:+"Acquire::http::Proxy=$proxy"} \
    -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 -o Acquire::Retries=2 \
    -o APT::Cmd::Pattern-Only=true -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# Is NAME[:ARCHITECTURE][=VERSION] installed? A version may contain *, as in apt.
is_installed() {
  name=${1%%=*}
  case $1 in *=*) wanted=${1#*=} ;; *) wanted='*' ;; esac
  # For an unknown package dpkg-query prints an error, which is discarded: the package is not installed.
  for state in $(dpkg-query --show --showformat='${db:Status-Status}=${Version}\n' "${name%:any}" 2> /dev/null); do
    # shellcheck disable=SC2254 # a pattern on purpose
    case $state in installed=$wanted) return 0 ;; esac
  done
  [ "$wanted" = '*' ] && is_provided "${name%%:*}"
}

# Does an installed package provide this name? This is the case for renamed packages: Ubuntu's libcurl4 is libcurl4t64.
is_provided() {
  dpkg-query --show --showformat='${db:Status-Status},${Provides}\n' | sed -n 's/^installed,//p' | tr ',' '\n' |
    sed -e 's/^ *//' -e 's/[ :(].*//' | grep -qxF -- "$1"
}

# Is one of the given packages not installed?
lacks_one_of() {
  for package in "$@"; do is_installed "$package" || return 0; done
  return 1
}

# Sets $missing to the given packages that are not installed.
find_missing() {
  missing=
  for package in "$@"; do is_installed "$package" || missing="$missing $package"; done
  missing=${missing# }
}

# Writes a sorted, NUL-terminated list of all paths that packages could change to $1: TYPE MODE UID GID PATH. With $2, also
# writes the paths (except directories) whose inode changed after the file $2 to $3.
# Leaves out mounts, files that the kubelet writes, and files that live only as long as a container.
list() {
  list=$1 since=${2:-} changed=${3:-/dev/null}
  set -- -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./var/tmp \
    -o -path ./etc/hosts -o -path ./etc/resolv.conf -o -path ./etc/hostname -o -path ./.dockerenv \
    -o -path './var/lib/apt/lists/*' -o '(' -path './var/cache/*' ! -type d ')'
  while IFS= read -r path; do set -- "$@" -o -path "$path"; done < "$work/pruned"
  (cd / && find . -ignore_readdir_race -xdev '(' "$@" ')' -prune -o '(' -fprintf "$list.unsorted" '%y %m %U %G %p\0' \
    , ! -type d ${since:+-cnewer} ${since:+"$since"} -fprintf "$changed" '%p\0' ')') &&
    LC_ALL=C sort -z -o "$list" "$list.unsorted" && rm "$list.unsorted"
}

# Writes the mount points, which `list` leaves out, as patterns for find.
pruned() {
  while read -r _ _ _ _ path _; do printf '%b\n' "$path"; done < /proc/self/mountinfo |
    sed -e 's|/*$||' -e '/^$/d' -e 's/[][*?\\]/\\&/g' -e 's/^/./' > "$work/pruned"
}

# Copies the image's package sources to $work, with the mirrors instead of the original URLs. $work also has the sources
# from the settings. The image's own files are not changed.
copy_sources() {
  [ ! -f /etc/apt/sources.list ] || sed -f "$work/mirrors.sed" /etc/apt/sources.list > "$work/sources.list"
  [ -d /etc/apt/sources.list.d ] || return 0
  find /etc/apt/sources.list.d '(' -name '*.list' -o -name '*.sources' ')' '(' -type f -o -type l ')' > "$work/found"
  while IFS= read -r file; do
    sed -f "$work/mirrors.sed" "$file" > "$work/sources.list.d/${file##*/}"
  done < "$work/found"
}

# Prints the packages that are only partly installed, one per line.
half_installed() {
  dpkg-query --show --showformat='${db:Status-Status} ${binary:Package}\n' |
    sed -n -E '/^(installed|config-files|not-installed) /!p'
}

install() {
  # Slim images lack the directories for man pages, and some packages cannot be installed without them.
  for section in 1 2 3 4 5 6 7 8; do mkdir -p "/usr/share/man/man$section"; done
  # Services must not be started here. Exit code 101 of policy-rc.d forbids it.
  policy=
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
  fi
  if ! apt_get install --no-install-recommends --allow-downgrades -- "$@" && [ "$#" -gt 1 ]; then
    say "the packages cannot all be installed together; installing them one by one"
    for package in "$@"; do apt_get install --no-install-recommends --allow-downgrades -- "$package"; done
  fi
  [ -z "$policy" ] || rm -f "$policy"
}

# Runs the script of the profile with the interpreter in its first line, or with /bin/sh.
run_script() {
  say "running the profile's script"
  chmod 755 "$work/script"
  case $(head -c 2 "$work/script") in
    '#!') bounded "$work/script" ;;
    *) bounded /bin/sh "$work/script" ;;
  esac
  status=$?
  [ "$status" -eq 0 ] || add_problem "the profile's script failed with exit code $status"
}

strip() { sed -z 's/^[^ ]* [^ ]* [^ ]* [^ ]* //'; }             # the path of a line of `list`
keys() { sed -z 's/^\([^ ]*\) [^ ]* [^ ]* [^ ]* /\1 /'; }       # the type and the path

# Determines the added, removed and changed paths. A directory in which only the entries changed does not count as changed.
compare() {
  list "$work/after" "$work/begin" "$work/changed" || return
  comm -z -23 "$work/before" "$work/after" > "$work/gone"
  comm -z -13 "$work/before" "$work/after" > "$work/came"
  { cat "$work/changed" && strip < "$work/came"; } | sort -zu > "$directory/changes"
  keys < "$work/gone" | sort -z > "$work/gone.keys"
  keys < "$work/came" | sort -z > "$work/came.keys"
  comm -z -23 "$work/gone.keys" "$work/came.keys" > "$work/lost"
  turned "$work/lost" "$work/came.keys"
}

# Splits the removed paths in two: those that a new path of the same name but another type replaces, and the rest. For awk,
# newlines in names are temporarily replaced by another character.
turned() {
  for file in deleted deleted-directories turned turned-directories; do : > "$work/$file.lines"; done
  for keys in "$1" "$2"; do tr '\n\0' '\1\n' < "$keys" > "$keys.lines"; done
  awk -v out="$work/" 'FILENAME == ARGV[1] { came[substr($0, 3)]; next }
    FILENAME == ARGV[2] { if (substr($0, 3) in came) turned[substr($0, 3)]; gone[++n] = $0 }
    END {
      for (i = 1; i <= n; i++) {
        file = "deleted"
        for (path = substr(gone[i], 3); path != ""; sub(/\/?[^\/]*$/, "", path)) if (path in turned) file = "turned"
        print substr(gone[i], 4) > (out file (gone[i] ~ /^d/ ? "-directories" : "") ".lines")
      }
    }' "$2.lines" "$1.lines"
  for file in deleted turned; do
    tr '\1\n' '\n\0' < "$work/$file.lines" > "$directory/$file"
    sort -r "$work/$file-directories.lines" | tr '\1\n' '\n\0' > "$directory/$file-directories"
  done
}

# Creates the archive, or reports why there is none.
capture() {
  now
  from=$now
  LC_ALL=C
  export LC_ALL
  compare || { add_problem "the changed files could not be listed; nothing is copied to the runner container"; return; }
  if ! [ -s "$directory/changes" ] && ! [ -s "$work/lost" ]; then
    say "no files were changed"
    return
  fi
  # Each archive member takes whole blocks of 512 bytes, plus one block for its header and some for extended headers.
  size=$(cd / && xargs -0 -r stat --printf '%s\n' -- < "$directory/changes" |
    awk '{ size += 2560 + 512 * int(($1 + 511) / 512) } END { printf "%.0f", size }')
  if [ "$size" -gt "$size_limit" ]; then
    add_problem "the packages need about $size bytes, more than sizeLimit allows ($size_limit); nothing is copied to the runner container"
    return
  fi
  : > "$directory/changes.partial"
  chmod 600 "$directory/changes.partial" # some of the archived files may not be world-readable
  bounded tar --create --file="$directory/changes.partial" --directory=/ --numeric-owner \
    --xattrs --xattrs-include=security.capability --xattrs-include='user.*' --no-recursion --null --verbatim-files-from \
    --files-from="$directory/changes"
  status=$?
  if [ "$status" -gt 1 ]; then # 1: a file changed while it was read
    rm -f "$directory/changes.partial"
    add_problem "the changed files could not be archived (tar exited with $status; needed: $((size / 1024)) KiB; free: $(df -k --output=avail "$directory" | tail -n 1) KiB); nothing is copied to the runner container"
    return
  fi
  mv "$directory/changes.partial" "$directory/changes.tar"
  took "$from"
  say "captured $(tr -dc '\0' < "$directory/changes" | wc -c) entries, $((size / 1024)) KiB, in $took s"
}

if ! command -v apt-get > /dev/null || ! command -v dpkg-query > /dev/null; then
  add_problem "installing packages requires apt, which this image does not have${1:+; missing: $*}"
  give_up
fi
say "preparing packages, $(($(date +%s) - made)) s after their volume was created"
if ! lacks_one_of "$@" && ! [ -s "$work/script" ]; then
  took "$begin"
  say "all packages are already installed; checked in $took s"
  rm -rf "$work"
  exit 0
fi

if [ -n "$bundles" ]; then
  now
  # In addition to the installed files, a bundle contains lists of them. Half of the remaining time is reserved for apt.
  if take_bundle "$directory/bundle" "$((size_limit + size_limit / 20))" "$((now + (deadline - now) / 2))"; then
    rm -rf "$work"
    exit 0
  fi
  rm -rf "$directory/bundle"
  echo "the package bundle is not used: $obstacle" > "$directory/told"
  say "$(cat "$directory/told"); installing the packages with apt"
fi

find_missing "$@"
sha256sum /var/lib/dpkg/status > "$directory/fingerprint"
: > "$work/begin"
listed=yes
half_installed > "$work/half"
pruned
if [ -z "$missing" ]; then
  list "$work/before" || listed=no
else
  say "missing from this image: $missing"
  copy_sources
  list "$work/before" &
  listing=$!
  now
  from=$now
  apt_get update || say "apt-get update failed; continuing with the existing package lists"
  took "$from"
  update=$took
  wait "$listing" || listed=no
  now
  from=$now
  # shellcheck disable=SC2086 # split on purpose: package names contain no blanks
  install $missing
  took "$from"
  say "apt-get update took $update s, apt-get install $took s"
fi
find_missing "$@"
[ -z "$missing" ] || add_problem "these packages could not be installed: $missing"
half=$(half_installed | grep -vxF -f "$work/half" | tr '\n' ' ')
if [ -n "$half" ]; then
  add_problem "some packages are only partly installed (${half% }), so nothing is copied to the runner container"
  give_up
elif [ "$listed" = no ]; then
  add_problem "the image's files could not be listed, so nothing is copied to the runner container"
  give_up
fi
[ ! -s "$work/script" ] || run_script
if [ -s "$work/script" ] || ! sha256sum --check --status "$directory/fingerprint"; then capture; fi
took "$begin"
say "packages prepared in $took s"
[ -z "$problem" ] || give_up
rm -rf "$work"
