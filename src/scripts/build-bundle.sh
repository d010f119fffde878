#!/bin/sh
# Builds a bundle of packages: what install-packages.sh installs in a runner's image, in an archive that other containers
# of that image take instead of running apt. It runs as root and as process 1, in a container of that very image.
#
#   sh -c SCRIPT arc-primer-build-bundle handover=DIR
#
# It waits until DIR/plan/build holds a number that is not in DIR/done, builds, hands over, and ends: the container is then
# started anew, with the image's own files. `arc-primer bundle-server` writes the plan and takes the result over:
#   plan/script           the text of install-packages.sh
#   plan/settings         its words but for directory=, each ended by a NUL
#   plan/build            a number
#   done/bundle.tar       the bundle; what is in it is said at `put_together`
#   done/build            the number, when the bundle is whole; or else
#   done/failed           the number, and in the next lines why there is no bundle
set -uf
umask 022

. ./shared/say.sh

. ./shared/stop.sh

handover=${1#handover=}
plan=$handover/plan
done=$handover/done
build=$handover/build
number=

# Is there a number that has neither been built nor failed?
is_planned() {
  [ -e "$plan/build" ] || return
  read -r number < "$plan/build" || return
  for file in "$done/build" "$done/failed"; do
    if [ -e "$file" ] && read -r last < "$file" && [ "$last" = "$number" ]; then return 1; fi
  done
}

# Runs something long, so that a signal ends this script at once.
run() {
  "$@" &
  arc_primer_child=$!
  wait "$arc_primer_child"
}

# Hands a file over whole: what it holds is read from standard input.
hand_over() { # NAME
  cat > "$done/$1.partial" && mv "$done/$1.partial" "$done/$1"
}

no_bundle() { # REASON
  say "no bundle: $1"
  printf '%s\n%s\n' "$number" "$1" | hand_over failed
  rm -rf "$build"
  exit 0
}

# The state of all files of the image, as nobody knows yet which of them will change: pairs of a path and its state, and
# the SHA-256 with the path.
look_at_image() {
  cd / || return
  find . -xdev -ignore_readdir_race -print0 | xargs -0 stat --printf '%n\0%f %u:%g %N\0' -- > "$build/states" &&
    find . -xdev -ignore_readdir_race -type f -print0 | xargs -0 sha256sum -z -- > "$build/sums"
}

# Prints the packages that are installed, a name and a version in each line.
packages() {
  dpkg-query --show --showformat='${db:Status-Status} ${Package} ${Version}\n' | sed -n 's/^installed //p' |
    LC_ALL=C sort -u
}

install() {
  xargs -0 -x -n 10000 -s 1900000 sh "$plan/script" "directory=$build/out" < "$plan/settings"
}

# Writes which paths the bundle touches, which files it replaces, and what image_state (take-bundle.sh) would have said of
# them before. Names with a newline go through the lines of awk with another character in its place.
write_before() {
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

# Writes the bundle: an archive of small files, which pods look at first, and of changes.tar.
put_together() {
  [ -e "$build/out/changes.tar" ] || tar --create --file="$build/out/changes.tar" --files-from=/dev/null
  packages | LC_ALL=C comm -13 "$build/packages" - > "$build/out/packages"
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
  no_bundle "packages are installed with apt, which this image does not have"
fi
packages > "$build/packages"
sha256sum /var/lib/dpkg/status > "$build/fingerprint"
run look_at_image || no_bundle "the image's files could not be read; what failed is in the log of this container"
run install
status=$?
[ ! -e "$build/out/problem" ] || no_bundle "$(cat "$build/out/problem")"
[ "$status" -eq 0 ] || no_bundle "the installation ended with exit code $status"
cp "$build/fingerprint" "$build/out/fingerprint"
run write_before || no_bundle "what the packages replace could not be told; what failed is in the log of this container"
run put_together || no_bundle "the bundle could not be written; what failed is in the log of this container"
rm -rf "$build"
echo "$number" | hand_over build
say "the bundle $number is there: $(stat -c %s "$done/bundle.tar") bytes"
