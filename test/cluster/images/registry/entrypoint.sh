#!/bin/sh
# As in registry:3: a configuration file, a subcommand or a flag is for the registry, anything else is a command.
case ${1:-} in
  *.yml | *.yaml) exec registry serve "$@" ;;
  serve | garbage-collect | help | -*) exec registry "$@" ;;
  *) exec "$@" ;;
esac
