#!/bin/sh
# Waits until the Docker daemon responds, then executes the command after "--".
#
#   sh -c SCRIPT arc-primer-wait timeout=120 interval=0.05 exit-code=42 on-timeout=fail [externals=DIR] -- COMMAND [ARG...]
#
# Before waiting, it checks that DIR, where the runner's externals are mounted, is not empty.
#
# It runs as process 1 of the runner container. The image may have any /bin/sh, so it uses only POSIX sh. Process 1 ignores
# signals for which it has no trap, and a shell runs traps only between foreground commands. So the waiting is done in a
# child process, and this shell only waits for it. This shell sets only variables whose names begin with arc_primer_. All
# others are set in the child, so that they cannot change the command's environment variables of the same name.
set -u

. ./shared/say.sh

. ./shared/failed.sh

# Sets the variables that do not change during the wait, from the script's arguments and the container's environment.
prepare() {
  externals=
  while [ "$1" != -- ]; do
    case $1 in
      timeout=*) timeout=${1#*=} ;;
      interval=*) interval=${1#*=} ;;
      exit-code=*) exit_code=${1#*=} ;;
      on-timeout=*) on_timeout=${1#*=} ;;
      externals=*) externals=${1#*=} ;;
    esac
    shift
  done

  client=none
  ! command -v docker > /dev/null 2>&1 || client=docker
  find_context
  host=${DOCKER_HOST:-${context:+the context $context}}
  host=${host:-unix:///var/run/docker.sock}
  socket=
  case $host in unix://*) socket=${host#unix://} ;; esac

  if [ "$client" = docker ]; then
    create_output_file
  elif command -v curl > /dev/null 2>&1; then
    case $host in unix://* | tcp://* | http://* | https://*) client=curl ;; esac
  fi
}

# Sets $output to a file for the client's output, or to nothing if no file can be written. A pipe would stay open as long as
# background processes of a wrapper around docker hold it open.
create_output_file() {
  for output in "${TMPDIR:-/tmp}" /dev/shm "${HOME:-/}" ''; do
    [ -n "$output" ] || break
    output=$output/.arc-primer-wait.$$
    (set -C && : > "$output") 2> /dev/null && break
  done
}

# Sets $context to the Docker context in use. Empty if DOCKER_HOST is set or the default context is used.
find_context() {
  context=
  [ -z "${DOCKER_HOST:-}" ] && [ "$client" = docker ] || return 0
  context=${DOCKER_CONTEXT:-}
  config=${DOCKER_CONFIG:-${HOME:-}/.docker}/config.json
  if [ -z "$context" ] && [ -f "$config" ] && [ -r "$config" ]; then
    while IFS= read -r line || [ -n "$line" ]; do
      case $line in *'"currentContext"'*:*'"'*)
        context=${line#*'"currentContext"'*'"'}
        context=${context%%'"'*}
        ;;
      esac
    done < "$config"
  fi
  [ "$context" != default ] || context=
}

. ./shared/now.sh

. ./shared/took.sh

# Sleeps for one interval. Not every `sleep` supports fractions of a second.
pause() {
  sleep "$interval" 2> /dev/null && return
  say "sleep does not support fractions of a second in this image: checking once per second"
  interval=1
  sleep 1
}

# Kills a process and its descendants, as far as /proc lists them.
kill_tree() {
  read -r children 2> /dev/null < "/proc/$1/task/$1/children" || children=
  kill -KILL "$1"
  for child in $children; do (kill_tree "$child"); done
}

# Runs a command for at most $limit seconds. Returns 137 if it was killed. Not every image has timeout(1).
bounded() {
  "$@" &
  attempt=$!
  (
    nap=
    trap '[ -z "$nap" ] || kill "$nap"; exit' TERM
    sleep "$limit" &
    nap=$!
    wait "$nap"
    kill_tree "$attempt"
  ) > /dev/null 2>&1 & # otherwise the open pipe would block the caller's $(...)
  guard=$!
  { wait "$attempt"; } 2> /dev/null # suppresses the shell's "Killed" message
  status=$?
  kill "$guard" 2> /dev/null
  { wait "$guard"; } 2> /dev/null
  return "$status"
}

# Sends GET /_ping over the connection that DOCKER_HOST and the TLS variables describe, never through a proxy.
ping_with_curl() {
  set -- --silent --show-error --fail --noproxy '*'
  certificates=${DOCKER_CERT_PATH:-${HOME:-}/.docker}
  if [ -n "$socket" ]; then
    set -- "$@" --unix-socket "$socket" http://localhost/_ping
  elif [ -n "${DOCKER_TLS_VERIFY:-}" ]; then
    set -- "$@" --cacert "$certificates/ca.pem" "https://${host#*://}/_ping"
  elif [ -n "${DOCKER_TLS:-}" ]; then
    set -- "$@" --insecure "https://${host#*://}/_ping"
  else
    set -- "$@" "http://${host#*://}/_ping"
  fi
  if [ -n "${DOCKER_TLS_VERIFY:-}${DOCKER_TLS:-}" ] && [ -z "$socket" ]; then
    set -- --cert "$certificates/cert.pem" --key "$certificates/key.pem" "$@"
  fi
  bounded curl "$@"
}

# Queries the daemon once. Sets $answer to the client's output.
query() {
  case $client in
    docker)
      answer=
      set -- docker version --format '{{.Server.APIVersion}}'
      if [ -n "$output" ]; then bounded "$@" > "$output" 2>&1
      else answer=$(bounded "$@" 2>&1); fi
      status=$?
      read_answer
      ;;
    curl)
      answer=$(ping_with_curl 2>&1)
      status=$?
      ;;
  esac
  [ "$status" -ne 137 ] || answer="${answer:+$answer; }the daemon accepted the connection but did not respond within $limit s"
  return "$status"
}

