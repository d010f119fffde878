#!/usr/bin/env bash
# Creates a package repository with these packages and those of their dependencies that the slim runner image lacks. The
# suite serves it, because pods have no internet access here. Prints the directory.
# usage: packages.sh PACKAGE...      Uses the machine's package sources, which must match the image's Debian release.
. "$(dirname "$0")/env.sh"
folder=$CACHE/packages
mkdir -p "$folder/lists/partial" "$folder/partial"
cd "$folder" || exit 1
asked="$* $(sha256sum "$IMAGES/slim.tar" | cut -c 1-16)"
if [ "$(cat asked 2> /dev/null)" != "$asked" ]; then
  say "packages: $* ..."
  tar -xOf "$IMAGES/slim.tar" layer-0.tar | tar -xO ./var/lib/dpkg/status > status
  options=(-q -o "Dir::State::Lists=$folder/lists" -o "Dir::State::Status=$folder/status" -o "Dir::Cache::Archives=$folder/"
    -o Dir::Cache::SrcPkgCache= -o Dir::Cache::PkgCache= -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update >&2
  apt-get "${options[@]}" --yes --no-install-recommends --download-only install "$@" >&2
  apt-ftparchive packages . > Packages
  apt-ftparchive release . > Release.new && mv Release.new Release
  echo "$asked" > asked
fi
echo "$folder"
