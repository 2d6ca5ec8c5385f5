#!/bin/bash
# Builds the fuzzers of tests/fuzz with clang 14, AddressSanitizer and UndefinedBehaviorSanitizer, and
# runs each for a while from its corpus; ends with 1 at the first that finds something.
#   FUZZ_SECONDS=60: each; FUZZ_TARGETS="sample_value ...": only these; scripts/fuzz.sh FILE...: these
#   inputs alone, each the last folder's target (tests/fuzz/corpus/sample_value/nan)
# New inputs are kept in .run/fuzz/TARGET, what broke something as .run/fuzz/TARGET-crash-*. A fault
# that is mended leaves its input in tests/fuzz/corpus/TARGET, where `make test` runs it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/build.sh fuzz fuzz
# A quarantine as large as the limit would be taken for a leak.
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:quarantine_size_mb=32
export UBSAN_OPTIONS=print_stacktrace=1

run() { # TARGET ARGUMENT...: libFuzzer's own output, for who wants it, and a line
  local target=$1
  shift
  build/fuzz/bin/fuzz_"$target" -rss_limit_mb=512 -timeout=10 -print_final_stats=1 \
    -artifact_prefix=.run/fuzz/"$target"- "$@" 2>&1
}

mkdir -p .run/fuzz
if [ $# -gt 0 ]; then
  for file in "$@"; do
    run "$(basename "$(dirname "$file")")" "$file"
  done
  exit 0
fi

# shellcheck disable=SC2086  # one word per target
mapfile -t targets < <(printf "%s\n" ${FUZZ_TARGETS-$(cd tests/fuzz/corpus && printf "%s\n" *)})
for target in "${targets[@]}"; do
  if [ ! -x build/fuzz/bin/fuzz_"$target" ]; then
    printf 'fuzz: there is no target %s\n' "$target" >&2
    exit 2
  fi
  log=.run/fuzz/$target.log
  mkdir -p .run/fuzz/"$target"
  shopt -s nullglob
  large=(tests/fuzz/large/"$target"/*)
  if ! { [ ${#large[@]} -eq 0 ] || run "$target" "${large[@]}" >"$log"; } ||
    ! run "$target" -max_total_time="${FUZZ_SECONDS:-60}" -max_len=4096 .run/fuzz/"$target" \
      tests/fuzz/corpus/"$target" >"$log"; then
    tail -n 40 "$log" >&2
    printf 'fuzz: %s found something: .run/fuzz/%s-*, all its output is in %s\n' "$target" "$target" \
      "$log" >&2
    exit 1
  fi
  printf 'fuzz: %-16s %s\n' "$target" "$(awk '
    /number_of_executed_units/ { runs = $2 } /peak_rss_mb/ { rss = $2 }
    / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
    END { printf "%s runs, %s edges, %s MB", runs, cov, rss }' "$log")"
done
