# shellcheck shell=sh
# Downloads a bundle that build-bundle.sh has built from this image to the directory $1, and extracts its small files.
# $bundles contains ARCHITECTURE SHA256 URL for each bundle. $2 is the maximum size in bytes, $3 the deadline of the download.
# If the bundle cannot be used, returns 1 and sets $obstacle. The packages are then installed with apt.
take_bundle() {
  obstacle="unknown error"
  folder=$1 limit=$2 end=$3
  architecture=$(dpkg --print-architecture)
  # shellcheck disable=SC2086 # three words each
  set -- $bundles
  while [ $# -gt 0 ] && [ "$1" != "$architecture" ]; do shift 3; done
  [ $# -gt 0 ] || { obstacle="there is no bundle for $architecture"; return 1; }
  mkdir "$folder"
  now
  from=$now
  download "$3" "$folder/bundle.tar" "$2" "$limit" "$end" || return 1
  took "$from"
  downloaded=$took
  chmod 600 "$folder/bundle.tar" # some of its files may not be world-readable
  tar --extract --file="$folder/bundle.tar" --directory="$folder" --exclude=changes.tar || { obstacle="it cannot be unpacked"; return 1; }
  read_bundle "$folder" || return 1
  image_state "$folder/touched" "$folder/replaced" > "$folder/state"
  if ! [ -s "$folder/before" ] || ! cmp -s "$folder/state" "$folder/before"; then
    obstacle="it was built from a different image: $(first_difference "$folder/state" "$folder/before") differs"
    return 1
  fi
  took "$from"
  describe_bundle "$2" > "$folder/told"
  say "packages taken from a bundle in $took s, including $downloaded s for the download with $downloader"
}

# Reads the description of the bundle in the directory $1. Sets $built, in seconds since the epoch. Returns 1 and sets $obstacle
# if the format is not supported.
read_bundle() {
  format=
  built=0
  while IFS='=' read -r key value; do
    case $key in
      format) format=$value ;;
      built) built=$value ;;
    esac
  done < "$1/bundle"
  [ "$format" = 1 ] || { obstacle="it was built by another version of arc-primer (format $format)"; return 1; }
}

# Prints the path of the first record that is in only one of two lists of states.
first_difference() {
  LC_ALL=C sort -z "$@" | uniq -zu | head -z -n 1 | tr '\0' '\n' | sed -e "s|^[^ ]* [^ ]* '*\.||" -e "s|'\$||"
}

# Prints the lines for the runner's log about the bundle with the SHA-256 $1.
describe_bundle() {
  hours=$((($(date +%s) - built) / 3600))
  echo "packages from the bundle $1, built $(date -u -d "@$built" '+%Y-%m-%d %H:%M') UTC, $hours h ago; it contains:"
  list=
  while read -r line; do list="${list:+$list, }$line"; done < "$folder/packages"
  echo "${list:-no packages}"
}

# Prints the state of files as NUL-terminated records, for comparison: for each existing path in the list $1, its type, mode,
# owner and symlink target; for each path in the list $2, its SHA-256. The lists contain NUL-terminated paths relative to /.
# Errors are discarded: a path that does not exist is recognized by its missing record.
image_state() {
  (
    cd / || exit
    xargs -0 -r stat --printf '%f %u:%g %N\0' -- < "$1"
    xargs -0 -r sha256sum -z -- < "$2"
  ) 2> /dev/null
}
