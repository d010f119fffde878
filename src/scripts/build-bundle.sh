#!/bin/sh
# Builds a package bundle: an archive of the files that install-packages.sh installs in a runner image. Other containers with
# the same image use it instead of apt. This script runs as root and as process 1, in a container with that image.
#
#   sh -c SCRIPT arc-primer-build-bundle handover=DIR
#
# It waits until DIR/plan/build contains a number that is not in DIR/done, builds the bundle, writes the result to DIR/done,
# and exits. The kubelet then restarts the container with the image's original files. `arc-primer bundle-server` writes the
# plan and reads the result:
#   plan/script           the text of install-packages.sh
#   plan/settings         its arguments except directory=, NUL-terminated
#   plan/build            the number of the build
#   done/bundle.tar       the bundle; write_bundle shows its contents
#   done/build            the number, if the bundle is complete
#   done/failed           the number, if the build failed, and the reason in the next lines
set -uf
umask 022

. ./shared/say.sh

. ./shared/stop.sh

handover=${1#handover=}
plan=$handover/plan
done=$handover/done
build=$handover/build
number=

# Does the plan have a number that has neither been built nor failed?
is_planned() {
  [ -e "$plan/build" ] || return
  read -r number < "$plan/build" || return
  for file in "$done/build" "$done/failed"; do
    if [ -e "$file" ] && read -r last < "$file" && [ "$last" = "$number" ]; then return 1; fi
  done
}

# Runs a long command in the background, so that a signal ends this script immediately.
run() {
  "$@" &
  arc_primer_child=$!
  wait "$arc_primer_child"
}

# Writes stdin to a file in DIR/done. The file appears only when it is complete.
publish() { # NAME
  cat > "$done/$1.partial" && mv "$done/$1.partial" "$done/$1"
}

no_bundle() { # REASON
  say "no bundle: $1"
  printf '%s\n%s\n' "$number" "$1" | publish failed
  rm -rf "$build"
  exit 0
}

# Records the state of all files of the image, because it is not yet known which of them will change: pairs of a path and its
# state, and the SHA-256 of each regular file.
record_image() {
  cd / || return
  find . -xdev -ignore_readdir_race -print0 | xargs -0 stat --printf '%n\0%f %u:%g %N\0' -- > "$build/states" &&
    find . -xdev -ignore_readdir_race -type f -print0 | xargs -0 sha256sum -z -- > "$build/sums"
}

# Prints the installed packages, one per line: the name and the version.
list_packages() {
  dpkg-query --show --showformat='${db:Status-Status} ${Package} ${Version}\n' | sed -n 's/^installed //p' |
    LC_ALL=C sort -u
}

install() {
  xargs -0 -x -n 10000 -s 1900000 sh "$plan/script" "directory=$build/out" < "$plan/settings"
}

# Writes three lists: the paths that the bundle changes (touched), the files that it replaces (replaced), and what image_state
# (take-bundle.sh) would have printed about them before the installation (before). For awk, newlines in names are temporarily
# replaced by another character.
write_lists() {
  for list in changes deleted deleted-directories turned turned-directories; do : >> "$build/out/$list"; done
  cd "$build/out" || return
  { printf './var/lib/dpkg/status\0' && cat changes deleted deleted-directories turned turned-directories; } |
    sed -z 's,^/,./,' | LC_ALL=C sort -zu > touched || return
  cd "$build" || return
  for file in states sums out/touched; do tr '\n\0' '\1\n' < "$file" > "$file.lines"; done
  : > replaced.lines
  LC_ALL=C awk 'FILENAME == ARGV[1] { if (FNR % 2) path = $0; else state[path] = $0; next }
    FILENAME == ARGV[2] { sum[substr($0, 67)] = $0; next }
    $0 in state { print state[$0] }
    $0 in sum { print > "replaced.lines"; sums[++n] = sum[$0] }
    END { for (i = 1; i <= n; i++) print sums[i] }' states.lines sums.lines out/touched.lines > before.lines || return
  for list in replaced before; do tr '\1\n' '\n\0' < "$list.lines" > "out/$list"; done
}

# Writes the bundle: an archive with small files, which pods check first, and changes.tar.
write_bundle() {
  [ -e "$build/out/changes.tar" ] || tar --create --file="$build/out/changes.tar" --files-from=/dev/null
  list_packages | LC_ALL=C comm -13 "$build/packages" - > "$build/out/packages"
  printf 'format=1\nbuilt=%s\narchitecture=%s\n' "$(date +%s)" "$(dpkg --print-architecture)" > "$build/out/bundle"
  tar --create --file="$done/bundle.tar" --directory="$build/out" --format=gnu --owner=0 --group=0 --numeric-owner \
    bundle packages fingerprint touched replaced before \
    deleted deleted-directories turned turned-directories changes.tar
}

until is_planned; do run sleep 1; done
say "building the bundle $number"
rm -rf "$build"
mkdir -p "$build/out"
if ! command -v apt-get > /dev/null || ! command -v dpkg-query > /dev/null; then
  no_bundle "installing packages requires apt, which this image does not have"
fi
list_packages > "$build/packages"
sha256sum /var/lib/dpkg/status > "$build/fingerprint"
run record_image || no_bundle "the image's files could not be read; see the log of this container"
run install
status=$?
[ ! -e "$build/out/problem" ] || no_bundle "$(cat "$build/out/problem")"
[ "$status" -eq 0 ] || no_bundle "the installation failed with exit code $status"
cp "$build/fingerprint" "$build/out/fingerprint"
run write_lists || no_bundle "the files that the packages replace could not be determined; see the log of this container"
run write_bundle || no_bundle "the bundle could not be written; see the log of this container"
rm -rf "$build"
echo "$number" | publish build
say "the bundle $number is ready: $(stat -c %s "$done/bundle.tar") bytes"
