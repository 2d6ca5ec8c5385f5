#!/bin/bash
# Compares the whole server with what it stands between, on one machine, over loopback only:
#
#   cold.sh     a request for an instant never asked before, with the same raw queries by curl
#   warm.sh     a request answered from the snapshot, with nginx serving the same bytes
#   refresh.sh  processor time of one refresh, memory after load
#
# Starts a demo fleet, lets a real Prometheus scrape it once, starts the server, runs the steps named
# (all by default) and appends their tables to the report.
#   bench/load/load.sh [REPORT.md [STEP...]]      default report: build/bench/load.md
#
# Variables: NODES (1250), GPUS_PER_NODE (8), SEED (1), SURROUNDINGS (none: the nine metrics that
# the two lists are made of; gpu and all add series that nobody asks for here); PAIRS, ROUNDS, LOAD_SECONDS: see the steps.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=scripts/loopback.sh
. scripts/loopback.sh

report=${1:-build/bench/load.md}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- cold warm refresh
nodes=${NODES:-1250}
per_node=${GPUS_PER_NODE:-8}

work=$PWD/.run/load.$$
mkdir -p "$work" "$(dirname "$report")"
exporter_pid='' prometheus_pid='' server_pid=''

# Ends a child and waits for it.
end() { # PID
  [ -n "$1" ] || return 0
  kill -TERM "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

cleanup() {
  end "$server_pid"
  end "$prometheus_pid"
  end "$exporter_pid"
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

fail() {
  printf 'load: %s\n' "$*" >&2
  tail -n 5 "$work"/*.log >&2 2>/dev/null || true
  exit 1
}

# Polls until the command succeeds; gives up after $1 seconds or when child $2 has ended.
wait_until() { # SECONDS PID WHAT COMMAND...
  local limit=$((SECONDS + $1)) pid=$2 what=$3
  shift 3
  until "$@"; do
    kill -0 "$pid" 2>/dev/null || fail "$what: the program ended"
    [ "$SECONDS" -lt "$limit" ] || fail "$what: not within the time allowed"
    sleep 0.2
  done
}

answers() { curl -sf -o /dev/null --max-time 20 "$1"; }

# The one number that a PromQL query gives, or nothing.
number() {
  curl -sf --max-time 60 --data-urlencode "query=$1" "$PROMETHEUS_URL/api/v1/query" |
    jq -r '.data.result[0].value[1] // empty'
}

start_prometheus() { # CONFIG
  setpriv --pdeathsig TERM scripts/tool.sh prometheus --config.file="$1" \
    --storage.tsdb.path="$work/tsdb" --web.listen-address="127.0.0.1:$prometheus_port" \
    --query.lookback-delta=1h --log.level=warn >>"$work/prometheus.log" 2>&1 &
  prometheus_pid=$!
  wait_until 120 "$prometheus_pid" 'starting prometheus' answers "$PROMETHEUS_URL/-/ready"
}

scraped() { [ -n "$(number 'count(nvidia_gpu_total_memory_bytes)')" ]; }

# A Prometheus that is killed cannot mark its series stale: after a start without targets the one
# scrape stays current, and nothing else happens on the machine.
scrape_once() {
  printf 'load: %s nodes of %s GPUs, scraped once\n' "$nodes" "$per_node"
  local exporter_port
  exporter_port=$(free_port "$prometheus_port")
  setpriv --pdeathsig TERM build/bin/gpu-exporter --demo --nodes "$nodes" \
    --gpus-per-node "$per_node" --seed "${SEED:-1}" --surroundings "${SURROUNDINGS:-none}" --listen-addr 127.0.0.1 --port "$exporter_port" \
    >"$work/exporter.log" 2>&1 &
  exporter_pid=$!
  wait_until 60 "$exporter_pid" 'starting gpu-exporter' accepts "$exporter_port"

  cat >"$work/scrape.yml" <<CONFIG
global: {scrape_interval: 20s, scrape_timeout: 20s}
scrape_configs:
  - job_name: gpu-exporter
    honor_labels: true
    static_configs: [{targets: ["127.0.0.1:$exporter_port"]}]
CONFIG
  start_prometheus "$work/scrape.yml"
  wait_until 120 "$prometheus_pid" 'the first scrape' scraped
  kill -KILL "$prometheus_pid"
  end "$prometheus_pid"
  end "$exporter_pid"
  exporter_pid=
  printf 'global: {query_log_file: %s}\n' "$work/queries.log" >"$work/serve.yml"
  start_prometheus "$work/serve.yml"
  SCRAPED_AT=$(number 'max(timestamp(nvidia_gpu_total_memory_bytes))')
  [ -n "$SCRAPED_AT" ] || fail 'prometheus lost the scrape'
}

start_server() {
  local port
  port=$(free_port "$prometheus_port")
  API_URL=http://127.0.0.1:$port
  # Long times: a snapshot must live through one comparison, and nothing here is about deadlines.
  setpriv --pdeathsig TERM env PORT="$port" LISTEN_ADDR=127.0.0.1 GRPC_HEALTH_PORT=0 CACHE_TTL=10m \
    REQUEST_TIMEOUT=60s PROMETHEUS_TIMEOUT=55s PROMETHEUS_MAX_RESPONSE_BYTES=256MiB \
    DRAIN_DELAY=0s LOG_LEVEL=warn PROMETHEUS_URL="$PROMETHEUS_URL" \
    build/bin/gpu-monitoring-api >"$work/server.log" 2>&1 &
  server_pid=$!
  wait_until 30 "$server_pid" 'starting the server' answers "$API_URL/livez"
}

# Asks the server once for a past instant and lets Prometheus's query log tell what it asked.
record_queries() {
  curl -sf -o /dev/null --max-time 60 "$API_URL/api/v1/gpu/metrics?at=$SCRAPED_AT" ||
    fail 'the server has no answer for the instant of the scrape'
  jq -r --arg at "$SCRAPED_AT" '
    select((.params.start | sub("\\.\\d+Z$"; "Z") | fromdate) == ($at | tonumber | floor))
    | .params.query' "$work/queries.log" | sort -u >"$QUERIES"
  [ -s "$QUERIES" ] || fail 'the query log of prometheus is empty'
  # Logging would cost the raw queries and ours alike; it has done its work.
  printf 'global: {}\n' >"$work/serve.yml"
  kill -HUP "$prometheus_pid"
}

prometheus_port=$(free_port)
export PROMETHEUS_URL=http://127.0.0.1:$prometheus_port
export WORK=$work QUERIES=$work/queries.txt API_URL SCRAPED_AT
scrape_once
start_server
record_queries
API_PID=$server_pid
export API_PID

rows=$(curl -sf "$API_URL/api/v1/gpu/metrics?at=$SCRAPED_AT" | jq '.data | length')
{
  printf '## Whole server, %s GPUs\n\n' "$rows"
  # shellcheck disable=SC2016  # Markdown
  printf 'Written by `make bench` on %s cores (%s), %s GiB of memory.\n\n' "$(nproc)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
    "$(awk '/^MemTotal:/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)"
} >"$report"
for step in "$@"; do
  printf 'load: %s\n' "$step"
  "bench/load/$step.sh" | tee -a "$report"
  kill -0 "$server_pid" 2>/dev/null || fail "the server ended during $step"
done
printf 'load: report in %s\n' "$report"
