#!/bin/bash
# What the dashboard costs a browser before a large fleet; prints a table.
#   bench/load/dashboard.sh        NODES (1250), GPUS_PER_NODE (8), MINUTES (10) it is left open,
#                                  SURROUNDINGS (none; gpu)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export GPUMON_API=$PWD/build/bin/gpu-monitoring-api GPUMON_EXPORTER=$PWD/build/bin/gpu-exporter
export GPUMON_PROMETHEUS=$PWD/.run/tools/usr/bin/prometheus
exec scripts/web.sh node --disable-warning=ExperimentalWarning bench/load/dashboard.ts
