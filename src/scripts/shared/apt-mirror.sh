# shellcheck shell=sh
# Prints sed's command that puts the mirror $2 in the place of $1 in apt's sources: where a word begins with the address,
# at the end of a component of its path.
apt_mirror() {
  printf 's,\\(^\\|[[:space:]]\\)%s\\(/\\|[[:space:]]\\|$\\),\\1%s\\2,g\n' "$(printf %s "$1" | sed 's/[.[*^$]/\\&/g')" "$2"
}