# Sets $answer to the client's output without warnings. A warning about an unreadable file says nothing about the daemon.
read_answer() {
  lines=$answer
  answer=
  if [ -n "$output" ]; then
    while IFS= read -r line || [ -n "$line" ]; do lines=$lines$line$newline; done < "$output"
  fi
  while next_line; do
    case $line in WARNING:* | '') ;; *) answer=${answer:+$answer$newline}$line ;; esac
  done
}

# Moves the first line of $lines to $line.
next_line() {
  [ -n "$lines" ] || return 1
  line=${lines%%"$newline"*}
  lines=${lines#"$line"}
  lines=${lines#"$newline"}
}

# Is this user not allowed to open the socket? Final only after a second, because dockerd sets the socket's group shortly
# after it starts to listen.
denied() {
  if { [ -S "$socket" ] && [ ! -w "$socket" ]; } || { [ -d "${socket%/*}" ] && [ ! -x "${socket%/*}" ]; }; then
    [ -n "$denied_since" ] || denied_since=$waited
    [ $((waited - denied_since)) -ge 100 ]
  else
    denied_since=
    return 1
  fi
}

# Can only a running daemon have caused this error, so that waiting does not help? One matching line of the answer is enough.
is_final() {
  lines=$answer
  while next_line; do final_line && return 0; done
  return 1
}

# Not final: missing, incomplete or unreadable files, because a TLS daemon creates its certificates before it listens. Also
# not final: errors of a proxy (502, 503) or of ssh, which the client reports as a response from the daemon, too.
final_line() {
  case $host:$line in
    ssh:*'ermission denied'* | *'[ssh '*'ermission denied'* | *'(publickey'*) return 1 ;;
  esac
  case $line in
    *'ermission denied'*connect* | *connect*'ermission denied'* | \
      *'rror response from daemon: '*'authorization denied'* | *'rror response from daemon: '*'page not found'* | \
      *'rror response from daemon: '*'API version'* | *'rror response from daemon: '*'orbidden'* | \
      *'client version '*' is too '* | *'x509: certificate '* | *'failed to verify certificate'* | \
      *'remote error: tls'* | *'does not look like a TLS handshake'* | *'HTTP response to HTTPS client'* | \
      *'HTTP request to an HTTPS server'* | *'returned error: 400'* | *'SSL certificate problem'* | *'wrong version number'* | *'SSL'*' alert '*) ;;
    *'ermission denied'*) [ "$waited" -ge 3000 ] ;;
    *) return 1 ;;
  esac
}

