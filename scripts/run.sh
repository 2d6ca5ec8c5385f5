#!/bin/bash
# Development mode: starts the server with debug endpoints and heap sampling.
#
# With PROMETHEUS_URL set it serves from that. Without, it also starts a synthetic fleet
# (gpu-exporter --demo) and a real Prometheus that scrapes it, both on free loopback ports, and
# `gpu-monitoring-api collect`, which stores snapshots of that fleet below .run, not at home. All
# of them end together, whichever way it is ended itself. Before that Prometheus starts it is given
# the fleet's last 7 days. They are kept in .run/past: for a day, a later start of the same fleet
# only adds what has passed since.
#
# With --peers, which is `make demo`, it also starts stand-ins for a DStack VMM, a HakuRiver host and
# a GPUd of that fleet (gpu-demo-peers), and tells server and collector of them: so `/health` and
# the commands about these systems have answers, each marked as a demo's.
#
# Variables: PORT (8080), NODES (4), GPUS_PER_NODE (8), SEED (1), SCRAPE_INTERVAL (by fleet size),
# HISTORY (hours of the past: 168, fewer for more than 32 GPUs; 0 for none), and every variable of
# the server.
# Exit: 0 ended by Ctrl-C, SIGTERM or a closed terminal; 1 something could not start or died.

