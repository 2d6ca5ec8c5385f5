#!/bin/bash
# Functions for scripts that start servers on loopback; sourced, needs nothing but bash.
set -euo pipefail

# Whether something accepts connections on loopback port $1.
accepts() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Prints a port that nobody has, below the range the kernel gives to outgoing connections, and
# none of the arguments.
free_port() {
  local candidate
  while :; do
    candidate=$((20000 + RANDOM % 12000))
    [[ " $* " == *" $candidate "* ]] || accepts "$candidate" || break
  done
  printf '%s\n' "$candidate"
}
