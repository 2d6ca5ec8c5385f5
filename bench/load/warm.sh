#!/bin/bash
# A request answered from the snapshot against nginx serving the same bytes from a file: one worker,
# no access log, the better of sendfile on and off. wrk with one thread; the three take turns.
# Prints a Markdown table. Run by load.sh.
# Variables: ROUNDS (3), LOAD_SECONDS (6).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=bench/load/median.sh
. bench/load/median.sh
# shellcheck source=scripts/loopback.sh
. scripts/loopback.sh

rounds=${ROUNDS:-3}
length=${LOAD_SECONDS:-6}
route=/api/v1/gpu/metrics
# shellcheck disable=SC2119  # no port is excluded
port=$(free_port)
nginx=$WORK/nginx

start_nginx() {
  local user=
  mkdir -p "$nginx/on/api/v1/gpu" "$nginx/off/api/v1/gpu"
  curl -sf --max-time 60 -o "$nginx/on$route" "$API_URL$route"
  ln "$nginx/on$route" "$nginx/off$route"
  [ "$(id -u)" -ne 0 ] || user='user root;'
  cat >"$nginx/nginx.conf" <<CONFIG
$user
worker_processes 1;
daemon off;
pid $nginx/nginx.pid;
error_log $nginx/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  default_type application/json;
  keepalive_requests 1000000;
  client_body_temp_path $nginx/body;
  proxy_temp_path $nginx/proxy;
  fastcgi_temp_path $nginx/fastcgi;
  uwsgi_temp_path $nginx/uwsgi;
  scgi_temp_path $nginx/scgi;
  server {
    listen 127.0.0.1:$port;
    location /on/ { sendfile on; root $nginx; }
    location /off/ { sendfile off; root $nginx; }
  }
}
CONFIG
  setpriv --pdeathsig TERM scripts/tool.sh nginx -p "$nginx" -e "$nginx/error.log" \
    -c "$nginx/nginx.conf" >"$nginx/out.log" 2>&1 &
  nginx_pid=$!
  trap 'kill -TERM $nginx_pid 2>/dev/null || true; wait $nginx_pid 2>/dev/null || true' EXIT
  until accepts "$port"; do
    kill -0 "$nginx_pid" 2>/dev/null || {
      tail -n 5 "$nginx/error.log" "$nginx/out.log" >&2
      exit 1
    }
    sleep 0.1
  done
}

# Requests per second; any answer that is not 200 or broke off is a failure of the run.
load() { # URL CONNECTIONS
  local output
  output=$(wrk -t 1 -c "$2" -d "${length}s" --timeout 30s "$1")
  if grep -E 'Non-2xx|Socket errors' <<<"$output" >&2; then
    printf 'warm: errors above from %s with %s connections\n' "$1" "$2" >&2
    exit 1
  fi
  awk '/^Requests\/sec:/ { print $2 }' <<<"$output"
}

nginx_pid=
start_nginx
cat <<TABLE
### Warm request against nginx

Requests per second, medians of $rounds rounds of $length s, $(wc -c <"$nginx/on$route") bytes an answer.

| connections | this server | nginx, sendfile on | nginx, sendfile off | ratio to the better |
|---:|---:|---:|---:|---:|
TABLE
for connections in 1 16 256; do
  for ((round = 0; round < rounds; round++)); do
    load "$API_URL$route" "$connections" >>"$WORK/warm.$connections.ours"
    load "http://127.0.0.1:$port/on$route" "$connections" >>"$WORK/warm.$connections.on"
    load "http://127.0.0.1:$port/off$route" "$connections" >>"$WORK/warm.$connections.off"
  done
  ours=$(median <"$WORK/warm.$connections.ours")
  on=$(median <"$WORK/warm.$connections.on")
  off=$(median <"$WORK/warm.$connections.off")
  better=$(printf '%s\n' "$on" "$off" | sort -g | tail -n 1)
  printf '| %s | %s | %s | %s | %s |\n' "$connections" "$ours" "$on" "$off" "$(ratio "$ours" "$better")"
done
printf '\n'
