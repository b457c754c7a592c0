#!/bin/sh
# run_if_present.sh DIRECTORY COMMAND...: runs the command on the directory's *.jsonl, or skips (77) where there are none.
directory=$1
shift
set -- "$@" "$directory"/*.jsonl
for last in "$@"; do :; done
if [ ! -e "$last" ]; then
  echo "SKIPPED: no cases at $directory"
  exit 77
fi
exec "$@"
