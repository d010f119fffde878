# shellcheck shell=sh
# Takes the packages from a bundle, which build-bundle.sh has made of this image, to $1. $bundles offers some: for each
# architecture ARCHITECTURE SHA256 URL. $2 is how many bytes it may have, $3 the time when the download has to be over.
# Returns 1 and sets $obstacle if it is not to be used: apt is there all the same.
take_bundle() {
  obstacle="the reason is not known"
  folder=$1 limit=$2 end=$3
  architecture=$(dpkg --print-architecture)
  # shellcheck disable=SC2086 # three words each
  set -- $bundles
  while [ $# -gt 0 ] && [ "$1" != "$architecture" ]; do shift 3; done
  [ $# -gt 0 ] || { obstacle="there is none for $architecture"; return 1; }
  mkdir "$folder"
  now
  from=$now
  download "$3" "$folder/bundle.tar" "$2" "$limit" "$end" || return 1
  took "$from"
  downloaded=$took
  chmod 600 "$folder/bundle.tar" # what is in it need not be for everybody's eyes
  tar --extract --file="$folder/bundle.tar" --directory="$folder" --exclude=changes.tar || { obstacle="it cannot be read"; return 1; }
  read_bundle "$folder" || return 1
  image_state "$folder/touched" "$folder/replaced" > "$folder/state"
  if ! [ -s "$folder/before" ] || ! cmp -s "$folder/state" "$folder/before"; then
    obstacle="it was made on another image: $(first_difference "$folder/state" "$folder/before") was not as it is here"
    return 1
  fi
  took "$from"
  describe_bundle "$2" > "$folder/told"
  say "taken from a bundle in $took s, $downloaded s of them to download it by $downloader"
}

# Sets $built, in seconds since the epoch.
read_bundle() {
  format=
  built=0
  while IFS='=' read -r key value; do
    case $key in
      format) format=$value ;;
      built) built=$value ;;
    esac
  done < "$1/bundle"
  [ "$format" = 1 ] || { obstacle="another version of arc-primer has made it (format $format)"; return 1; }
}

# The path of the first record that is in one of two files of states alone.
first_difference() {
  LC_ALL=C sort -z "$@" | uniq -zu | head -z -n 1 | tr '\0' '\n' | sed -e "s|^[^ ]* [^ ]* '*\.||" -e "s|'\$||"
}

# What the runner's log says of the bundle with the SHA-256 $1.
describe_bundle() {
  hours=$((($(date +%s) - built) / 3600))
  echo "packages from the bundle $1, made $(date -u -d "@$built" '+%Y-%m-%d %H:%M') UTC, $hours h ago; in it:"
  list=
  while read -r line; do list="${list:+$list, }$line"; done < "$folder/packages"
  echo "${list:-no packages}"
}

# Prints the state of files, each record ended by a NUL, so that two of them can be compared: for each path of the list $1
# that is there, its type, mode, owner and a link's target; for each path of the list $2, its SHA-256. The lists hold
# paths from /, each ended by a NUL. What stat says of a path that is not there is the answer, and no error.
image_state() {
  (
    cd / || exit
    xargs -0 -r stat --printf '%f %u:%g %N\0' -- < "$1"
    xargs -0 -r sha256sum -z -- < "$2"
  ) 2> /dev/null
}
