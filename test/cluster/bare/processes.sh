# shellcheck shell=bash
# Starts and stops the programs of the bare cluster in $RUN. Sourced by the other scripts.

# start NAME COMMAND... : runs it in a new session, so that Ctrl-C does not reach the cluster, and without the lock.
# Without nohup: containers would inherit that HUP is ignored, unlike on a node with systemd.
start() {
  local name=$1
  shift
  setsid "$@" > "logs/$name.log" 2>&1 < /dev/null 9>&- &
  echo $! > "$name.pid"
}

start_kubelet() {
  start kubelet "$KUBE_BIN/kubelet" --config=kubelet.yaml --kubeconfig=kubelet.kubeconfig --root-dir="$RUN/kubelet" \
    --cert-dir="$RUN/kubelet-pki" --hostname-override=node0 --node-ip="$GATEWAY"
}

end() { # NAME [SECONDS]: TERM, and KILL after a while
  local pid
  [ -f "$1.pid" ] || return 0
  pid=$(cat "$1.pid")
  rm -f "$1.pid"
  [ "/proc/$pid/cwd" -ef "$RUN" ] || return 0 # it has exited, and the PID may have been reused
  kill "$pid" 2> /dev/null
  for _ in $(seq "$((${2:-5} * 10))"); do
    kill -0 "$pid" 2> /dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$pid" 2> /dev/null
}
