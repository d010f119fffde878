# shellcheck shell=sh
# Prints a node that runs. The runner brings its own, for actions; one of them is for Alpine.
find_node() {
  for node in node "${HOME:-}"/externals/node*/bin/node /home/runner/externals/node*/bin/node; do
    "$node" --version > /dev/null 2>&1 && echo "$node" && return
  done
}
