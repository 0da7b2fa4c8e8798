#!/bin/sh
# coverage.sh BUILD: run the tests in a build with b_coverage, then print branch coverage by file and by folder of
# lib/ and tee/. Assertions are left out: a false one ends the process, so its branch is never to be taken.
set -eu
cd "$(dirname "$0")/.."
build=$1
ninja -C "$build"
find "$build" -name '*.gcda' -delete
# A node that root starts works as somebody else, who may write no new file here: each finds an empty one, and what
# stays empty was never run. A folder that others cannot enter would lose all that nodes count, and say nothing.
find "$build" -name '*.gcno' | while IFS= read -r note; do : >"${note%no}da"; done
find "$build" -name '*.gcda' -exec chmod 666 {} +
if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid nobody --clear-groups test -x "$build" || echo "coverage.sh: nodes cannot count in $build" >&2
fi
tools/test.sh "$build" || echo 'coverage.sh: the tests are red, so this is not the whole truth' >&2
find "$build" -name '*.gcda' -empty -delete
gcovr --root . --object-directory "$build" --filter 'lib/' --filter 'tee/' --exclude '.*_(test|fuzz|bench)\.[ch]' \
    --exclude-branches-by-pattern '\s*MT_ASSERT\b.*' --exclude-lines-by-pattern '\s*MT_ASSERT\b.*' \
    --json-summary "$build/coverage.json" --html-details "$build/coverage.html" --exclude-throw-branches >/dev/null
python3 - "$build/coverage.json" <<'PY'
import collections
import json
import pathlib
import sys

folders = collections.defaultdict(collections.Counter)
for f in sorted(json.loads(pathlib.Path(sys.argv[1]).read_text())["files"], key=lambda f: f["filename"]):
    parts = {k: f[k] for k in ("branch_total", "branch_covered", "line_total", "line_covered")}
    for key in (f["filename"].rsplit("/", 1)[0], "together"):
        folders[key].update(parts)
percent = lambda part, whole: f"{100 * part / whole:5.1f} %" if whole else "      -"
print(f"{'folder':<28} {'branches':>9} {'covered':>9} {'':>7} {'lines':>7} {'':>7}")
for name in [*(n for n in folders if n != "together"), "together"]:
    c = folders[name]
    print(f"{name:<28} {c['branch_total']:>9} {c['branch_covered']:>9} {percent(c['branch_covered'], c['branch_total'])}"
          f" {c['line_total']:>7} {percent(c['line_covered'], c['line_total'])}")
PY
echo "by line: $build/coverage.html"
