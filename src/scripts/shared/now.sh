# shellcheck shell=sh
# Sets $now: hundredths of a second. /proc/uptime costs no process and does not jump when the clock is set.
now() {
  if read -r uptime _ 2> /dev/null < /proc/uptime; then
    now=$((${uptime%.*} * 100 + 1${uptime#*.} - 100))
  else
    now=$(($(date +%s) * 100))
  fi
}
