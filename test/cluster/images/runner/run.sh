#!/bin/bash
# Plays run.sh of GitHub's runner: keeps run-helper.sh running, and passes an end on to it. With
# RUNNER_MANUALLY_TRAP_SIG, which the image sets, a TERM or INT becomes an INT for the helper's whole process group, and
# the exit code is 128 and the signal's number, whatever the helper ends with.
home=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)

if [ -n "${RUNNER_UPDATE_CA_CERTS:-}" ]; then
  if [ "$(id -u)" -eq 0 ]; then update-ca-certificates
  elif [ -x "$(command -v sudo)" ]; then sudo update-ca-certificates
  else echo "Warning: no sudo, so the certificates are not updated"; fi
fi

fresh() { cp -f "$home/run-helper.sh.template" "$home/run-helper.sh"; } # an update may have changed it

if [ -z "${RUNNER_MANUALLY_TRAP_SIG:-}" ]; then
  while fresh; "$home/run-helper.sh" "$@"; [ $? -eq 2 ]; do echo "Restarting runner..."; done
  echo "Exiting runner..."
  exit 0
fi

set -m # the helper gets a process group of its own
trap 'kill -INT -- "-$child"' INT TERM
while :; do
  fresh
  "$home/run-helper.sh" "$@" &
  child=$!
  wait "$child"
  code=$? # of the helper, or of the signal that interrupted this
  case $code in
    2) echo "Restarting runner..." ;;
    7)
      echo "Exiting runner..."
      [ "${ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE:-}" != 1 ] || exit 7
      break
      ;;
    *)
      echo "Exiting runner..."
      break
      ;;
  esac
done
trap - INT TERM
wait "$child"
exit "$code"
