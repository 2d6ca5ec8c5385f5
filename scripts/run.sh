#!/bin/bash
# Development mode: starts the server with debug endpoints and heap sampling.
#
# With PROMETHEUS_URL set it serves from that. Without, it also starts a synthetic fleet
# (gpu-exporter --demo) and a real Prometheus that scrapes it, both on free loopback ports, and
# `gpu-monitoring-api collect`, which stores snapshots of that fleet below .run, not at home. All
# of them end together, whichever way it is ended itself.
#
# Variables: PORT (8080), NODES (4), GPUS_PER_NODE (8), SEED (1), SCRAPE_INTERVAL (by fleet size),
# and every variable of the server.
# Exit: 0 ended by Ctrl-C, SIGTERM or a closed terminal; 1 something could not start or died.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/loopback.sh
. scripts/loopback.sh

server=build/bin/gpu-monitoring-api
exporter=build/bin/gpu-exporter
prometheus=.run/tools/usr/bin/prometheus
port=${PORT:-8080}
grpc_port=${GRPC_HEALTH_PORT:-8081}
logs=.run/log
data=.run/demo/$port

say() { printf 'run: %s\n' "$*"; }
die() {
  clear_progress
  printf 'run: %s\n' "$*" >&2
  exit 1
}

progress_shown=
progress() { # one line that grows on a terminal, printed once elsewhere
  if [ -t 1 ]; then
    printf '\r\033[Krun: %s' "$*"
    progress_shown=yes
  elif [ -z "$progress_shown" ]; then
    say "$*"
    progress_shown=no
  fi
}
clear_progress() {
  [ "$progress_shown" != yes ] || printf '\r\033[K'
  progress_shown=
}

# Prints the answer to GET http://127.0.0.1:$1$2, headers and body; empty when there is none.
get() {
  local token=
  [ "$1" != "$port" ] || [ -z "${API_BEARER_TOKEN_FILE-}" ] ||
    token="Authorization: Bearer $(cat "$API_BEARER_TOKEN_FILE")"$'\r\n'
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET %s HTTP/1.0\r\nHost: localhost:%s\r\n%s\r\n' "$2" "$1" "$token" >&3
    timeout --foreground 5 cat <&3
  ) 2>/dev/null || true
}

check_number() { # VARIABLE VALUE MINIMUM MAXIMUM
  [[ $2 =~ ^(0|[1-9][0-9]{0,8})$ && $2 -ge $3 && $2 -le $4 ]] ||
    die "$1=$2 is not allowed; it is a number from $3 to $4"
}

check_port() { # VARIABLE VALUE MINIMUM
  check_number "$1" "$2" "$3" 65535
  [ "$2" -eq 0 ] || ! accepts "$2" ||
    die "port $2 is in use; choose another, for example: $1=$(free_port "$port" "$grpc_port") make run"
}

declare -A pids=()
declare -A log_of=()

# Starts a child that ends with us even when we are killed: the kernel sends it SIGTERM then.
start() { # NAME LOG|- COMMAND...
  local name=$1 log=$2
  shift 2
  if [ "$log" = - ]; then
    setpriv --pdeathsig TERM "$@" &
  else
    setpriv --pdeathsig TERM "$@" >"$log" 2>&1 &
  fi
  pids[$name]=$!
  log_of[$name]=$log
}

running() { [ -n "${pids[$1]-}" ] && kill -0 "${pids[$1]}" 2>/dev/null; }

# Says how child $1 ended, with its last words, and ends everything.
report_death() {
  local status=0
  # Without bash's own words on a child that a signal ended.
  { wait "${pids[$1]}"; } 2>/dev/null || status=$?
  unset "pids[$1]"
  clear_progress
  local log=${log_of[$1]} how="exit code $status"
  [ "$status" -le 128 ] || how="signal $((status - 128))"
  if [ "$log" != - ] && [ -s "$log" ]; then
    tail -n 5 "$log" >&2
    die "$1 ended with $how; its last lines are above, all of them in $log"
  fi
  [ "$log" = - ] || die "$1 ended with $how; it said nothing"
  die "$1 ended with $how; what it said is above"
}

# The server goes first: it may still be asking Prometheus.
stop() {
  local name tick
  for name in collect server prometheus exporter; do
    running "$name" || continue
    kill -TERM "${pids[$name]}" 2>/dev/null || true
    for ((tick = 0; tick < 100; tick++)); do
      running "$name" || break
      sleep 0.1
    done
    ! running "$name" || kill -KILL "${pids[$name]}" 2>/dev/null || true
    wait "${pids[$name]}" 2>/dev/null || true
  done
  rm -rf "$data"
}

ended() { # by a signal
  trap '' HUP INT TERM
  clear_progress
  say 'stopping' || true  # the terminal may be gone
  exit 0
}

write_prometheus_config() { # EXPORTER_PORT
  local gpus=$((${NODES:-4} * ${GPUS_PER_NODE:-8})) interval=1s
  # A scrape that takes longer than the interval brings nothing; it is 64 samples a GPU.
  [ "$gpus" -le 500 ] || interval=5s
  [ "$gpus" -le 5000 ] || interval=15s
  [ "$gpus" -le 20000 ] || interval=60s
  interval=${SCRAPE_INTERVAL:-$interval}
  cat >"$data/prometheus.yml" <<CONFIG
global:
  scrape_interval: $interval
  scrape_timeout: $interval
scrape_configs:
  - job_name: gpu-exporter
    honor_labels: true
    static_configs:
      - targets: ["127.0.0.1:$1"]
CONFIG
}

