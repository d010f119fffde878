# shellcheck shell=sh
# Sets $config to the path of Docker's config file and creates its directory. If that fails, sets $obstacle to the reason.
find_config() {
  obstacle=
  directory=${DOCKER_CONFIG:-${HOME:+$HOME/.docker}}
  config=$directory/config.json
  # If the file is a symlink, its target is written, so that the link is kept.
  [ ! -L "$config" ] || config=$(readlink -f "$config") || config=$directory/config.json
  if [ -z "$directory" ]; then obstacle="neither DOCKER_CONFIG nor HOME is set"
  elif ! (umask 077 && mkdir -p "$directory"); then obstacle="$directory cannot be created"
  elif [ -e "$config" ] && [ ! -f "$config" ]; then obstacle="$config is not a regular file and is not changed"; fi
}

# Replaces the config atomically with the output of a command. Only the owner can read it.
write_config() (
  umask 077
  new=$config.arc-primer
  "$@" > "$new" && mv -f "$new" "$config" && return
  rm -f "$new"
  return 1
)