# Checks once. Returns 0 if there is nothing left to wait for. Otherwise sets $answer to the reason to wait.
check() {
  if [ -n "$socket" ]; then
    if denied; then
      say "permission denied at $socket: the daemon is running, but this user cannot access it without sudo; starting the runner"
      return 0
    fi
    if [ -n "$denied_since" ]; then
      answer="permission denied at $socket"
      return 1
    elif [ ! -S "$socket" ]; then
      answer="the socket $socket does not exist"
      return 1
    fi
  fi
  if [ "$client" = none ]; then
    if [ -n "$socket" ]; then
      say "this image has neither docker nor curl, so only the existence of $socket was checked; starting the runner"
    else
      say "this image has no client that can check whether Docker is running at $host; starting the runner"
    fi
    return 0
  fi
  query && return 0
  is_final || return 1
  say "the daemon at $host rejects this client, and waiting does not help; starting the runner. The error:"
  printf '%s\n' "$answer" >&2
}

# Runs in the child. Exit status 0 starts the command; any other status is the container's exit code.
wait_for_docker() {
  newline='
'
  prepare "$@"
  now
  begin=$now
  waited=0
  reported=
  denied_since=
  limit=$((timeout < 10 ? timeout : 10))
  if [ -n "$externals" ] && ! has_files "$externals"; then
    give_up externals-missing "the runner's externals are missing: $externals is empty or does not exist, so jobs that use containers would fail; check that the API server, the node and the image support docker.externals: volume" || return
  fi
  until check; do
    now
    waited=$((now - begin))
    if [ "$waited" -ge $((timeout * 100)) ]; then
      join_lines
      give_up docker-timeout "Docker at $host did not respond within $timeout s; last error: $answer"
      return
    elif [ -z "$reported" ]; then
      say "waiting for Docker at $host, at most $timeout s"
      reported=$now
    elif [ $((now - reported)) -ge 500 ]; then
      say "still waiting for Docker after $((waited / 100)) s: $answer"
      reported=$now
    fi
    # The last attempts are limited to the remaining time, in whole seconds.
    left=$((timeout - waited / 100))
    limit=$((left < limit ? left : limit))
    pause
  done
  took "$begin"
  say "ready to start after $took s"
}

has_files() {
  set -- "$1"/*
  [ -e "$1" ]
}

# Reports the failure. Returns 0 if the runner starts anyway, otherwise the container's exit code.
give_up() { # CODE MESSAGE
  if [ "$on_timeout" = start ]; then
    say "$2"
    say "starting the runner anyway, because onTimeout is start"
    return 0
  fi
  say "exit $exit_code: the runner is not started, so that it does not take a job that would fail"
  failed "$1" "$2"
  return "$exit_code"
}

# Joins the lines of $answer.
join_lines() {
  lines=$answer
  answer=
  while next_line; do answer=${answer:+$answer; }$line; done
}

. ./shared/become.sh

arc_primer_wait=
stop() {
  [ -z "$arc_primer_wait" ] || kill "$arc_primer_wait" 2> /dev/null
  say "stopped by a signal while waiting for Docker"
  exit "$1"
}
trap 'stop 143' TERM
trap 'stop 130' INT

(
  output=
  trap '[ -z "$output" ] || rm -f "$output" 2> /dev/null' EXIT
  wait_for_docker "$@"
) &
arc_primer_wait=$!
wait "$arc_primer_wait" || exit "$?"
while [ "$1" != -- ]; do shift; done
shift
become "$@"
