#!/bin/bash
# Builds and runs all tests under each sanitizer; stops at the first that finds something, so that
# its ctest summary is the last thing printed.
#   SANITIZERS="asan tsan" scripts/sanitize.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for preset in ${SANITIZERS:-asan tsan}; do
  printf '== %s\n' "$preset"
  scripts/build.sh "$preset"
  scripts/test.sh "$preset"
done