start_exporter() { # PORT
  start exporter "$logs/exporter-$port.log" "$exporter" --demo --nodes "${NODES:-4}" \
    --gpus-per-node "${GPUS_PER_NODE:-8}" --seed "${SEED:-1}" --listen-addr 127.0.0.1 --port "$1"
}

start_prometheus() { # PORT
  start prometheus "$logs/prometheus-$port.log" "$prometheus" \
    --config.file="$data/prometheus.yml" --storage.tsdb.path="$data/tsdb" \
    --storage.tsdb.retention.time=1d --web.listen-address="127.0.0.1:$1" --log.level=warn
}

# Starts child $1 on a free port, kept in `child_port`, and waits until GET $2 answers 200. Someone
# else may take the port between our look and its bind: then another port is tried.
start_on_free_port() { # NAME PATH
  local name=$1 path=$2 attempt tick
  for attempt in 1 2 3 4 5; do
    child_port=$(free_port "$port" "$grpc_port")
    "start_$name" "$child_port"
    for ((tick = 0; tick < 600; tick++)); do
      progress "starting $name: $((tick / 10)) s"
      if ! running "$name"; then
        [ "$attempt" -lt 5 ] && grep -qiE 'address already in use|port [0-9]+ is in use' "${log_of[$name]}" && continue 2
        report_death "$name"
      fi
      [[ $(get "$child_port" "$path" | head -n 1) != HTTP/1.?' 200'* ]] || return 0
      sleep 0.1
    done
    die "$name did not answer within 60 s; see ${log_of[$name]}"
  done
}

# Ends with a report unless all children named run.
need() { # NAME...
  local name
  for name in "$@"; do
    running "$name" || report_death "$name"
  done
}

# Prometheus looks for new targets every 5 s, so the first scrape takes at least that long.
wait_for_scrape() { # PROMETHEUS_PORT
  local tick answer
  for ((tick = 0; tick < 1500; tick++)); do
    progress "waiting for the first data: $((tick / 5)) s"
    need exporter prometheus
    answer=$(get "$1" '/api/v1/query?query=count(nvidia_gpu_total_memory_bytes)')
    if [[ $answer == *'"value":['* ]]; then
      clear_progress
      return
    fi
    sleep 0.2
  done
  die "no data after 5 minutes; see $logs/prometheus-$port.log and $logs/exporter-$port.log"
}

# Of nothing where FLOW_HEALTH_MONITORING=false switches it off: then it would end at once.
start_collect() { # PROMETHEUS_PORT
  [ "${FLOW_HEALTH_MONITORING:-true}" != false ] || return 0
  PROMETHEUS_URL=http://127.0.0.1:$1 start collect "$logs/collect.log" "$server" collect
  collects=collect
}

wait_for_server() {
  local tick answer
  for ((tick = 0; tick < 240; tick++)); do
    need server prometheus exporter
    answer=$(get "$port" "${BASE_PATH-}/api/v1/gpu/metrics?limit=1")
    [[ $answer != HTTP/1.?' 200'* || $answer != *'"node_name"'* ]] || return 0
    sleep 0.5
  done
  die "the server showed no data within 2 minutes; what it said is above"
}

print_urls() { # PROMETHEUS_PORT EXPORTER_PORT
  local base=http://localhost:$port${BASE_PATH-}
  cat <<URLS

  GPUs        curl $base/api/v1/gpu/metrics
  processes   curl $base/api/v1/gpu/processes
  health      curl $base/api/healthz
  snapshots   curl $base/api/v1/gpu/health/history
  routes      curl $base/api
  Prometheus  http://127.0.0.1:$1
  exporter    http://127.0.0.1:$2/metrics

  ${NODES:-4} nodes of ${GPUS_PER_NODE:-8} synthetic GPUs. Ctrl-C ends everything.

URLS
}

run_demo() {
  local exporter_port prometheus_port child_port collects=
  [ -x "$exporter" ] || die "$exporter is missing; build it with: make build"
  [ -x "$prometheus" ] || die "$prometheus is missing; unpack it with: make deps"
  check_number NODES "${NODES:-4}" 1 100000
  check_number GPUS_PER_NODE "${GPUS_PER_NODE:-8}" 1 1024
  check_number PORT "$port" 1 65535

  rm -rf "$data"
  mkdir -p "$data" "$logs"
  trap ended HUP INT TERM
  trap stop EXIT

  start_on_free_port exporter /livez
  exporter_port=$child_port
  write_prometheus_config "$exporter_port"
  start_on_free_port prometheus /-/ready
  prometheus_port=$child_port
  wait_for_scrape "$prometheus_port"
  export METRICS_DIR=$PWD/$data/metrics
  PROMETHEUS_URL=http://127.0.0.1:$prometheus_port DRAIN_DELAY=${DRAIN_DELAY:-0s} \
    start server - "$server"
  wait_for_server
  start_collect "$prometheus_port"
  # Where bash hears of a child that was killed, it would say so in its own words.
  { print_urls "$prometheus_port" "$exporter_port"; } 2>/dev/null
  while :; do
    # shellcheck disable=SC2086  # no word at all where nothing is collected
    need server prometheus exporter $collects
    { sleep 0.5; } 2>/dev/null
  done
}

[ -x "$server" ] || die "$server is missing; build it with: make build"
check_port PORT "$port" 0
check_port GRPC_HEALTH_PORT "$grpc_port" 0
export DEBUG_ENDPOINTS=${DEBUG_ENDPOINTS:-true}
export TCMALLOC_SAMPLE_PARAMETER=${TCMALLOC_SAMPLE_PARAMETER:-32768}

if [ -n "${PROMETHEUS_URL-}" ]; then
  exec "$server"
fi
run_demo
