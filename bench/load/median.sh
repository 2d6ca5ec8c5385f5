#!/bin/bash
# Functions for the steps; sourced.
set -euo pipefail

# The median of the numbers on standard input, one a line.
median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# $1 / $2 with two decimals.
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b == 0) print "-"; else printf "%.2f\n", a / b }'; }

# Seconds that a command takes on the wall clock.
seconds() {
  local from=$EPOCHREALTIME
  "$@"
  awk -v from="$from" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.4f\n", to - from }'
}
