#!/usr/bin/env bash
# Loads an image archive into the node. Pods need imagePullPolicy: IfNotPresent (`:latest` defaults to Always).
# usage: load-image.sh ARCHIVE.tar
. "$(dirname "$0")/env.sh"
# Suppresses a warning about cgroup v1 for each archive. The cluster also runs on cgroup v1 (docs/contributing/test-bed.md).
export CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS=true
exec "$BIN/ctr" -a "$RUN/containerd.sock" -n k8s.io images import "$1" > /dev/null
