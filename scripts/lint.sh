#!/bin/bash
# Checks format (clang-format), code (clang-tidy), scripts (shellcheck), the Dockerfile and the
# layers. By default of the files that changed since the branch left main (on main: since the last
# commit), with what is not committed yet; LINT=all checks every file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tidy=clang-tidy-14
format=clang-format-14
jobs=$(scripts/jobs.sh)

# The commit that the changes are counted from; empty when there is none before.
base() {
  local main
  for main in origin/main main; do
    if git rev-parse -q --verify "$main" >/dev/null &&
      [ "$(git rev-parse "$main")" != "$(git rev-parse HEAD)" ]; then
      git merge-base "$main" HEAD && return
    fi
  done
  git rev-parse -q --verify HEAD~1 || true
}

files() {
  if [ "${LINT-}" = all ]; then
    git ls-files --cached --others --exclude-standard
  else
    local from
    from=$(base)
    if [ -n "$from" ]; then git diff --name-only --diff-filter=d "$from"; else git ls-files; fi
    git ls-files --others --exclude-standard
  fi | sort -u
}

failed=0
step() { # NAME COMMAND...
  local name=$1
  shift
  printf '== %s\n' "$name"
  "$@" || {
    printf 'lint: %s failed\n' "$name" >&2
    failed=1
  }
}

if ! git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
  printf 'lint: this is no git checkout, so there is no list of files\n' >&2
  exit 1
fi

mapfile -t changed < <(files | while IFS= read -r file; do [ ! -f "$file" ] || printf '%s\n' "$file"; done)
sources=() units=() shells=()
for file in "${changed[@]}"; do
  case $file in
    *.h | *.cc) sources+=("$file") ;;&
    *.cc) units+=("$file") ;;
    *.sh | .ci/run) shells+=("$file") ;;
  esac
done

[ ${#sources[@]} -eq 0 ] ||
  step "clang-format (${#sources[@]} files)" "$format" --dry-run -Werror "${sources[@]}"
[ ${#shells[@]} -eq 0 ] || step "shellcheck (${#shells[@]} files)" shellcheck "${shells[@]}"

# A header is checked through the .cc files that include it; a changed header alone through its own.
for file in "${sources[@]}"; do
  [[ $file != *.h || ! -f ${file%.h}.cc ]] || units+=("${file%.h}.cc")
done
if [ ${#units[@]} -gt 0 ]; then
  cmake --preset clang >/dev/null
  mapfile -t units < <(printf '%s\n' "${units[@]}" | sort -u |
    while IFS= read -r file; do
      ! grep -qF "\"file\": \"$PWD/$file\"" build/clang/compile_commands.json || printf '%s\n' "$file"
    done)
fi
if [ ${#units[@]} -gt 0 ]; then
  step "clang-tidy (${#units[@]} files)" \
    xargs -P "$jobs" -n 1 "$tidy" -p build/clang --quiet < <(printf '%s\n' "${units[@]}")
fi

scripts/build.sh release layers_test
step 'Dockerfile and layers' ctest --preset release -R '^(layers|tooling/dockerfile)'

exit "$failed"
