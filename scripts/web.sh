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

# Several builds may begin at once.
install() {
  local stamp=$modules/.gpumon-stamp
  exec 9>"$web/.install.lock"
  flock 9
  if [ ! -f "$stamp" ] || [ "$web/package-lock.json" -nt "$stamp" ]; then
    command -v npm >/dev/null || die 'npm is not there; scripts/deps.sh build installs it'
    (cd "$web" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error) >&2 || {
      printf 'web: npm ci failed, see above: no dashboard is built and none is tested\n' >&2
      return 77
    }
    touch "$stamp"
  fi
  exec 9>&-
}

node() {
  local name
  for name in linux-x64 linux-arm64; do
    if [ -x "$modules/node-$name/bin/node" ]; then
      "$modules/node-$name/bin/node" "$@"
      return
    fi
  done
  command node "$@"
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
