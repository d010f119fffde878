#!/usr/bin/env bash
# Loads an image archive into the node. usage: load-image.sh ARCHIVE.tar
. "$(dirname "$0")/env.sh"
exec kind load image-archive "$1" --name "$CLUSTER"
