#!/usr/bin/env bash
# A Docker of the cluster tests' own, for a machine that has none: dockerd on the machine itself, as root. Its images
# and layers stay in the cache; all else is gone after `stop`, and what it changed on the machine is as it was.
# usage: docker.sh start|stop
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
. "$here/host.sh"
PATH=$DOCKER_BIN:$BIN:$PATH:/usr/sbin:/sbin
log=$DOCKER_RUN/dockerd.log

# What runs of it: dockerd, its containerd and their shims are ours, and name the folder in their arguments.
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
  echo '{}' > "$DOCKER_RUN/daemon.json" # else it looks into /etc/docker
  note_host "$DOCKER_RUN"
  # With rules of nftables, all that it adds is in tables of its own. Forwarding is left to us; by IPv6, it could cost the
  # machine its own routes.
  echo 1 > /proc/sys/net/ipv4/ip_forward
  # Its mounts are seen by nobody else, and go with its last process. It has a session of its own, for Ctrl-C's sake, and
  # not the lock.
  HOME=$DOCKER_RUN/home TMPDIR=$DOCKER_RUN/tmp setsid nohup unshare --mount --propagation slave \
    dockerd --config-file="$DOCKER_RUN/daemon.json" --data-root="$DOCKER_DATA" --exec-root="$DOCKER_RUN/exec" \
    --pidfile="$DOCKER_RUN/dockerd.pid" --host="unix://$DOCKER_RUN/docker.sock" --firewall-backend=nftables --ip-forward=false \
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent="/$OURS" > "$log" 2>&1 < /dev/null 9>&- &
  use_own_docker
  for _ in $(seq 300); do
    ! docker version > /dev/null 2>&1 || return 0
    kill -0 $! 2> /dev/null || break
    sleep 0.1
  done
  say "dockerd did not come up; the end of its log:"
  tail -n 5 "$log" >&2
  exit 1
}

stop() {
  trap '' INT TERM HUP
  [ -d "$DOCKER_RUN" ] || return 0
  local process
  if docker version > /dev/null 2>&1; then
    # shellcheck disable=SC2046 # they are words
    docker container ls --all --quiet | xargs -r docker container rm --force --volumes > /dev/null
    docker network prune --force > /dev/null
    docker volume prune --all --force > /dev/null
  fi
  # First dockerd, which ends its containerd; after 20 s whatever is left, and that is tried for 5 s.
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
