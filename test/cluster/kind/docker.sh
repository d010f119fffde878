#!/usr/bin/env bash
# Runs a separate Docker for the cluster tests, on a machine without Docker: dockerd on the machine itself, as root. Images
# and layers stay in the cache. `stop` removes everything else and reverts its changes to the machine.
# usage: docker.sh start|stop
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
. "$here/host.sh"
PATH=$DOCKER_BIN:$BIN:$PATH:/usr/sbin:/sbin
log=$DOCKER_RUN/dockerd.log

# Lists its processes: dockerd, its containerd and their shims run our programs and have the directory in their arguments.
running() {
  local process
  grep -lsF -f <(echo "$DOCKER_RUN/") /proc/[0-9]*/cmdline | cut -d/ -f3 | while read -r process; do
    case $(readlink "/proc/$process/exe") in "$BIN"/*) echo "$process" ;; esac
  done || true
}

start() {
  mkdir "$DOCKER_RUN"
  trap '[ $? -eq 0 ] || stop' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mkdir -p "$DOCKER_DATA" "$DOCKER_RUN"/{home,tmp,config/cli-plugins}
  cp "$DOCKER_BIN/docker-buildx" "$DOCKER_RUN/config/cli-plugins/"
  echo '{}' > "$DOCKER_RUN/daemon.json" # otherwise it reads /etc/docker/daemon.json
  note_host "$DOCKER_RUN"
  # With nftables, all its rules are in separate tables. We enable forwarding ourselves: for IPv6, this could remove the
  # machine's own routes.
  echo 1 > /proc/sys/net/ipv4/ip_forward
  # It runs in a separate mount namespace, which ends with its last process. It runs in a new session because of Ctrl-C, and
  # without the lock.
  HOME=$DOCKER_RUN/home TMPDIR=$DOCKER_RUN/tmp setsid unshare --mount --propagation slave \
    dockerd --config-file="$DOCKER_RUN/daemon.json" --data-root="$DOCKER_DATA" --exec-root="$DOCKER_RUN/exec" \
    --pidfile="$DOCKER_RUN/dockerd.pid" --host="unix://$DOCKER_RUN/docker.sock" --firewall-backend=nftables --ip-forward=false \
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent="/$OURS" > "$log" 2>&1 < /dev/null 9>&- &
  use_own_docker
  for _ in $(seq 300); do
    ! docker version > /dev/null 2>&1 || return 0
    kill -0 $! 2> /dev/null || break
    sleep 0.1
  done
  say "dockerd did not start; the last lines of its log:"
  tail -n 5 "$log" >&2
  exit 1
}

stop() {
  trap '' INT TERM HUP
  [ -d "$DOCKER_RUN" ] || return 0
  local process
  if docker version > /dev/null 2>&1; then
    docker container ls --all --quiet | xargs -r docker container rm --force --volumes > /dev/null
    docker network prune --force > /dev/null
    docker volume prune --all --force > /dev/null
  fi
  # Stop dockerd first, which stops its containerd. After 20 s, kill the remaining processes and wait for up to 5 s.
  if [ -f "$DOCKER_RUN/dockerd.pid" ] && running | grep -qx "$(cat "$DOCKER_RUN/dockerd.pid")"; then
    kill "$(cat "$DOCKER_RUN/dockerd.pid")"
  fi
  for try in $(seq 250); do
    [ -n "$(running)" ] || break
    [ "$try" -lt 200 ] || for process in $(running); do kill -KILL "$process" 2> /dev/null || true; done
    sleep 0.1
  done
  undo_host "$DOCKER_RUN"
  rm -rf "$DOCKER_RUN"
}

case ${1:-} in
  start | stop) "$1" ;;
  *) sed -n '4s/^# *//p' "$0" >&2; exit 2 ;;
esac
