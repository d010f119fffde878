# shellcheck shell=sh
# Sets $config to Docker's config file, whose folder it makes; $obstacle says why that is not possible.
find_config() {
  obstacle=
  folder=${DOCKER_CONFIG:-${HOME:+$HOME/.docker}}
  config=$folder/config.json
  # A link stays one: what it leads to is written.
  [ ! -L "$config" ] || config=$(readlink -f "$config") || config=$folder/config.json
  if [ -z "$folder" ]; then obstacle="neither DOCKER_CONFIG nor HOME is set"
  elif ! (umask 077 && mkdir -p "$folder"); then obstacle="$folder cannot be made"
  elif [ -e "$config" ] && [ ! -f "$config" ]; then obstacle="$config is no file and stays as it is"; fi
}

# Writes what a command prints as the config: whole or not at all, and for its owner alone.
put() (
  umask 077
  new=$config.arc-primer
  "$@" > "$new" && mv -f "$new" "$config" && return
  rm -f "$new"
  return 1
)
