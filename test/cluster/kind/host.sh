# shellcheck shell=bash
# Records the state of the machine before Docker and a node run on it, and restores it afterwards. systemd, the kubelet and
# dockerd change kernel parameters that are not namespaced. Sourced by docker.sh.

# Lists the readable and writable kernel parameters, one per line, except those that change by themselves.
kernel_parameters() {
  find /proc/sys -type f -perm -u+rw ! -name ns_last_pid ! -path '*/binfmt_misc/*' -exec grep -Hs . {} + | LC_ALL=C sort || true # some cannot be read
}

cgroup_roots() { awk '$3 ~ /^cgroup2?$/ && $2 ~ "^/sys/fs/cgroup" { print $2 }' /proc/mounts; }

note_host() { # FOLDER
  local path
  kernel_parameters > "$1/kernel-parameters"
  find /sys/class/net -mindepth 1 -printf '%f\n' > "$1/links"
  for path in /lib/modules /etc/docker /opt/containerd /opt/containerd/bin /opt/containerd/lib /run/containerd \
    /run/containerd/s /run/docker /run/docker/plugins /run/nri /run/runc /var/lib/docker /var/run/docker; do
    [ -e "$path" ] || echo "$path"
  done > "$1/absent"
  nft list tables > "$1/tables" # needs root, as all of this does
  touch "$1/noted"
}

undo_host() { # FOLDER
  [ -f "$1/noted" ] || return 0
  local parameter value hierarchy table path
  nft list tables | grep docker-bridges | grep -vxFf "$1/tables" | while read -r table; do
    # shellcheck disable=SC2086 # "table FAMILY NAME" is three words
    nft delete $table
  done
  # This also removes the bridges of its networks.
  grep -qx docker0 "$1/links" || [ ! -e /sys/class/net/docker0 ] || ip link del docker0
  cgroup_roots | while read -r hierarchy; do
    remove_cgroup "$hierarchy/$OURS"
  done
  # Done twice, because writing net/ipv4/ip_forward resets other parameters.
  for _ in 1 2; do
    kernel_parameters | LC_ALL=C comm -13 - "$1/kernel-parameters" | while IFS=: read -r parameter value; do
      [ ! -e "$parameter" ] || echo "$value" > "$parameter" || say "could not write $value back to $parameter"
    done
  done
  sort -r "$1/absent" | while read -r path; do
    [ ! -d "$path" ] || rmdir --ignore-fail-on-non-empty "$path"
  done
}

remove_cgroup() { # a cgroup can be removed only a moment after its last process has exited
  local said
  for _ in $(seq 50); do
    [ -d "$1" ] || return 0
    ! said=$(find "$1" -depth -type d -exec rmdir {} + 2>&1) || return 0
    sleep 0.1
  done
  say "could not remove the cgroup $1: $(tail -n 1 <<< "$said")"
}
