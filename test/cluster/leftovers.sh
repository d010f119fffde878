#!/usr/bin/env bash
# Finds leftovers of a cluster test run on the machine.
# usage: leftovers.sh note FILE        before a run: records the state of the machine
#        leftovers.sh compare FILE     after a run: prints what was added (+) or removed (-), and fails if there is anything
here=$(cd "$(dirname "$0")" && pwd)
set -euo pipefail
. "$here/common.sh"
PATH=$PATH:/usr/sbin

# Processes of the tests are recognized by the path of the cache directory or by the name of the bridge. Other processes are ignored.
processes() {
  local process
  for process in /proc/[0-9]*; do
    [ "${process#/proc/}" != $$ ] || continue
    if { tr '\0' ' ' < "$process/cmdline"; cat "$process/cgroup"; readlink "$process/cwd"; } 2> /dev/null |
      grep -qF -e "$CACHE/" -e /arcprimer; then
      echo "process ${process#/proc/} $({ tr '\0' ' ' < "$process/cmdline"; } 2> /dev/null | cut -c 1-120)"
    fi
  done
}

# Cgroups except our siblings: the program that started us creates a cgroup per command and removes it afterwards.
cgroups() {
  local own found
  found=$(find /sys/fs/cgroup -type d)
  while IFS=: read -r _ _ own; do
    case $own in /*/*) found=$(grep -vF "${own%/*}/" <<< "$found" || true) ;; esac
  done < /proc/self/cgroup
  echo "$found"
}

state() {
  processes
  awk '{ print "mount " $2 }' /proc/self/mounts
  find /sys/class/net -mindepth 1 -printf "link %f\n"
  cgroups | sed 's/^/cgroup /'
  find /proc/sys -type f -perm -u+rw ! -name '*lowmem_reserve*' ! -name ns_last_pid ! -path '*/binfmt_misc/*' \
    -exec grep -H . {} + 2> /dev/null | sed 's/^/sysctl /' || true
  # An empty table or chain with one of the kernel's names has no effect.
  if command -v iptables-save > /dev/null; then iptables-save | sed -n '/^-A\|^:[^ ]* \(-\|DROP\)/s/^/rule /p' | sed 's/ \[.*//'; fi
  if command -v nft > /dev/null; then nft list tables | sed -n '/docker/s/^/rule /p'; fi
  for folder in "$CACHE"/{run,kind,docker-run} /lib/modules; do
    if [ -d "$folder" ]; then echo "file $folder"; fi
  done
  find /etc /opt /run /usr/libexec /var/lib /var/log -xdev -path "$CACHE" -prune -o -print 2> /dev/null |
    sed 's/^/file /' || true
  # A run keeps its temporary files in one directory (run.sh); other names belong to other programs.
  find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'arc-primer-cluster-*' | sed 's/^/file /'
}

case ${1:-} in
  note) state | LC_ALL=C sort > "$2" ;;
  compare)
    found=$(state | LC_ALL=C sort | LC_ALL=C comm -3 "$2" - | sed -e 's/^\t/+ /' -e t -e 's/^/- /')
    [ -n "$found" ] || exit 0
    echo "left over by the cluster tests:" >&2
    echo "$found" >&2
    exit 1
    ;;
  *) sed -n '3,4s/^# *//p' "$0" >&2; exit 2 ;;
esac