# Before anything else, for any moment will do to end us; `inside` it is all ignored, this too.
heard='' input=''
trap 'heard=yes; [ -z "$input" ] || exec {input}>&-' HUP INT TERM
set -euo pipefail
here=${BASH_SOURCE[0]%/*}
[ "$here" != "${BASH_SOURCE[0]}" ] || here=.
cd "$here/.."
server=build/bin/gpu-monitoring-api

# Does all else in a child that ignores signals, and closes its input to end it. A shell that is
# about to run a command when it hears a signal may take half of that command for the trap's, and
# one that waits for a command may not hear it at all; this one does nothing but wait.
hear_signals() { # [--peers]
  local child status
  # Killed, it cannot tidy up behind a start that came meanwhile.
  exec {input}> >(trap '' HUP INT TERM &&
    exec setpriv --pdeathsig KILL scripts/child.sh $$ scripts/run.sh inside "$@")
  child=$!
  [ -z "$heard" ] || exec {input}>&-
  while :; do
    status=0
    wait "$child" || status=$?
    kill -0 "$child" 2>/dev/null || break
  done
  if [ -n "${PROMETHEUS_URL-}" ] && [ "$status" -eq 0 ]; then
    exec {input}>&-
    # None may be heard and forgotten.
    trap - HUP INT TERM
    [ -n "$heard" ] || exec "$server"
  fi
  # One that a signal ended before it could ignore it had started nothing.
  [ -z "$heard" ] || [ "$status" -le 128 ] || status=0
  exit "$status"
}

if [ "${1-}" != inside ]; then
  export DEBUG_ENDPOINTS=${DEBUG_ENDPOINTS:-true}
  export TCMALLOC_SAMPLE_PARAMETER=${TCMALLOC_SAMPLE_PARAMETER:-131072}
  hear_signals "$@"
fi

# shellcheck source=scripts/loopback.sh
. scripts/loopback.sh

exporter=build/bin/gpu-exporter
peers=build/bin/gpu-demo-peers
prometheus=.run/tools/usr/bin/prometheus
promtool=.run/tools/usr/bin/promtool
port=${PORT:-8080}
grpc_port=${GRPC_HEALTH_PORT:-8081}
logs=.run/log
data=.run/demo/$port
# With an address, which is another at each start, the past would be of other series.
instance=demo
history_hours=0
past_until=0 # Unix seconds: until then the past is taken for the present
making=      # a past that is not whole yet
session=     # of what makes it
errors=2     # where our errors go
wants_peers=
[[ " $* " != *' --peers '* ]] || wants_peers=yes

# Of a terminal that is gone nothing is told: our input is closed too, and that ends us with 0.
# shellcheck disable=SC2059  # the format is an argument
show() { printf "$@" 2>/dev/null || true; } # FORMAT [ARGUMENT...]
say() { show 'run: %s\n' "$*"; }
die() {
  clear_progress
  printf 'run: %s\n' "$*" >&"$errors"
  exit 1
}

# From here on only our errors are seen, not what bash itself says of a child that a signal ended:
# it says so wherever it happens to hear of it.
silence_bash() { exec {errors}>&2 2>/dev/null; }

progress_shown=
progress() { # one line that grows on a terminal, printed once elsewhere
  if [ -t 1 ]; then
    show '\r\033[Krun: %s' "$*"
    progress_shown=yes
  elif [ -z "$progress_shown" ]; then
    say "$*"
    progress_shown=no
  fi
}
clear_progress() {
  [ "$progress_shown" != yes ] || show '\r\033[K'
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

# Starts a child that ends with us even when we are killed: the kernel sends it SIGTERM then, which
# it does not ignore as we do. If we are killed before it has asked for that, it does not start.
start() { # NAME LOG|- COMMAND...
  local name=$1 log=$2
  shift 2
  if [ "$log" = - ]; then
    setpriv --pdeathsig TERM env --default-signal=TERM scripts/child.sh $$ "$@" &
  else
    setpriv --pdeathsig TERM env --default-signal=TERM scripts/child.sh $$ "$@" >"$log" 2>&1 &
  fi 2>&"$errors"
  pids[$name]=$!
  log_of[$name]=$log
}

running() { [ -n "${pids[$1]-}" ] && kill -0 "${pids[$1]}" 2>/dev/null; }

# The exit code of child $1, which has ended, in `status`.
take_status() {
  status=0
  # Without bash's own words on a child that a signal ended.
  { wait "${pids[$1]}"; } 2>/dev/null || status=$?
  unset "pids[$1]"
}

# Says how child $1 ended, with its last words, and ends everything.
report_death() {
  local status
  take_status "$1"
  report_status "$1"
}

report_status() { # NAME, and the exit code in `status`
  clear_progress
  local log=${log_of[$1]} how="exit code $status"
  [ "$status" -le 128 ] || how="signal $((status - 128))"
  if [ "$log" != - ] && [ -s "$log" ]; then
    tail -n 5 "$log" >&"$errors"
    die "$1 ended with $how; its last lines are above, all of them in $log"
  fi
  [ "$log" = - ] || die "$1 ended with $how; it said nothing"
  die "$1 ended with $how; what it said is above"
}

# Waits until a child hears SIGTERM: what we ignore it ignores as well until `env` has run.
await_hearing() { # PID
  local tick line ignored
  for ((tick = 0; tick < 200; tick++)); do
    ignored=0
    while read -r line; do
      [[ $line != SigIgn:* ]] || ignored=${line##*[[:space:]]}
    done 2>/dev/null <"/proc/$1/status" || true
    ((16#$ignored & 0x4000)) || return 0
    sleep 0.05
  done
}

# The server goes first: it may still be asking Prometheus.
stop() {
  local name tick
  silence_bash
  for name in collect server peers prometheus exporter; do
    running "$name" || continue
    await_hearing "${pids[$name]}"
    kill -TERM "${pids[$name]}" 2>/dev/null || true
    for ((tick = 0; tick < 100; tick++)); do
      running "$name" || break
      sleep 0.1
    done
    ! running "$name" || kill -KILL "${pids[$name]}" 2>/dev/null || true
    wait "${pids[$name]}" 2>/dev/null || true
  done
  end_history
  rm -rf "$data" ${making:+"$making"}
}

# What it has made is thrown away, so all of its session is killed. Before it has a session it has
# started nothing.
end_history() {
  [ -e "$data/making" ] || return 0
  ! running history || kill -KILL "${pids[history]}" 2>/dev/null || true
  # While the lock is held, the session's number is nobody else's.
  flock --nonblock "$data/making" true || kill -KILL -- "-$session" 2>/dev/null || true
  flock --timeout 30 "$data/making" true || true
}

# Sleeps, and ends everything if the shell that hears signals has closed our input.
pause() { # SECONDS
  local status=0
  read -r -t "$1" || status=$?
  if [ "$status" -le 128 ]; then
    clear_progress
    say 'stopping'
    exit 0
  fi
}

write_prometheus_config() { # EXPORTER_PORT
  local gpus=$((${NODES:-4} * ${GPUS_PER_NODE:-8})) interval=1s
  # A scrape that takes longer than the interval brings nothing; it is 64 samples a GPU.
  [ "$gpus" -le 500 ] || interval=5s
  [ "$gpus" -le 5000 ] || interval=15s
  [ "$gpus" -le 20000 ] || interval=60s
  interval=${SCRAPE_INTERVAL:-$interval}
  cat 2>&"$errors" >"$data/prometheus.yml" <<CONFIG
global:
  scrape_interval: $interval
  scrape_timeout: $interval
scrape_configs:
  - job_name: gpu-exporter
    honor_labels: true
    static_configs:
      - targets: ["127.0.0.1:$1"]
        labels: {instance: $instance}
CONFIG
}

start_exporter() { # PORT
  start exporter "$logs/exporter-$port.log" "$exporter" --demo --nodes "${NODES:-4}" \
    --gpus-per-node "${GPUS_PER_NODE:-8}" --seed "${SEED:-1}" --listen-addr 127.0.0.1 --port "$1"
}

start_peers() { # PORT
  start peers "$logs/peers-$port.log" "$peers" --nodes "${NODES:-4}" \
    --gpus-per-node "${GPUS_PER_NODE:-8}" --seed "${SEED:-1}" --listen-addr 127.0.0.1 --port "$1"
}

# Whatever was set of these: what is real does not belong beside a synthetic fleet.
use_peers() { # PORT
  stand_ins=peers
  export DSTACK_URL=http://127.0.0.1:$1 HAKURIVER_URL=http://127.0.0.1:$1
  export FLOW_GPUD_BIND=127.0.0.1 FLOW_GPUD_PORT=$1
}

start_prometheus() { # PORT
  start prometheus "$logs/prometheus-$port.log" "$prometheus" \
    --config.file="$data/prometheus.yml" --storage.tsdb.path="$data/tsdb" \
    --storage.tsdb.retention.time=$((history_hours + 24))h --web.listen-address="127.0.0.1:$1" --log.level=warn
}

# How much of a past is made here: what 32 GPUs have in 7 days takes two cores half a minute of work.
choose_history() {
  local gpus=$((${NODES:-4} * ${GPUS_PER_NODE:-8}))
  history_hours=$((32 * 168 / gpus))
  [ "$history_hours" -le 168 ] || history_hours=168
  history_hours=${HISTORY:-$history_hours}
}

history_text() {
  local text="$history_hours hours of history"
  [ $((history_hours % 24)) -ne 0 ] || text="$((history_hours / 24)) days of history"
  [ "$history_hours" -ge 168 ] || [ -n "${HISTORY-}" ] || text+=' (fewer for so many GPUs)'
  printf '%s\n' "$text"
}

# Percent of the past in folder $1 that are made; a slice's text is a third of its work.
history_percent() {
  local slices=0 thirds
  [ ! -s "$1/slices" ] || slices=$(<"$1/slices")
  [ "$slices" -gt 0 ] || slices=1
  thirds=$(compgen -G "$1/progress/*/text" | wc -l || true)
  thirds=$((thirds + 2 * $(compgen -G "$1/progress/*/made" | wc -l || true)))
  printf '%s\n' $((thirds * 100 / (3 * slices)))
}

