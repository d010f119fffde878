# shellcheck shell=sh
# Reports a command that cannot be started. The shell then prints its own error, with exit code 126 or 127.
check_command() {
  case $1 in
    */*) [ -f "$1" ] && [ -x "$1" ] ;;
    *) command -v "$1" > /dev/null 2>&1 ;;
  esac || failed command-missing "$1 was not found in this container or is not executable"
}

# Replaces this process with the command. dash and busybox do not pass on variables with a . or a - in their names. So these
# are read from /proc and passed with env.
become() {
  check_command "$1"
  arc_primer_words=$#
  arc_primer_left=
  [ -n "${BASH_VERSION:-}" ] || arc_primer_left=$(tr '\0\n' '\n\1' 2> /dev/null < "/proc/$$/environ")
  while [ -n "$arc_primer_left" ]; do
    arc_primer_variable=${arc_primer_left%%"$arc_primer_newline"*}
    arc_primer_left=${arc_primer_left#"$arc_primer_variable"}
    arc_primer_left=${arc_primer_left#"$arc_primer_newline"}
    case ${arc_primer_variable%%=*} in [0-9]* | *[!A-Za-z0-9_]*)
      arc_primer_variable=$(printf '%sx' "$arc_primer_variable" | tr '\1' '\n')
      set -- "${arc_primer_variable%x}" "$@"
      ;;
    esac
  done
  [ $# -eq "$arc_primer_words" ] || set -- env "$@"
  exec "$@"
}
arc_primer_newline='
'
