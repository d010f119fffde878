# shellcheck shell=sh
# Sets $took to the seconds since $1, a time from `now`, with two decimals.
took() {
  now
  took=$(((now - $1) / 100)).$(((now - $1) % 100 / 10))$(((now - $1) % 10))
}
