#!/bin/sh
# Writes the proxy of the runner container to Docker's config, for builds and for containers, then executes the command
# after "--".
#
#   sh -c SCRIPT arc-primer-docker-proxies [no-proxy=HOST...] -- COMMAND [ARG...]
#
# A proxy URL may contain a password, so no part of it may reach the log. Existing proxy settings in the config take
# precedence. The command is started even if this fails.
set -u

. ./shared/say.sh

. ./shared/failed.sh

. ./shared/find-node.sh

. ./shared/docker-config.sh

# Reads the config from stdin and prints it with the proxies added. The values are passed in environment variables, never
# as program text.
add_proxies() {
  if command -v jq > /dev/null; then
    # shellcheck disable=SC2016 # $own is jq's
    jq '. as $own
      | ({ httpProxy: env.http, httpsProxy: env.https, allProxy: env.all, noProxy: env.none } | with_entries(select(.value != ""))) as $new
      | $own + { proxies: (($own.proxies // {}) + { default: ($new + ($own.proxies.default // {})) }) }'
  else
    # shellcheck disable=SC2016 # that is JavaScript
    "$(find_node)" -e 'const own = JSON.parse(require("fs").readFileSync(0, "utf8"));
      const { http, https, all, none } = process.env;
      const given = Object.entries({ httpProxy: http, httpsProxy: https, allProxy: all, noProxy: none }).filter(([, value]) => value);
      const defaults = { ...Object.fromEntries(given), ...own.proxies?.default };
      console.log(JSON.stringify({ ...own, proxies: { ...own.proxies, default: defaults } }, null, "\t"));'
  fi 2> /dev/null
}

with_proxies() {
  if [ -s "$config" ]; then add_proxies < "$config"
  else echo '{}' | add_proxies; fi
}

# Runs in a subshell, so that its variables cannot change the command's environment variables of the same name.
write_proxies() (
  http=${HTTP_PROXY:-${http_proxy:-}}
  https=${HTTPS_PROXY:-${https_proxy:-}}
  all=${ALL_PROXY:-${all_proxy:-}}
  none=${NO_PROXY:-${no_proxy:-}}
  [ -n "$http$https$all" ] || exit 0
  while [ "$1" != -- ]; do
    case $1 in no-proxy=*) none=${none:+$none,}${1#*=} ;; esac
    shift
  done
  export http https all none
  find_config
  if [ -n "$obstacle" ]; then
    say "$obstacle: builds get no proxy"
  elif ! command -v jq > /dev/null && [ -z "$(find_node)" ]; then
    say "writing $config requires jq or node, and this image has neither: builds get no proxy"
  elif write_config with_proxies; then
    say "the proxy for builds was written to $config"
  else
    say "$config cannot be written, or is not JSON: builds get no proxy"
  fi
)

. ./shared/limited.sh

. ./shared/become.sh

. ./shared/stop.sh

limited 20 write_proxies "$@"
[ $? -ne 137 ] || say "writing the proxy for builds took longer than 20 s: starting without it"
while [ "$1" != -- ]; do shift; done
shift
trap - TERM INT
become "$@"
