#!/bin/bash
# Builds all tests with clang 14, which takes half of g++'s time for them, and runs them under each
# sanitizer; stops at the first that finds something, so that its ctest summary is the last thing
# printed.
#   SANITIZERS="asan tsan" GPUMON_SOAK_SECONDS=60 scripts/sanitize.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# How long clients that leave early run beside others; in `make test` it is 2 s.
export GPUMON_SOAK_SECONDS=${GPUMON_SOAK_SECONDS:-60}
for preset in ${SANITIZERS:-asan tsan}; do
  printf '== %s\n' "$preset"
  scripts/build.sh "$preset"
  scripts/test.sh "$preset"
done
