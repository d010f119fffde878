#!/usr/bin/env bash
# Makes an image archive known to the node. usage: load-image.sh ARCHIVE.tar
set -euo pipefail
kind load image-archive "$1" --name arc-primer-test
