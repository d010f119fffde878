# shellcheck shell=bash
# What a Docker on this machine and a node in it change outside of their own folders: noted before, undone after.
# systemd, the kubelet and dockerd write kernel parameters that no container has of its own. Sourced by docker.sh.

# Kernel parameters that can be read and written, a line each, but those that change by themselves.
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
  # Bridges of its networks are gone with these.
  grep -qx docker0 "$1/links" || [ ! -e /sys/class/net/docker0 ] || ip link del docker0
  cgroup_roots | while read -r hierarchy; do
    remove_cgroup "$hierarchy/$OURS"
  done
  # Twice: to write net/ipv4/ip_forward sets others.
  for _ in 1 2; do
    kernel_parameters | LC_ALL=C comm -13 - "$1/kernel-parameters" | while IFS=: read -r parameter value; do
      [ ! -e "$parameter" ] || echo "$value" > "$parameter" || say "could not write $value back to $parameter"
    done
  done
  sort -r "$1/absent" | while read -r path; do
    [ ! -d "$path" ] || rmdir --ignore-fail-on-non-empty "$path"
  done
}

remove_cgroup() { # the last process is gone a moment before its cgroup can go
  local said
  for _ in $(seq 50); do
    [ -d "$1" ] || return 0
    ! said=$(find "$1" -depth -type d -exec rmdir {} + 2>&1) || return 0
    sleep 0.1
  done
  say "could not remove the cgroup $1: $(tail -n 1 <<< "$said")"
}
