# shellcheck shell=sh
# Prints a sed command that replaces the URL $1 by the mirror $2 in apt's sources. It matches the URL only at the beginning of
# a word, and only if a slash or the end of the word follows.
apt_mirror() {
  printf 's,\\(^\\|[[:space:]]\\)%s\\(/\\|[[:space:]]\\|$\\),\\1%s\\2,g\n' "$(printf %s "$1" | sed 's/[.[*^$]/\\&/g')" "$2"
}
