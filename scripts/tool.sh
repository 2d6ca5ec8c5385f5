#!/bin/bash
# Runs a server or tool that scripts/deps.sh unpacked, with the libraries unpacked beside it.
#   scripts/tool.sh prometheus --version
#   scripts/tool.sh --path prometheus        prints where it is
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

mode=run
if [ "${1-}" = --path ]; then
  mode=print
  shift
fi
name=${1:?usage: scripts/tool.sh [--path] NAME [ARGUMENT...]}
shift

program=
for folder in usr/bin usr/sbin; do
  [ ! -x "$root/.run/tools/$folder/$name" ] || program=$root/.run/tools/$folder/$name
done
if [ -z "$program" ]; then
  printf '%s is not in .run/tools; run: make deps\n' "$name" >&2
  exit 127
fi
if [ "$mode" = print ]; then
  printf '%s\n' "$program"
  exit
fi
for folder in "$root"/.run/tools/usr/lib/*-linux-gnu* "$root"/.run/tools/lib/*-linux-gnu*; do
  [ ! -d "$folder" ] || LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
done
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH-}
[ -n "$LD_LIBRARY_PATH" ] || unset LD_LIBRARY_PATH
exec "$program" "$@"
