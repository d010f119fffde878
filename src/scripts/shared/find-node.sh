# shellcheck shell=sh
# Prints the path of a working Node.js. The runner contains several for actions, one of them for Alpine.
find_node() {
  for node in node "${HOME:-}"/externals/node*/bin/node /home/runner/externals/node*/bin/node; do
    "$node" --version > /dev/null 2>&1 && echo "$node" && return
  done
}
