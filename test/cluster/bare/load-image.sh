#!/usr/bin/env bash
# Loads an image archive into the node. Pods need imagePullPolicy: IfNotPresent (`:latest` defaults to Always).
# usage: load-image.sh ARCHIVE.tar
. "$(dirname "$0")/env.sh"
# cgroups of version 1 are a known trait of this machine (docs/contributing/test-bed.md), and a warning for each archive.
export CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS=true
exec "$BIN/ctr" -a "$RUN/containerd.sock" -n k8s.io images import "$1" > /dev/null
