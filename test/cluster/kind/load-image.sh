#!/usr/bin/env bash
# Makes an image archive known to the node. usage: load-image.sh ARCHIVE.tar
. "$(dirname "$0")/env.sh"
exec kind load image-archive "$1" --name "$CLUSTER"
