#!/bin/bash
# What the server spends: processor time of a refresh (user and system time of the process over
# REFRESHES cold requests, divided), and memory when all load is over. Prints Markdown tables.
# Run by load.sh.
# Variables: REFRESHES (20), REST_SECONDS (10).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

refreshes=${REFRESHES:-20}
rest=${REST_SECONDS:-10}
instant=0
tick=$(getconf CLK_TCK)

# User and system time of the server so far, in clock ticks.
spent() { sed 's/.*) //' "/proc/$API_PID/stat" | awk '{ print $12 + $13 }'; }

row() { # NAME PATH [HEADER]
  local before after i at bytes=0
  local -a header=()
  [ -z "${3-}" ] || header=(-H "$3")
  before=$(spent)
  for ((i = 0; i < refreshes; i++)); do
    instant=$((instant + 1))
    at=$(awk -v at="$SCRAPED_AT" -v n="$instant" 'BEGIN { printf "%.3f", at + 1 + n / 1000 }')
    bytes=$(curl -sf --max-time 60 "${header[@]}" -o /dev/null -w '%{size_download}' \
      "$API_URL$2?at=$at")
  done
  after=$(spent)
  printf '| %s | %s | %s |\n' "$1" \
    "$(awk -v d=$((after - before)) -v t="$tick" -v n="$refreshes" 'BEGIN { printf "%.3f", d / t / n }')" \
    "$bytes"
}

cat <<TABLE
### Processor time of one refresh

Means of $refreshes refreshes, each with fetch, decode, join, encode and sending.

| | CPU seconds | bytes |
|---|---:|---:|
TABLE
row 'GPUs' /api/v1/gpu/metrics
row 'GPUs, gzip' /api/v1/gpu/metrics 'Accept-Encoding: gzip'
row 'processes' /api/v1/gpu/processes
row 'processes, gzip' /api/v1/gpu/processes 'Accept-Encoding: gzip'

sleep "$rest"
memory() { awk -v name="$1:" '$1 == name { printf "%.1f", $2 / 1024 }' "/proc/$API_PID/status"; }
cat <<TABLE

### Memory

| | MiB |
|---|---:|
| VmRSS $rest s after the load | $(memory VmRSS) |
| VmHWM, the most it ever was | $(memory VmHWM) |

TABLE
