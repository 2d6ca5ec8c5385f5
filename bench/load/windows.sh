#!/bin/bash
# What windows over the past cost: seconds, answer, the most memory that the server held meanwhile,
# and the processor time of it and of the Prometheus behind it, for each route that reads one.
#
# Makes a past of GPUS (1000; 8 a node) over DAYS (7) with a sample each INTERVAL (290 s), once, below
# .run/windows; starts a real Prometheus on it and the server, and asks each request ROUNDS (2) times.
#   bench/load/windows.sh [REPORT.md]      default report: build/bench/windows.md
# EXTRA=PATH asks for one path more. Needs make deps and make build; everything on loopback.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=scripts/loopback.sh
. scripts/loopback.sh

report=${1:-build/bench/windows.md}
gpus=${GPUS:-1000}
days=${DAYS:-7}
interval=${INTERVAL:-290}
folder=.run/windows/$gpus-$days-$interval
work=$PWD/.run/windows.$$
mkdir -p "$work" "$(dirname "$report")"
prometheus_pid='' server_pid=''

cleanup() {
  local pid
  for pid in $server_pid $prometheus_pid; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

fail() {
  printf 'windows: %s\n' "$*" >&2
  tail -n 5 "$work"/*.log >&2 2>/dev/null || true
  exit 1
}

# Every GPU is held by one pod for good and has an XID once in the window; most are busy by day.
samples() { # FROM TO
  awk -v gpus="$gpus" -v from="$1" -v to="$2" -v by="$interval" '
    function labels(g) {
      return sprintf("{job=\"gpu\",instance=\"10.0.%d.%d:9100\",node=\"n%d\",gpu_id=\"%d\"," \
                     "gpu_name=\"H100\",uuid=\"GPU-%012d\",namespace=\"team%d\",pod=\"p%d\"}",
                     g / 2048, (g / 8) % 256, g / 8, g % 8, g, g % 7, g)
    }
    function family(name, which,    g, t, value) {
      printf "# TYPE %s gauge\n", name
      for (g = 0; g < gpus; ++g) for (t = from; t <= to; t += by) {
        if (which == 0) value = (int(t / 3600) + g) % 24 < 8 ? 0 : 40 + (g * 7 + int(t / by)) % 60
        else if (which == 1) value = (20 + (g + int(t / 3600)) % 50) * 1000000000
        else if (which == 2) value = 80000000000
        else value = t - from > (to - from) * g / gpus ? 13 : 0
        printf "%s%s %s %d\n", name, labels(g), value, t
      }
    }
    BEGIN {
      family("nvidia_gpu_utilization_percent", 0)
      family("nvidia_gpu_used_memory_bytes", 1)
      family("nvidia_gpu_total_memory_bytes", 2)
      family("nvidia_gpu_xid_last", 3)
      print "# EOF"
    }'
}

make_past() {
  local end
  end=$(date +%s)
  rm -rf "$folder" "$folder.making"
  mkdir -p "$folder.making"
  printf 'windows: making %s days of %s GPUs\n' "$days" "$gpus"
  samples $((end - days * 86400)) "$end" >"$work/samples"
  GOGC=400 TMPDIR=$work scripts/tool.sh promtool tsdb create-blocks-from openmetrics --quiet \
    --max-block-duration=192h "$work/samples" "$folder.making/tsdb"
  rm "$work/samples"
  printf '%s\n' "$end" >"$folder.making/end"
  mv "$folder.making" "$folder"
}

wait_until() { # WHAT URL
  local limit=$((SECONDS + 120))
  until curl -sf -o /dev/null --max-time 20 "$2"; do
    [ "$SECONDS" -lt "$limit" ] || fail "$1 did not start"
    sleep 0.2
  done
}

# Processor seconds of a process until now.
processor() { awk -v hz="$(getconf CLK_TCK)" '{ printf "%.2f\n", ($14 + $15) / hz }' "/proc/$1/stat"; }

ask() { # PATH
  local round before_server before_prometheus said
  for ((round = 0; round < ${ROUNDS:-2}; ++round)); do
    before_server=$(processor "$server_pid")
    before_prometheus=$(processor "$prometheus_pid")
    echo 5 >"/proc/$server_pid/clear_refs" # VmHWM begins anew
    said=$(curl -s -o "$work/answer" -w '%{http_code} %{time_total} %{size_download}' \
      --max-time 120 "http://127.0.0.1:$port$1")
    [ "${said%% *}" = 200 ] || fail "$1: $(head -c 300 "$work/answer")"
    awk -v path="$1" -v said="$said" -v s="$before_server" -v p="$before_prometheus" \
      -v s2="$(processor "$server_pid")" -v p2="$(processor "$prometheus_pid")" \
      -v most="$(awk '/VmHWM/ { print $2 }' "/proc/$server_pid/status")" 'BEGIN {
        split(said, part)
        printf "| `%s` | %.2f | %d | %.1f | %.2f | %.2f |\n", path, part[2], part[3], most / 1024, \
          s2 - s, p2 - p
      }' | tee -a "$report"
  done
}

[ -s "$folder/end" ] || make_past
end=$(<"$folder/end")
prometheus_port=$(free_port)
port=$(free_port "$prometheus_port")
printf 'global: {}\n' >"$work/prometheus.yml"
cp -al "$folder/tsdb" "$work/tsdb" 2>/dev/null || cp -a "$folder/tsdb" "$work/tsdb"
setpriv --pdeathsig TERM scripts/tool.sh prometheus --config.file="$work/prometheus.yml" \
  --storage.tsdb.path="$work/tsdb" --storage.tsdb.retention.time=400d \
  --web.listen-address="127.0.0.1:$prometheus_port" --log.level=warn >"$work/prometheus.log" 2>&1 &
prometheus_pid=$!
wait_until prometheus "http://127.0.0.1:$prometheus_port/-/ready"
setpriv --pdeathsig TERM env PORT="$port" LISTEN_ADDR=127.0.0.1 GRPC_HEALTH_PORT=0 DRAIN_DELAY=0s \
  REQUEST_TIMEOUT=60s PROMETHEUS_TIMEOUT=55s LOG_LEVEL=warn \
  PROMETHEUS_URL="http://127.0.0.1:$prometheus_port" \
  build/bin/gpu-monitoring-api >"$work/server.log" 2>&1 &
server_pid=$!
wait_until 'the server' "http://127.0.0.1:$port/livez"

{
  printf '## Windows, %s GPUs, %s days of a sample each %s s\n\n' "$gpus" "$days" "$interval"
  # shellcheck disable=SC2016  # Markdown
  printf 'Written by `bench/load/windows.sh` on %s cores. MiB: VmHWM of the server in the request. The last two: seconds of processor time.\n\n' "$(nproc)"
  printf '| request | seconds | bytes | MiB | server | Prometheus |\n|---|---|---|---|---|---|\n'
} | tee -a "$report"
span="start=$((end - days * 86400 + 600))&end=$((end - 300))"
ask "/api/v1/gpu/history?$span&step=1h"
ask "/api/v1/gpu/history?$span&step=1h&aggregate=cluster"
ask "/api/v1/gpu/history?$span&step=1h&node=n5"
ask "/api/v1/gpu/idle?$span"
ask "/api/v1/gpu/ledger?$span&by=namespace"
ask "/api/v1/gpu/missing?$span"
ask "/api/v1/gpu/events?start=$((end - 86400))&end=$((end - 300))"
[ -z "${EXTRA-}" ] || ask "$EXTRA"
