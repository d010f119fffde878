#!/bin/sh
# Does what the entry point of docker:dind does: the default hosts where no host was chosen, TLS certificates, the kind of
# iptables, docker-init as the first process, and for a user other than root, in docker:dind-rootless, rootlesskit.
set -eu

# key FILE: a private key, unless it is there
key() { [ -s "$1" ] || openssl genrsa -out "$1" 4096; }

# signed NAME EXTENSION: a certificate of our CA, made anew at each start, since names and addresses change
signed() {
  mkdir -p "$1"
  key "$1/key.pem"
  openssl req -new -key "$1/key.pem" -out "$1/csr.pem" -subj "/CN=docker:dind $1"
  echo "$2" > "$1/openssl.cnf"
  openssl x509 -req -in "$1/csr.pem" -CA ca/cert.pem -CAkey ca/key.pem -CAcreateserial -days 825 \
    -out "$1/cert.pem" -extfile "$1/openssl.cnf"
  cp ca/cert.pem "$1/ca.pem"
}

names() {
  ip -oneline address | awk '{ sub("/.*", "", $4); print "IP:" $4 }'
  for name in "$(hostname)" docker localhost; do echo "DNS:$name"; done
  [ -z "${DOCKER_TLS_SAN:-}" ] || echo "$DOCKER_TLS_SAN"
}

# A CA certificate without its key is somebody else's, who brings the other certificates as well.
certificates() (
  mkdir -p "$1"
  cd "$1"
  if [ -s ca/cert.pem ] && [ ! -s ca/key.pem ]; then return; fi
  mkdir -p ca
  key ca/key.pem
  openssl req -new -x509 -key ca/key.pem -out ca/cert.pem -subj "/CN=docker:dind CA" -days 825
  signed server "subjectAltName = $(names | sort -u | paste -sd ,)"
  signed client "extendedKeyUsage = clientAuth"
  chmod 644 client/key.pem # the clients are other users
)

case ${1:-} in
  "" | -*)
    case ${DOCKER_HOST:-} in
      unix://*) socket=$DOCKER_HOST ;;
      *) if [ "$(id -u)" = 0 ]; then socket=unix:///var/run/docker.sock; else socket=unix:///run/user/$(id -u)/docker.sock; fi ;;
    esac
    if [ -n "${DOCKER_TLS_CERTDIR:-}" ]; then
      certificates "$DOCKER_TLS_CERTDIR"
      set -- --host=tcp://0.0.0.0:2376 --tlsverify --tlscacert "$DOCKER_TLS_CERTDIR/server/ca.pem" \
        --tlscert "$DOCKER_TLS_CERTDIR/server/cert.pem" --tlskey "$DOCKER_TLS_CERTDIR/server/key.pem" "$@"
    else
      set -- --host=tcp://0.0.0.0:2375 "$@"
    fi
    set -- dockerd --host="$socket" "$@"
    ;;
esac

if [ "$1" != dockerd ]; then # some other command, for which the client has to find the daemon
  if [ -z "${DOCKER_HOST:-}" ] && [ ! -S /var/run/docker.sock ]; then
    export DOCKER_HOST=tcp://docker:2375
    if [ -s "${DOCKER_TLS_CERTDIR:-}/client/cert.pem" ]; then
      export DOCKER_HOST=tcp://docker:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="$DOCKER_TLS_CERTDIR/client"
    fi
  fi
  exec "$@"
fi

find /run /var/run -iname 'docker*.pid' -delete || true # of a dockerd that was killed

legacy=${DOCKER_IPTABLES_LEGACY-unset}
if [ "$legacy" = unset ]; then
  legacy=
  # Where there are rules of the older kind, those of the newer kind would not be seen beside them.
  if cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2> /dev/null | grep -q .; then legacy=1
  elif ! iptables -nL > /dev/null 2>&1; then legacy=1; fi
fi
[ -z "$legacy" ] || export PATH="/usr/local/sbin/.iptables-legacy:$PATH"
iptables --version

if [ "$(id -u)" != 0 ]; then
  export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
  mkdir -p "$XDG_RUNTIME_DIR" "$HOME/.local/share/docker"
  # shellcheck disable=SC2086 # the flags are words
  exec rootlesskit --net="${DOCKERD_ROOTLESS_ROOTLESSKIT_NET:-slirp4netns}" \
    --mtu="${DOCKERD_ROOTLESS_ROOTLESSKIT_MTU:-1500}" --disable-host-loopback --port-driver=builtin --copy-up=/etc \
    --copy-up=/run ${DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS:-} docker-init -- "$@"
fi

# On cgroups of version 2 a group either has processes or hands controllers down: the processes move to a group below.
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir -p /sys/fs/cgroup/init
  while read -r process; do
    echo "$process" > /sys/fs/cgroup/init/cgroup.procs || true # it may have ended
  done < /sys/fs/cgroup/cgroup.procs
  read -r controllers < /sys/fs/cgroup/cgroup.controllers
  for controller in $controllers; do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control; done
fi
mountpoint -q /tmp || mount -t tmpfs none /tmp
mount --make-rshared / # so that what a job mounts is seen in its containers

exec docker-init -- "$@"
