#!/bin/bash
# The dashboard's own tools, with the Node.js that web/package-lock.json names.
#
#   scripts/web.sh build DIST OUTPUT.cc [NONE.cc]
#                                         check the types, build the page, write it as a C++ source;
#                                         NONE.cc in its place where npm cannot fetch what it needs
#   scripts/web.sh types                  write src/api/schema.d.ts from openapi.json
#   scripts/web.sh lint                   eslint and prettier
#   scripts/web.sh test                   unit tests
#   scripts/web.sh node FILE [ARG...]     run a script with web/node_modules
#
# What the lock file names is installed into web/node_modules first, when it is not there.
# Exit: 77 where that cannot be fetched.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
web=$root/web
modules=$web/node_modules

die() {
  printf 'web: %s\n' "$*" >&2
  exit 1
}

# With the npm of PATH, or with the program that is given before it.
npm_ci() { # [NODE]
  local npm
  npm=$(command -v npm)
  [ $# -eq 0 ] || npm=$(readlink -f "$npm")
  (cd "$web" && "$@" "$npm" ci --ignore-scripts --no-audit --no-fund --no-update-notifier \
    --loglevel=error) >&2
}

# npm leaves out optional packages that ask for a newer Node.js than the one that it runs on, and
# the page's own tools have such: Debian 12's is too old for them. The lock file's own Node.js is
# among what npm installs in any case, and installs the rest.
fetch() {
  local own major held status=0
  npm_ci || return
  own=$(own_node) || return 0
  major=$(command node -p 'process.versions.node.split(".")[0]') || return 0
  [ "$major" -lt "$("$own" -p 'process.versions.node.split(".")[0]')" ] || return 0
  held=$(mktemp -d)
  cp "$own" "$held/node"
  npm_ci "$held/node" || status=$?
  rm -r "$held"
  return "$status"
}

# Several builds may begin at once.
install() {
  local stamp=$modules/.gpumon-stamp
  exec 9>"$web/.install.lock"
  flock 9
  if [ ! -f "$stamp" ] || [ "$web/package-lock.json" -nt "$stamp" ]; then
    command -v npm >/dev/null || die 'npm is not there; scripts/deps.sh build installs it'
    fetch || {
      printf 'web: npm ci failed, see above: no dashboard is built and none is tested\n' >&2
      return 77
    }
    touch "$stamp"
  fi
  exec 9>&-
}

own_node() {
  local name
  for name in linux-x64 linux-arm64; do
    if [ -x "$modules/node-$name/bin/node" ]; then
      printf '%s\n' "$modules/node-$name/bin/node"
      return
    fi
  done
  return 1
}

node() {
  local own
  if own=$(own_node); then "$own" "$@"; else command node "$@"; fi
}

build() {
  [ $# -ge 2 ] || die 'usage: scripts/web.sh build DIST OUTPUT.cc [NONE.cc]'
  cd "$web"
  node node_modules/typescript/bin/tsc --noEmit
  GPUMON_WEB_OUT=$1 node node_modules/vite/bin/vite.js build --logLevel warn
  node embed.js "$1" "$2"
}

command=${1-}
[ $# -eq 0 ] || shift
case $command in
  build | types | lint | test | node)
    install || {
      status=$?
      [ "$command" = build ] && [ $# -eq 3 ] && [ $status -eq 77 ] || exit "$status"
      cp "$3" "$2"
      exit
    }
    ;;
  *)
    sed -n '2,/^# Exit/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
case $command in
  build) build "$@" ;;
  types)
    cd "$web"
    node node_modules/openapi-typescript/bin/cli.js openapi.json --output src/api/schema.d.ts --alphabetize
    ;;
  lint)
    cd "$web"
    node node_modules/eslint/bin/eslint.js .
    node node_modules/prettier/bin/prettier.cjs --check --log-level warn .
    ;;
  test)
    cd "$web"
    node --disable-warning=ExperimentalWarning --test 'unit/*.test.ts'
    ;;
  node) node "$@" ;;
esac
