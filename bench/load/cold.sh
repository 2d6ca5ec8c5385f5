#!/bin/bash
# A cold request (`at` = an instant never asked before) against the same raw queries sent to
# Prometheus by curl in parallel. Each pair asks about the same number of instants; who goes first
# alternates. Prints a Markdown table. Run by load.sh.
# Variables: PAIRS (15).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=bench/load/median.sh
. bench/load/median.sh

pairs=${PAIRS:-15}
instant=0

# An instant that nobody asked before: milliseconds after the scrape.
next_instant() {
  instant=$((instant + 1))
  at=$(awk -v at="$SCRAPED_AT" -v n="$instant" 'BEGIN { printf "%.3f", at + n / 1000 }')
}

cold() { curl -sf --max-time 60 -o "$WORK/cold.json" "$API_URL/api/v1/gpu/metrics?at=$at"; }

# curl's configuration for all queries at instant `at`; written before the clock starts.
prepare_raw() {
  local query number=0
  while IFS= read -r query; do
    number=$((number + 1))
    printf 'url = "%s/api/v1/query?time=%s&query=%s"\noutput = "%s/raw.%s.json"\n' \
      "$PROMETHEUS_URL" "$at" "$(jq -rn --arg query "$query" '$query | @uri')" "$WORK" "$number"
  done <"$QUERIES" >"$WORK/raw.config"
}
raw() { curl -sf --max-time 60 --parallel --parallel-immediate --no-progress-meter -K "$WORK/raw.config"; }

measure_cold() {
  next_instant
  seconds cold >>"$WORK/cold.seconds"
}
measure_raw() {
  next_instant
  prepare_raw
  seconds raw >>"$WORK/raw.seconds"
}

next_instant && cold
next_instant && prepare_raw && raw
for ((pair = 0; pair < pairs; pair++)); do
  if ((pair % 2)); then measure_raw && measure_cold; else measure_cold && measure_raw; fi
done

cold_seconds=$(median <"$WORK/cold.seconds")
raw_seconds=$(median <"$WORK/raw.seconds")
cat <<TABLE
### Cold request against the raw queries

Medians of $pairs alternating pairs; $(wc -l <"$QUERIES") queries.

| | seconds | bytes |
|---|---:|---:|
| raw queries by curl in parallel | $raw_seconds | $(cat "$WORK"/raw.*.json | wc -c) |
| GET /api/v1/gpu/metrics?at= | $cold_seconds | $(wc -c <"$WORK/cold.json") |
| ratio | $(ratio "$cold_seconds" "$raw_seconds") | |

TABLE
