#!/bin/bash
# Runs the tests of the coverage build and reports the lines of handlers and internal they reach.
# Prints the table, leaves build/coverage/report/index.html, fails below MINIMUM percent.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

minimum=${MINIMUM:-85}
build=build/coverage
# Counters of an earlier run belong to code that may have changed.
find "$build" -name '*.gcda' -delete
scripts/test.sh coverage
mkdir -p "$build/report"
if ! /usr/bin/gcovr --root . --object-directory "$build" -j "$(scripts/jobs.sh)" \
  --filter 'handlers/' --filter 'internal/' --exclude-throw-branches --exclude-unreachable-branches \
  --html-details "$build/report/index.html" --txt "$build/report/lines.txt" \
  --fail-under-line "$minimum" "$build"; then
  cat "$build/report/lines.txt"
  printf 'coverage: below %s %% of lines in handlers and internal\n' "$minimum" >&2
  exit 1
fi
cat "$build/report/lines.txt"
printf 'coverage: report in %s\n' "$build/report/index.html"
