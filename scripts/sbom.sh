#!/bin/bash
# Says what an image made by collect-runtime.sh consists of, in usr/share/doc/gpu-monitoring:
#   sbom.cdx.json   CycloneDX 1.5: each program, each package with its files and their SHA-256, what
#                   is compiled in, and which program needs which package
#   licences.txt    package, version, where the texts of its licences lie, what these are
# The same programs and packages give the same bytes.
#   scripts/sbom.sh IMAGE <TABLE
# TABLE has tab-separated lines: PROGRAM PACKAGE FILE. PROGRAM is * for all of them, FILE is the
# path in the image, or - where the package is compiled in. What the server's page is made of comes
# from web/package-lock.json.
set -euo pipefail
source_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

image=${1:?usage: scripts/sbom.sh IMAGE <TABLE}
target=$image/usr/share/doc/gpu-monitoring
page=gpu-monitoring-api
# shellcheck source=/dev/null
distribution=$(. /etc/os-release && printf '%s' "$ID")
# shellcheck source=/dev/null
release=$(. /etc/os-release && printf '%s' "${VERSION_ID-}")
version=$(sed -nE 's/^project\(.* VERSION ([0-9.]+).*/\1/p' "$source_root/CMakeLists.txt")
table=$(sort -u)
mapfile -t programs < <(cut -f1 <<<"$table" | grep -vxF '*' | sort -u)
mapfile -t packages < <(cut -f2 <<<"$table" | sort -u)

# What follows prints facts: tab-separated lines, the first word says what of.

# npm NAME VERSION LICENCE of what web/package-lock.json puts into the page.
npm_facts() {
  [[ " ${programs[*]} " == *" $page "* ]] || return 0
  awk -F'"' -v OFS='\t' -v page="$page" '
    /^    "node_modules\// { name = $2; sub(/^node_modules\//, "", name); own = 1 }
    /^      "version":/ { version = $4 }
    /^      "license":/ { licence = $4 }
    /^      "(dev|optional)": true/ { own = 0 }
    /^    }/ { if (name != "" && own) print "npm", name, version, licence, page; name = "" }
  ' "$source_root/web/package-lock.json"
}

# licence PACKAGE NAME: the short names of a copyright file in Debian's format, else the common
# licences that it points to.
licence_facts() {
  (cd "$image/usr/share/doc" && awk -v OFS='\t' '
    FNR == 1 { package = FILENAME; sub(/\/.*/, "", package) }
    /^License: *[^ ]/ { sub(/^License: */, ""); named[package] = 1; print "licence", package, $0 }
    match($0, /\/usr\/share\/common-licenses\/[A-Za-z0-9.-]+/) {
      name = substr($0, RSTART + 27, RLENGTH - 27); sub(/\.$/, "", name)
      common[package "\t" name] = package
    }
    END { for (one in common) if (!(common[one] in named)) print "licence", one }
  ' "${packages[@]/%//copyright}") | sort -u
}

facts() {
  awk -v OFS='\t' '{ print "use", $0 }' <<<"$table"
  dpkg-query -W -f='package\t${Package}\t${Version}\t${Architecture}\n' "${packages[@]}" | sort
  licence_facts
  npm_facts
  # "HASH  FILE", both with and without the folder of programs.
  (cd "$image" && { printf 'usr/bin/%s\n' "${programs[@]}"
    cut -f3 <<<"$table" | sed '/^-$/d; s|^/||'; } | sort -u | xargs -d '\n' sha256sum) |
    awk -v OFS='\t' '{ print "hash", "/" substr($0, 67), $1 }'
}

mkdir -p "$target"
facts | awk -F'\t' -v distribution="$distribution" -v release="$release" -v version="$version" \
  -v programs="${programs[*]}" -v list="$target/licences.txt" -f "$source_root/scripts/sbom.awk" \
  >"$target/sbom.cdx.json"
