#!/bin/bash
# Runs every Google Benchmark and the comparisons of bench/load; leaves build/bench/report.md.
#   FILTER=REGEX: only benchmarks that match; MIN_TIME (0.2): seconds each; NO_LOAD=1: no bench/load
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=build/bench/report
mkdir -p "$out"
{
  # shellcheck disable=SC2016  # Markdown
  printf '# Benchmarks\n\nRelease build, %s cores. Written by `make bench`.\n\n' "$(nproc)"
  printf '| benchmark | time | bytes/s | items/s | allocations |\n|---|---:|---:|---:|---:|\n'
} >"$out.md"

shopt -s nullglob
for program in build/bin/*_bench; do
  name=${program##*/}
  printf 'bench: %s\n' "$name"
  "$program" --benchmark_min_time="${MIN_TIME:-0.2}" --benchmark_filter="${FILTER:-.}" \
    --benchmark_out="$out/$name.json" --benchmark_out_format=json
  jq -r '
    def short: if . == null then "" elif . >= 1e9 then "\(. / 1e7 | round / 100) G"
      elif . >= 1e6 then "\(. / 1e4 | round / 100) M" elif . >= 1e3 then "\(. / 10 | round / 100) k"
      else "\(. * 100 | round / 100)" end;
    .benchmarks[] | select(.run_type != "aggregate") |
    "| \(.name) | \(.real_time * 100 | round / 100) \(.time_unit) | \(.bytes_per_second | short) | \(
      .items_per_second | short) | \((.allocations // .allocs // .allocs_per_iter) | short) |"' \
    "$out/$name.json" >>"$out.md"
done
printf '\n' >>"$out.md"

if [ -z "${NO_LOAD-}" ]; then
  bench/load/load.sh build/bench/load.md
  cat build/bench/load.md >>"$out.md"
fi
printf 'bench: report in %s\n' "$out.md"
