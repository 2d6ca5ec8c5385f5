#!/bin/bash
# Configures a preset of CMakePresets.json and builds it, or only the named targets.
#   scripts/build.sh PRESET [TARGET...]        JOBS=N overrides the number of compilers
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=${1:?usage: scripts/build.sh PRESET [TARGET...]}
shift
jobs=$(scripts/jobs.sh)
# `make test VERBOSE=1` is about the tests' output, not the compiler's command lines.
unset VERBOSE

# Configuring takes a second and makes sure that the folder has this preset's settings.
if ! output=$(cmake --preset "$preset" 2>&1); then
  printf '%s\n' "$output" >&2
  exit 1
fi
exec cmake --build --preset "$preset" -j "$jobs" ${1+--target "$@"}
