#!/bin/sh
# Creates the /etc and the home directory that rootless dockerd needs to run as the runner's user.
#
#   sh -c SCRIPT NAME USER-ID ETC HOME
#
# It runs once, as root, in docker:dind-rootless, whose own user has another ID than the runner's. dockerd's entrypoint
# requires that the user has a name, ranges in subuid and subgid, and a writable home directory.
set -eu
uid=$1
etc=$2
home=$3

. ./shared/say.sh

. ./shared/failed.sh

trap '[ $? -eq 0 ] || failed rootless-not-prepared "the directories for rootless dockerd could not be created; see the error above"' EXIT
cp -a /etc/. "$etc/"
printf 'runner:x:%s:%s:runner:/home/runner:/bin/sh\n' "$uid" "$uid" >> "$etc/passwd"
printf 'runner:x:%s:\n' "$uid" >> "$etc/group"
printf 'runner:100000:65536\n' >> "$etc/subuid"
printf 'runner:100000:65536\n' >> "$etc/subgid"
chmod 755 "$etc" "$home"
chown "$uid:$uid" "$home"
