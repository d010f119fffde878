#!/bin/sh
# Copies files to the places where the job's programs look for them, then executes the command after "--".
#
#   sh -c SCRIPT arc-primer-files [STEP...] -- COMMAND [ARG...]
#
#   home DIR            logs a warning if HOME is not the directory that the files are meant for
#   copy FROM TO        copies a file, unless TO exists; missing directories are created and belong to this user
#   copy-ca FROM TO     the same for certificates; if FROM is missing, TO is created empty, for programs that require it
#   trust FROM          makes this container trust the certificates: NODE_EXTRA_CA_CERTS and the system's trust store
#   trust-in-node FROM  the same without the system's trust store, for when it is on a volume or read-only
#
# No failure stops the job: it is logged, and the script continues. POSIX sh only, because the image may have any /bin/sh.
# Functions that set variables run in subshells (round brackets), so that they cannot change the command's environment
# variables of the same name.
set -u

. ./shared/say.sh

. ./shared/failed.sh

# place FROM TO: copies to a temporary name and renames it, so that no program sees an incomplete file.
place() {
  if [ -e "$2" ] || [ -L "$2" ]; then
    say "$2 already exists and is not changed"
    return 0
  fi
  case $2 in */*) mkdir -p "${2%/*}" || return 1 ;; esac
  if cp "$1" "$2.arc-primer" && mv "$2.arc-primer" "$2"; then return 0; fi
  rm -f "$2.arc-primer"
  return 1
}

copy() {
  if [ ! -r "$1" ]; then
    say "$1 is missing, so $2 was not created: check that the ConfigMap or Secret with this file exists in this namespace"
    return
  fi
  place "$1" "$2" || say "$2 could not be written; continuing without it"
}

copy_ca() {
  if [ -r "$1" ]; then
    copy "$1" "$2"
    return
  fi
  say "$1 is missing, so private certificates are not trusted: check that the ConfigMap or Secret with them exists in this namespace"
  place /dev/null "$2" || say "$2 could not be written; continuing without it"
}

# Concatenates two files into a new file and prints its name.
join_files() (
  both=$(mktemp) && { cat "$1" && echo && cat "$2"; } > "$both" && chmod 644 "$both" && echo "$both"
)

# NODE_EXTRA_CA_CERTS takes only one file. If it is already set, both files are concatenated into a new one.
trust_in_node() {
  if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] || [ ! -f "$NODE_EXTRA_CA_CERTS" ] || [ ! -r "$NODE_EXTRA_CA_CERTS" ]; then
    [ -z "${NODE_EXTRA_CA_CERTS:-}" ] || say "NODE_EXTRA_CA_CERTS was set to $NODE_EXTRA_CA_CERTS, which cannot be read; it is replaced"
    export NODE_EXTRA_CA_CERTS="$1"
    return
  fi
  [ "$NODE_EXTRA_CA_CERTS" != "$1" ] || return 0
  set -- "$(join_files "$NODE_EXTRA_CA_CERTS" "$1")"
  if [ -n "$1" ]; then
    export NODE_EXTRA_CA_CERTS="$1"
  else
    say "the certificates could not be added to NODE_EXTRA_CA_CERTS; it is still $NODE_EXTRA_CA_CERTS"
  fi
}

# update-ca-certificates expects one certificate per file.
split() ( # FROM DIR
  number=0
  file=
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in *-----BEGIN*CERTIFICATE-----*)
      number=$((number + 1))
      file=$2/arc-primer-$number.crt
      ;;
    esac
    [ -z "$file" ] || printf '%s\n' "$line" >> "$file" || return 1
    case $line in *-----END*CERTIFICATE-----*) file= ;; esac
  done < "$1"
  [ "$number" -gt 0 ]
)

trust_in_system() (
  store=/usr/local/share/ca-certificates
  sudo=
  output=
  if ! command -v update-ca-certificates > /dev/null 2>&1; then
    say "the system's trust store was not changed: this image has no update-ca-certificates"
    return
  elif [ "$(id -u)" -ne 0 ]; then
    sudo='sudo -n'
    if ! sudo -n true 2> /dev/null; then
      say "the system's trust store was not changed: this user is not root and has no passwordless sudo"
      return
    fi
  fi
  # $sudo is unquoted on purpose, so that it is split.
  if parts=$(mktemp -d) && split "$1" "$parts" && $sudo mkdir -p "$store" && $sudo cp "$parts"/*.crt "$store/" \
    && output=$($sudo update-ca-certificates 2>&1); then :; else
    say "the certificates could not be added to the system's trust store; continuing without them. $output"
  fi
  rm -rf "$parts"
)

. ./shared/limited.sh

. ./shared/stop.sh

. ./shared/become.sh

while [ "$1" != -- ]; do
  case $1 in
    home)
      [ "${HOME:-}" = "$2" ] || say "HOME is ${HOME:-not set}, but arc-primer copies files to $2: set runner.home in the profile"
      shift 2
      ;;
    copy) copy "$2" "$3"; shift 3 ;;
    copy-ca) copy_ca "$2" "$3"; shift 3 ;;
    trust | trust-in-node)
      if [ -r "$2" ]; then
        trust_in_node "$2"
        if [ "$1" = trust ]; then
          limited 60 trust_in_system "$2"
          [ $? -ne 137 ] || say "adding the certificates to the system's trust store took longer than 60 s: continuing without them"
        fi
      else
        say "$2 is missing, so private certificates are not trusted: check that the ConfigMap or Secret with them exists in this namespace"
      fi
      shift 2
      ;;
    *) say "unknown step: $1"; shift ;;
  esac
done
shift
trap - TERM INT
become "$@"
