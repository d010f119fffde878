#!/bin/sh
# Puts the logins of a mounted Secret into the runner's Docker config, then becomes the command after "--".
#
#   sh -c SCRIPT arc-primer-docker-credentials file=FILE secret=NAME -- COMMAND [ARG...]
#
# The config is a file of the runner's own, so that `docker login` can go on writing to it. A config that is there is
# added to: what it says of a registry stays. Nothing of either file may reach the log: jq and node quote what they
# cannot read, so what they say is thrown away. Whatever goes wrong, the command is started.
set -u

say() { printf 'arc-primer: %s\n' "$*" >&2; }

# Says why this container ends badly, by a code that docs/operations/troubleshooting.md explains; kubectl describe shows it.
failed() { # CODE MESSAGE
  say "failed: $1: $2"
  [ ! -w /dev/termination-log ] || printf 'arc-primer: failed: %s: %s\n' "$1" "$2" > /dev/termination-log
}

# Prints a node that runs. The runner brings its own, for actions; one of them is for Alpine.
find_node() {
  for node in node "${HOME:-}"/externals/node*/bin/node /home/runner/externals/node*/bin/node; do
    "$node" --version > /dev/null 2>&1 && echo "$node" && return
  done
}

# Prints the config with the logins of the Secret that it has none for.
merge() {
  if command -v jq > /dev/null; then
    jq --slurp '.[0] as $secret | .[1] | .auths = (($secret.auths // {}) + (.auths // {}))' "$file" "$config"
  else
    # shellcheck disable=SC2016 # that is JavaScript
    "$(find_node)" -e 'const [secret, own] = process.argv.slice(1).map((file) => JSON.parse(require("fs").readFileSync(file, "utf8")));
      console.log(JSON.stringify({ ...own, auths: { ...secret.auths, ...own.auths } }, null, "\t"));' "$file" "$config"
  fi 2> /dev/null
}

# Writes the config anew: whole or not at all, and for its owner alone.
put() (
  umask 077
  new=$config.arc-primer
  "$@" > "$new" && mv -f "$new" "$config" && return
  rm -f "$new"
  return 1
)

# In a shell of its own: the command would see variables of its own, set here by the same name, changed.
log_in() (
  while [ "$1" != -- ]; do
    case $1 in
      file=*) file=${1#*=} ;;
      secret=*) secret=${1#*=} ;;
    esac
    shift
  done
  folder=${DOCKER_CONFIG:-${HOME:+$HOME/.docker}}
  config=$folder/config.json
  # A link stays one: what it leads to is written.
  [ ! -L "$config" ] || config=$(readlink -f "$config") || config=$folder/config.json
  if [ ! -f "$file" ]; then
    say "there is no Secret $secret of type kubernetes.io/dockerconfigjson in this namespace: starting without its logins"
  elif [ ! -r "$file" ]; then
    say "$file cannot be read by this user: starting without the logins of the Secret $secret"
  elif [ -z "$folder" ]; then
    say "neither DOCKER_CONFIG nor HOME is set: starting without the logins of the Secret $secret"
  elif ! (umask 077 && mkdir -p "$folder"); then
    say "$folder cannot be made: starting without the logins of the Secret $secret"
  elif [ -e "$config" ] && [ ! -f "$config" ]; then
    say "$config is no file and stays as it is: starting without the logins of the Secret $secret"
  elif [ ! -s "$config" ]; then
    if put cat "$file"; then say "$config has the logins of the Secret $secret"
    else say "$config cannot be written: starting without the logins of the Secret $secret"; fi
  elif ! command -v jq > /dev/null && [ -z "$(find_node)" ]; then
    say "$config stays as it is: this image has neither jq nor node to add the logins of the Secret $secret to it"
  elif ! put merge; then
    say "$config stays as it is: the logins of the Secret $secret cannot be added to it; is it JSON, and may it be replaced?"
  else
    say "the logins of the Secret $secret were added to $config"
    ! grep -q '"credsStore"' "$config" || say "$config names a credsStore, and Docker looks for logins nowhere else"
  fi
)

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

# Process 1 ignores signals without a trap, and a shell runs a trap only between foreground commands or while it waits.
arc_primer_child=
stop() {
  [ -z "$arc_primer_child" ] || kill -KILL "$arc_primer_child" 2> /dev/null
  exit "$1"
}
trap 'stop 143' TERM
trap 'stop 130' INT

limited 20 log_in "$@"
[ $? -ne 137 ] || say "what adds the logins did not end within 20 s: starting without waiting for it"
while [ "$1" != -- ]; do shift; done
shift
trap - TERM INT
become "$@"
