#!/bin/sh
# reproducible.sh ROOT BUILD PROGRAM...: the measurement is a function of the source. Builds the tree once more, at a
# path of another length and depth, and compares the programs byte for byte with those in BUILD.
set -eu
root=$1 build=$2
shift 2
other=$(mktemp -d)
trap 'rm -rf "$other"' EXIT
src=$other/a/path/that/is/longer
mkdir -p "$src"
# What belongs to the source: with git, what it tracks or would; without, all but build folders.
(cd "$root" && { git ls-files -co --exclude-standard 2>/dev/null || find . -type f -not -path './build*'; }) |
    while IFS= read -r f; do [ ! -f "$root/$f" ] || echo "$f"; done >"$other/files"
tar -C "$root" -cf - -T "$other/files" | tar -C "$src" -xf -
CC=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[0]["command"].split()[0])' \
    "$build/compile_commands.json")
export CC
meson setup "$src/out/build" "$src" >"$other/log" 2>&1 || { cat "$other/log"; exit 1; }
ninja -C "$src/out/build" "$@" >"$other/log" 2>&1 || { tail -30 "$other/log"; exit 1; }
rc=0
for program; do
    here=$(sha256sum <"$build/$program") there=$(sha256sum <"$src/out/build/$program")
    echo "$program: ${here%% *}"
    [ "$here" = "$there" ] || { echo "$program: built elsewhere it is ${there%% *}"; rc=1; }
done
exit $rc
