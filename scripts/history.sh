#!/bin/bash
# Makes TSDB blocks of the demo fleet's past; scripts/run.sh starts it.
#
#   scripts/history.sh FOLDER FROM TO   blocks of the time after FROM up to TO (Unix seconds)
#
# Variables: NODES, GPUS_PER_NODE, SEED, JOB and INSTANCE (labels of the target).
# FOLDER/blocks gets the blocks; FOLDER/progress/N/{text,made} and FOLDER/slices tell how far it is.
# Whoever kills this script kills what it started. Exit: 0 all made, 1 not.
set -euo pipefail

exporter=build/bin/gpu-exporter
promtool=.run/tools/usr/bin/promtool

# Series of short jobs are what promtool's work grows with, and more than in proportion: a slice is
# as much of them as 32 GPUs have in 21 hours.
slice_gpu_seconds=$((32 * 21 * 3600))

# The kernel kills it when the shell that started it ends, however and whenever that is. In the
# background it is a command of its own, not a function: that would run in a shell between the two,
# which lives on.
child() { setpriv --pdeathsig KILL scripts/child.sh $$ "$@"; }

slice() { # FOLDER FROM TO: the blocks of one slice
  local folder=$1 from=$2 to=$3
  mkdir -p "$folder"
  child "$exporter" --demo --nodes "${NODES:-4}" --gpus-per-node "${GPUS_PER_NODE:-8}" \
    --seed "${SEED:-1}" --past "$((to - from))s" --past-end "$to" --past-job "$JOB" \
    --past-instance "$INSTANCE" >"$folder/samples"
  : >"$folder/text"
  # With blocks of two hours it would read the text once for each, and without GOGC it would spend a
  # third of its time on garbage. What it leaves behind when it is ended stays in our folder.
  GOGC=400 TMPDIR=$folder child "$promtool" tsdb create-blocks-from openmetrics --quiet \
    --max-block-duration=192h "$folder/samples" "$folder/blocks"
  rm "$folder/samples"
  : >"$folder/made"
}

make_all() { # FOLDER FROM TO
  local folder=$1 from=$2 to=$3 gpus slices length i=0 jobs
  gpus=$((${NODES:-4} * ${GPUS_PER_NODE:-8}))
  slices=$((((to - from) * gpus + slice_gpu_seconds - 1) / slice_gpu_seconds))
  length=$(((to - from + slices - 1) / slices))
  jobs=$(nproc)
  [ "$jobs" -le 4 ] || jobs=4 # each has up to 350 MB
  mkdir -p "$folder/progress" "$folder/blocks"
  printf '%s\n' "$slices" >"$folder/slices"
  while [ "$from" -lt "$to" ]; do
    # A failed one ends the loop through -e.
    [ "$i" -lt "$jobs" ] || wait -n
    local end=$((from + length))
    [ "$end" -le "$to" ] || end=$to
    setpriv --pdeathsig KILL scripts/child.sh $$ \
      bash "${BASH_SOURCE[0]}" --slice "$folder/progress/$i" "$from" "$end" &
    from=$end i=$((i + 1))
  done
  while [ -n "$(jobs -p)" ]; do wait -n; done
  mv "$folder"/progress/*/blocks/* "$folder/blocks/"
  rm -r "$folder/progress" "$folder/slices"
}

if [ "${1-}" = --slice ]; then
  shift
  slice "$@"
  exit
fi
trap '[ $? -eq 0 ] || echo "history: it could not be made; HISTORY=0 make run does without" >&2' EXIT
make_all "$@"
