#!/bin/bash
# Runs the tests of a built preset. ctest's summary is the last thing printed.
#   scripts/test.sh PRESET        FOLDER=internal/prom: only that folder's; VERBOSE=1: all output
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=${1:?usage: scripts/test.sh PRESET}
# Most tests wait for servers that start and scrape; those that work count as several (PROCESSORS).
options=(--preset "$preset" -j $((2 * $(scripts/jobs.sh))) --no-label-summary)
[ -z "${VERBOSE-}" ] || options+=(--verbose)
if [ -n "${FOLDER-}" ]; then
  # Accepts what a shell completes and what a Go programmer types: ./internal/prom/, tests/handlers.
  folder=${FOLDER#./}
  folder=${folder#tests/}
  folder=${folder%/}
  labels=$(ctest --preset "$preset" --print-labels | sed -n 's/^  \([a-z].*\)/\1/p')
  if ! grep -qxF -- "$folder" <<<"$labels"; then
    printf 'test: no tests in folder %s; there are: %s\n' "$folder" "${labels//$'\n'/ }" >&2
    exit 2
  fi
  options+=(-L "^$folder\$")
fi

launcher=()
# The ThreadSanitizer of clang 14 cannot map its shadow when the kernel randomises more than 28 bits.
bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)
if [ "$preset" = tsan ] && [ "$bits" -gt 28 ]; then
  launcher=(setarch --addr-no-randomize)
fi

folder=build
[ "$preset" = release ] || folder=build/$preset
rm -f "$folder"/sanitizer.*
status=0
"${launcher[@]}" ctest "${options[@]}" || status=$?
# Of any process of the tests, whatever its test made of it.
if reports=$(grep -lE 'ERROR: |WARNING: ThreadSanitizer|runtime error: ' "$folder"/sanitizer.* 2>/dev/null); then
  # shellcheck disable=SC2086  # file names of our own
  cat $reports >&2
  printf 'test: a sanitizer found something\n' >&2
  exit 1
fi
[ "$status" -ne 0 ] || exit 0
# Tests that measure time need some; a defect fails alone too.
printf 'test: what failed beside others is run once more, alone\n'
exec "${launcher[@]}" ctest --preset "$preset" --rerun-failed -j 1 --no-label-summary
