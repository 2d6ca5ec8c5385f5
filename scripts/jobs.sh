#!/bin/bash
# Prints how many processes may work at once: JOBS, or one per core as far as memory goes. One
# compiler needs up to 1 GiB.
set -euo pipefail
if [ -n "${JOBS-}" ]; then
  printf '%s\n' "$JOBS"
  exit
fi
cores=$(nproc)
memory=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
jobs=$((cores < memory ? cores : memory))
printf '%s\n' $((jobs > 0 ? jobs : 1))
