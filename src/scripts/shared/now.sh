# shellcheck shell=sh
# Sets $now in hundredths of a second. Reading /proc/uptime needs no process, and it does not jump when the clock is set.
now() {
  if read -r uptime _ 2> /dev/null < /proc/uptime; then
    now=$((${uptime%.*} * 100 + 1${uptime#*.} - 100))
  else
    now=$(($(date +%s) * 100))
  fi
}
