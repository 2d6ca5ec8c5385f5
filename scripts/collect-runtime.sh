#!/bin/bash
# Collects what a program needs to run in an empty file system: itself in usr/bin, with its other
# names (the links to it that lie beside it), gpuctl's manual pages and completions, its shared
# libraries and loader, CA certificates, the name-service configuration, the user it runs as, the
# licences of everything collected, and the list of it that scripts/sbom.sh writes.
#   scripts/collect-runtime.sh FOLDER PROGRAM...
set -euo pipefail
source_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

image=${1:?usage: scripts/collect-runtime.sh FOLDER PROGRAM...}
shift
[ $# -gt 0 ] || {
  printf 'usage: scripts/collect-runtime.sh FOLDER PROGRAM...\n' >&2
  exit 2
}

# Copies files to the same places under the image; a link becomes the file it names.
collect() { # FILE...
  mkdir -p "$image"
  cp --dereference --parents "$@" "$image"
}

# "FILE<TAB>PACKAGE" of each file. A package may know a file by its name before or after /lib became
# a link to /usr/lib.
packages_of() { # FILE...
  local -a real=()
  mapfile -t real < <(realpath "$@")
  { paste <(printf '%s\n' "$@") <(printf '%s\n' "${real[@]}")
    dpkg-query -S "$@" "${@/#//usr}" "${real[@]}" 2>/dev/null || true; } |
    awk -F'\t' -v OFS='\t' '
      NF == 2 { names[++count] = $1; real[$1] = $2; next }
      { owner = $0; sub(/[:,].*/, "", owner); sub(/^[^ ]*: /, ""); package[$0] = owner }
      END {
        for (i = 1; i <= count; i++) {
          name = names[i]
          found = package[name]
          if (found == "") found = package["/usr" name]
          if (found == "") found = package[real[name]]
          if (found != "") { print name, found; continue }
          print "collect-runtime: no package owns " name >"/dev/stderr"
          exit 1
        }
      }'
}

# The licences that the collected copyright files only point to, also as {MPL-1.1,GPL-2}.
collect_common_licences() {
  local folder=/usr/share/common-licenses
  local -a names
  mapfile -t names < <(grep -hoE "$folder/[A-Za-z0-9.{},-]+" "$image"/usr/share/doc/*/copyright |
    sed 's|.*/||; s|\.*$||' | tr -s '{},' '\n' | sed '/^$/d' | sort -u)
  collect "${names[@]/#/$folder/}"
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
  # Shells look for them by the name that is typed.
  local link names=()
  while IFS= read -r link; do names+=("${link##*/}"); done < <(other_names "$1")
  for link in "${names[@]}"; do ln -s gpuctl "$bash/$link"; done
  printf '#compdef %s\n_gpuctl "$@"\n' "${names[*]}" >"$zsh/_gpuctl_links"
}

# What a program may load while it runs, as ldd cannot know: NVIDIA's library and nvidia-smi come
# from the host, are older than the C library that has all in one, and ask for its parts.
loaded_later() { # PROGRAM LIBC
  local part
  [ "${1##*/}" = gpu-exporter ] || return 0
  for part in libdl.so.2 libpthread.so.0 librt.so.1 libm.so.6; do
    printf '%s\n' "${2%/*}/$part"
  done
}

# With these NVIDIA's container tools put the host's library where our loader looks for it.
prepare_for_driver() {
  printf 'include /etc/ld.so.conf.d/*.conf\n' >"$image/etc/ld.so.conf"
  collect /etc/debian_version
}

used= # "PROGRAM<TAB>LIBRARY" lines
mkdir -p "$image/usr/bin"
for program in "$@"; do
  name=${program##*/}
  cp "$program" "$image/usr/bin/"
  while IFS= read -r link; do
    cp --no-dereference "$link" "$image/usr/bin/"
  done < <(other_names "$program")
  [ "$name" != gpuctl ] || write_texts "$program"
  found=$(libraries "$program")
  found+=$'\n'$(loaded_later "$program" "$(grep -m 1 '/libc\.so' <<<"$found")")
  used+=$(sed "/^$/d; s|^|$name\t|" <<<"$found")$'\n'
done
mapfile -t libraries < <(cut -f2 <<<"${used%$'\n'}" | sort -u)
collect "${libraries[@]}"
owners=$(packages_of "${libraries[@]}")
table=$(awk -F'\t' -v OFS='\t' 'NR == FNR { owner[$1] = $2; next } { print $1, owner[$2], $2 }' \
  <(printf '%s\n' "$owners") <(printf '%s' "$used"))$'\n'

certificates=/etc/ssl/certs/ca-certificates.crt
collect "$certificates"
table+=$'*\tca-certificates\t'"$certificates"$'\n'
# Libraries of headers alone are files of no library: their code is in the programs themselves.
for copyright in /usr/share/doc/{rapidjson-dev,libexpected-dev,libboost1.[0-9]*-dev}/copyright; do
  package=${copyright%/copyright}
  table+=$'*\t'"${package##*/}"$'\t-\n'
done
mapfile -t packages < <(cut -f2 <<<"${table%$'\n'}" | sort -u)
packages=("${packages[@]/#//usr/share/doc/}")
collect "${packages[@]/%//copyright}"
collect_common_licences
printf 'hosts: files dns\n' >"$image/etc/nsswitch.conf"
printf 'nonroot:x:65532:65532:nonroot:/:/nonexistent\n' >"$image/etc/passwd"
printf 'nonroot:x:65532:\n' >"$image/etc/group"
[[ " ${*##*/} " != *' gpu-exporter '* ]] || prepare_for_driver
mkdir -p "$image/usr/share/doc/gpu-monitoring"
cp "$source_root/LICENSE" "$source_root/NOTICE" "$image/usr/share/doc/gpu-monitoring/"
"$source_root/scripts/sbom.sh" "$image" <<<"${table%$'\n'}"
# For a volume: with a read-only root nothing can be written elsewhere.
mkdir -p "$image/tmp"
chmod 1777 "$image/tmp"
