#!/bin/sh
# Adds the logins of a mounted Secret to the runner's Docker config, then executes the command after "--".
#
#   sh -c SCRIPT arc-primer-docker-credentials file=FILE secret=NAME -- COMMAND [ARG...]
#
# The config is a regular file that the runner owns, so that `docker login` can write to it. If there is a config, the
# logins are added to it. Its entries for a registry take precedence. The contents of the two files must not reach the log.
# jq and node quote input that they cannot parse, so their error output is discarded. The command is started even if this
# fails.
set -u

. ./shared/say.sh

. ./shared/failed.sh

. ./shared/find-node.sh

# Prints the config, with the Secret's logins for registries that it has no login for.
merge() {
  if command -v jq > /dev/null; then
    jq --slurp '.[0] as $secret | .[1] | .auths = (($secret.auths // {}) + (.auths // {}))' "$file" "$config"
  else
    # shellcheck disable=SC2016 # that is JavaScript
    "$(find_node)" -e 'const [secret, own] = process.argv.slice(1).map((file) => JSON.parse(require("fs").readFileSync(file, "utf8")));
      console.log(JSON.stringify({ ...own, auths: { ...secret.auths, ...own.auths } }, null, "\t"));' "$file" "$config"
  fi 2> /dev/null
}

. ./shared/docker-config.sh

# Runs in a subshell, so that its variables cannot change the command's environment variables of the same name.
log_in() (
  while [ "$1" != -- ]; do
    case $1 in
      file=*) file=${1#*=} ;;
      secret=*) secret=${1#*=} ;;
    esac
    shift
  done
  find_config
  if [ ! -f "$file" ]; then
    say "the Secret $secret of type kubernetes.io/dockerconfigjson was not found in this namespace: starting without its logins"
  elif [ ! -r "$file" ]; then
    say "this user cannot read $file: starting without the logins of the Secret $secret"
  elif [ -n "$obstacle" ]; then
    say "$obstacle: starting without the logins of the Secret $secret"
  elif [ ! -s "$config" ]; then
    if write_config cat "$file"; then say "the logins of the Secret $secret were written to $config"
    else say "$config cannot be written: starting without the logins of the Secret $secret"; fi
  elif ! command -v jq > /dev/null && [ -z "$(find_node)" ]; then
    say "$config was not changed: adding the logins of the Secret $secret requires jq or node, and this image has neither"
  elif ! write_config merge; then
    say "$config was not changed: the logins of the Secret $secret could not be added; check that the file is valid JSON and can be replaced"
  else
    say "the logins of the Secret $secret were added to $config"
    ! grep -q '"credsStore"' "$config" || say "$config sets credsStore, so Docker ignores these logins"
  fi
)

. ./shared/limited.sh

. ./shared/become.sh

. ./shared/stop.sh

limited 20 log_in "$@"
[ $? -ne 137 ] || say "adding the logins took longer than 20 s: starting without them"
while [ "$1" != -- ]; do shift; done
shift
trap - TERM INT
become "$@"
