#!/bin/bash
# Collects what a program needs to run in an empty file system: itself in usr/bin, with its other
# names (the links to it that lie beside it), gpuctl's manual pages and completions, its shared
# libraries and loader, CA certificates, the name-service configuration, the user it runs as, and
# the licences of everything collected.
#   scripts/collect-runtime.sh FOLDER PROGRAM...
set -euo pipefail
source_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

image=${1:?usage: scripts/collect-runtime.sh FOLDER PROGRAM...}
shift
[ $# -gt 0 ] || {
  printf 'usage: scripts/collect-runtime.sh FOLDER PROGRAM...\n' >&2
  exit 2
}

# Copies a file to the same place under the image; a link becomes the file it names.
collect() {
  mkdir -p "$image${1%/*}"
  cp --dereference "$1" "$image$1"
}

# The copyright files of the packages that these files are from. A package may know a file by its
# name before or after /lib became a link to /usr/lib.
collect_licences() {
  local -a names=()
  local file owners package
  for file in "$@"; do
    names+=("$file" "/usr$file" "$(realpath "$file")")
  done
  owners=$(dpkg-query -S "${names[@]}" 2>/dev/null || true)
  for file in "$@"; do
    package=$(awk -F': ' -v a="$file" -v b="/usr$file" -v c="$(realpath "$file")" \
      '$2 == a || $2 == b || $2 == c { sub(/[:,].*/, "", $1); print $1; exit }' <<<"$owners")
    [ -n "$package" ] || {
      printf 'collect-runtime: no package owns %s\n' "$file" >&2
      return 1
    }
    collect "/usr/share/doc/$package/copyright"
  done
}

# The licences that the collected copyright files only point to, also as {MPL-1.1,GPL-2}.
collect_common_licences() {
  local folder=/usr/share/common-licenses names name
  names=$(grep -hoE "$folder/[A-Za-z0-9.{},-]+" "$image"/usr/share/doc/*/copyright |
    sed 's|.*/||; y|{},|   |; s|\.*$||' | sort -u)
  for name in $names; do
    collect "$folder/$name"
  done
}

libraries() { # PROGRAM
  local listed
  listed=$(ldd "$1")
  if grep 'not found' <<<"$listed" >&2; then
    printf 'collect-runtime: %s lacks the libraries above\n' "$1" >&2
    return 1
  fi
  grep -oE '/[^ ]+\.so[^ ]*' <<<"$listed" | sort -u
}

# The links in a program's folder that lead to it by its bare name.
other_names() { # PROGRAM
  local link
  for link in "${1%/*}"/*; do
    [ ! -L "$link" ] || [ "$(readlink "$link")" != "${1##*/}" ] || printf '%s\n' "$link"
  done
}

# Where Debian has them, so that a package or a layer of another image can take them as they lie.
write_texts() { # GPUCTL
  local man=$image/usr/share/man/man1
  local bash=$image/usr/share/bash-completion/completions zsh=$image/usr/share/zsh/vendor-completions
  mkdir -p "$man" "$bash" "$zsh"
  "$1" man --directory "$man"
  gzip -9nf "$man"/gpuctl*.1
  "$1" completion bash >"$bash/gpuctl"
  "$1" completion zsh >"$zsh/_gpuctl"
}

needed=
for program in "$@"; do
  mkdir -p "$image/usr/bin"
  cp "$program" "$image/usr/bin/"
  while IFS= read -r link; do
    cp --no-dereference "$link" "$image/usr/bin/"
  done < <(other_names "$program")
  [ "${program##*/}" != gpuctl ] || write_texts "$program"
  found=$(libraries "$program")
  needed+=$found$'\n'
done
mapfile -t libraries < <(sort -u <<<"${needed%$'\n'}")
for library in "${libraries[@]}"; do
  collect "$library"
done
collect_licences "${libraries[@]}"

collect /etc/ssl/certs/ca-certificates.crt
collect /usr/share/doc/ca-certificates/copyright
# Libraries of headers alone are files of no library: their code is in the programs themselves.
for copyright in /usr/share/doc/{rapidjson-dev,libexpected-dev,libboost1.[0-9]*-dev}/copyright; do
  collect "$copyright"
done
collect_common_licences
printf 'hosts: files dns\n' >"$image/etc/nsswitch.conf"
printf 'nonroot:x:65532:65532:nonroot:/:/nonexistent\n' >"$image/etc/passwd"
printf 'nonroot:x:65532:\n' >"$image/etc/group"
mkdir -p "$image/usr/share/doc/gpu-monitoring"
cp "$source_root/LICENSE" "$source_root/NOTICE" "$image/usr/share/doc/gpu-monitoring/"
# For a volume: with a read-only root nothing can be written elsewhere.
mkdir -p "$image/tmp"
chmod 1777 "$image/tmp"