# Puts blocks of the time after $2 up to $3 into the folder $1/blocks. Beyond $4 there is what to say.
make_blocks() { # FOLDER FROM TO [TEXT]
  local status held
  # Whatever is started there holds this lock: once it is free all of it has ended.
  exec {held}>"$data/making"
  flock "$held"
  # It has nothing to tidy up, so we take it along at once when we are killed.
  JOB=gpu-exporter INSTANCE=$instance start history "$logs/history-$port.log" \
    setpriv --pdeathsig KILL setsid scripts/history.sh "$1" "$2" "$3"
  session=${pids[history]}
  exec {held}>&-
  while running history; do
    [ $# -lt 4 ] || progress "making $4: $(history_percent "$1") %"
    pause 0.1
  done 2>/dev/null # bash's own words, as in silence_bash
  take_status history
  [ "$status" -eq 0 ] || report_status history
}

# Makes sure that $1 is a past of this fleet, whole and not older than a day.
need_past() { # FOLDER
  local folder=$1 now end=0 key
  now=$(date +%s)
  # Another exporter may have had another past.
  key="$(cksum <"$exporter") ${NODES:-4} ${GPUS_PER_NODE:-8} ${SEED:-1} $history_hours"
  [ ! -s "$folder/end" ] || end=$(<"$folder/end")
  if [ -e "$folder/of" ] && [ "$(<"$folder/of")" = "$key" ] && [ "$end" -le "$now" ] &&
    [ $((now - end)) -lt 86400 ]; then
    return
  fi
  # What was killed while it was made, what would not be used again, and this one.
  rm -rf .run/past/*.making "$folder"
  find .run/past -mindepth 1 -maxdepth 1 -type d -mmin +1440 -exec rm -rf {} +
  making=$folder.making
  end=$((now - 300))
  make_blocks "$making" $((end - history_hours * 3600)) "$end" "$(history_text)"
  printf '%s\n' "$key" >"$making/of"
  printf '%s\n' "$end" >"$making/end"
  mv "$making" "$folder"
  making=
}

# Gives Prometheus, before it starts, the past of the fleet.
give_history() {
  local folder lock tick=0 end last
  folder=.run/past/${NODES:-4}-${GPUS_PER_NODE:-8}-${SEED:-1}
  mkdir -p .run/past "$data/tsdb"
  exec {lock}>.run/past/lock
  while ! flock --nonblock "$lock"; do
    progress "another make run makes history; waiting: $((tick++ / 5)) s"
    pause 0.2
  done
  need_past "$folder"
  # Prometheus replaces the files of a block and writes into none.
  cp -al "$folder/blocks/." "$data/tsdb/" 2>/dev/null || cp -a "$folder/blocks/." "$data/tsdb/"
  end=$(<"$folder/end")
  exec {lock}>&-
  # The last sample is taken for the present for five minutes, that is until about the first scrape.
  # Any longer, and jobs that ended meanwhile would seem to be there.
  last=$(($(date +%s) - 293))
  past_until=$((last + 300))
  [ "$last" -gt "$end" ] || return 0
  make_blocks "$data/rest" "$end" "$last"
  mv "$data"/rest/blocks/* "$data/tsdb/"
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
      pause 0.1
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
    # shellcheck disable=SC2086  # no word at all where there is none
    need exporter prometheus $stand_ins
    # Of what is there, only scrapes have this.
    answer=$(get "$1" '/api/v1/query?query=scrape_samples_scraped%3E0')
    if [[ $answer == *'"value":['* && $(date +%s) -gt $past_until ]]; then
      clear_progress
      return
    fi
    pause 0.2
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
    # shellcheck disable=SC2086  # no word at all where there is none
    need server prometheus exporter $stand_ins
    answer=$(get "$port" "${BASE_PATH-}/api/v1/gpu/metrics?limit=1")
    [[ $answer != HTTP/1.?' 200'* || $answer != *'"node_name"'* ]] || return 0
    pause 0.5
  done
  die "the server showed no data within 2 minutes; what it said is above"
}

peer_urls() { # [PORT]
  [ $# -gt 0 ] || return 0
  printf '\n  %-11s %s (demo)' \
    DStack "curl http://localhost:$port${BASE_PATH-}/health" \
    HakuRiver "HAKURIVER_URL=http://127.0.0.1:$1 build/bin/gpuctl vps" \
    GPUd "FLOW_GPUD_PORT=$1 build/bin/gpuctl gpud get /v1/states"
}

print_urls() { # PROMETHEUS_PORT EXPORTER_PORT [PEERS_PORT]
  local base=http://localhost:$port${BASE_PATH-}
  cat <<URLS || true # the terminal may be gone

  dashboard   $base/
  GPUs        curl $base/api/v1/gpu/metrics
  processes   curl $base/api/v1/gpu/processes
  health      curl $base/api/healthz
  snapshots   curl $base/api/v1/gpu/health/history
  routes      curl $base/api
  Prometheus  http://127.0.0.1:$1
  exporter    http://127.0.0.1:$2/metrics$(peer_urls "${@:3}")

  ${NODES:-4} nodes of ${GPUS_PER_NODE:-8} synthetic GPUs. Ctrl-C ends everything.

URLS
}

run_demo() {
  local program exporter_port prometheus_port peers_port='' child_port collects='' stand_ins=''
  for program in "$exporter" ${wants_peers:+"$peers"}; do
    [ -x "$program" ] || die "$program is missing; build it with: make build"
  done
  for program in "$prometheus" "$promtool"; do
    [ -x "$program" ] || die "$program is missing; unpack it with: make deps"
  done
  check_number NODES "${NODES:-4}" 1 100000
  check_number GPUS_PER_NODE "${GPUS_PER_NODE:-8}" 1 1024
  check_number PORT "$port" 1 65535
  check_number HISTORY "${HISTORY:-0}" 0 2160
  [[ ${SEED:-1} =~ ^[0-9]{1,18}$ ]] ||
    die "SEED=$SEED is not allowed; it is a whole number of at most 18 digits"
  [[ ${SCRAPE_INTERVAL:-1s} =~ ^[1-9][0-9]{0,5}(ms|s|m)$ ]] ||
    die "SCRAPE_INTERVAL=$SCRAPE_INTERVAL is not allowed; it is a duration like 500ms or 15s"
  [ $((${NODES:-4} * ${GPUS_PER_NODE:-8})) -le 100000 ] ||
    die "NODES=${NODES:-4} with GPUS_PER_NODE=${GPUS_PER_NODE:-8} are more than 100000 GPUs"
  # It is asked at 127.0.0.1, as localhost, until it shows data.
  [[ ,${ALLOWED_HOSTS:-localhost}, == *,localhost,* ]] ||
    die "ALLOWED_HOSTS=$ALLOWED_HOSTS is not allowed here: make run asks its server as localhost; add that"
  [[ ${LISTEN_ADDR:-0.0.0.0} =~ ^(0\.0\.0\.0|127\.0\.0\.1|localhost|\[::\])(:.*)?$ ]] ||
    die "LISTEN_ADDR=$LISTEN_ADDR is not allowed here: make run asks its server at 127.0.0.1"
  choose_history
  # It would say so itself, but only when all others run.
  PROMETHEUS_URL=http://127.0.0.1:1 "$server" --check-config >/dev/null || exit 1

  rm -rf "$data"
  mkdir -p "$data" "$logs"
  trap stop EXIT

  if [ "$history_hours" -gt 0 ]; then
    give_history
  elif [ -z "${HISTORY-}" ]; then
    say 'no history for so many GPUs; HISTORY=HOURS makes some, and takes its time'
  fi
  silence_bash
  start_on_free_port exporter /livez
  exporter_port=$child_port
  if [ -n "$wants_peers" ]; then
    start_on_free_port peers /livez
    peers_port=$child_port
    use_peers "$peers_port"
  fi
  write_prometheus_config "$exporter_port"
  start_on_free_port prometheus /-/ready
  prometheus_port=$child_port
  wait_for_scrape "$prometheus_port"
  # What is printed and asked here, whatever a configuration file says.
  export METRICS_DIR=$PWD/$data/metrics PORT=$port GRPC_HEALTH_PORT=$grpc_port
  PROMETHEUS_URL=http://127.0.0.1:$prometheus_port DRAIN_DELAY=${DRAIN_DELAY:-0s} \
    start server - "$server"
  wait_for_server
  start_collect "$prometheus_port"
  print_urls "$prometheus_port" "$exporter_port" ${peers_port:+"$peers_port"}
  while :; do
    # shellcheck disable=SC2086  # no word at all where nothing is collected
    need server prometheus exporter $stand_ins $collects
    pause 0.5
  done
}

[ -x "$server" ] || die "$server is missing; build it with: make build"
check_port PORT "$port" 0
check_port GRPC_HEALTH_PORT "$grpc_port" 0
if [ -n "${PROMETHEUS_URL-}" ]; then
  [ -z "$wants_peers" ] ||
    die 'PROMETHEUS_URL is set, but make demo shows a synthetic fleet alone; unset it, or: make run'
  exit 0 # the shell that started us becomes the server
fi
run_demo
