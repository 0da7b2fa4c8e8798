#!/usr/bin/env python3
"""The tables of attacks and threats cannot lie. Reports in TAP. The argument is the source root."""
import json
import pathlib
import sys
import tempfile

from cases import report, sentences, tool

GOOD = "| a flip | `bits`: a flipped bit is found<br>`bits`: or it is named<br>`node`: 7 flips are found | 001-flip |"
ATTACKS = "| attack | tests | mutants |\n|---|---|---|\n"
THREATS = "| who lies | about what | answer | folder | shown by |\n|---|---|---|---|---|\n"
THREAT = "| the disk | bits | tags | tee | `bits`, `node` |"


def verdict_on(attack=GOOD, threat=THREAT, mutant="# Promise: bits\n# Test: bits\n"):
    with tempfile.TemporaryDirectory() as t:
        root = pathlib.Path(t).resolve()
        for folder in ("docs", "tests/mutants", "build/meson-info"):
            (root / folder).mkdir(parents=True)
        files = {
            "docs/attacks.md": ATTACKS + attack + "\n", "THREATS.md": THREATS + threat + "\n",
            "tests/mutants/001-flip.patch": mutant, "bits.c": 'MT_TEST(a_flipped_bit_is_found), other(a_lie)\nok("or it is "\n   "named", x);\n',
            "node.py": 'count = 7\nok(True, f"{count} flips "\n   "are found")\nprint(f"{count}")\n',
            "build/meson-info/intro-targets.json": json.dumps([
                {"id": "b", "filename": [str(root / "build/bits")], "target_sources": [{"sources": [str(root / "bits.c")]}]}]),
            "build/meson-info/intro-tests.json": json.dumps([
                {"name": "bits", "cmd": [str(root / "build/bits")], "depends": ["b"]},
                {"name": "node", "cmd": [str(root / "node.py"), "build"], "depends": ["b"]}]),
        }
        for path, text in files.items():
            (root / path).write_text(text)
        return tool("attacks.py", root, root / "build")


def rows_that_hold_are_counted():
    status, said = verdict_on()
    assert status == 0 and "2 rows hold" in said, said


def a_row_that_names_what_is_not_there_fails():
    for change, why in [
        ({"attack": GOOD.replace("`bits`", "`bytes`")}, "no test bytes"),
        ({"attack": GOOD.replace("is named", "is")}, "bits does not say: or it is"),
        ({"attack": GOOD.replace("bit is found", "bit is lost")}, "bits does not say: a flipped bit is lost"),
        ({"attack": GOOD.replace("a flipped bit is found", "a lie")}, "bits does not say"),
        ({"attack": GOOD.replace("7 flips are found", "7 flips")}, "node does not say"),
        ({"attack": GOOD.replace("`node`: 7", "7")}, "not `test`: sentence"),
        ({"attack": GOOD.replace("001-flip", "002-flip")}, "no mutant 002-flip"),
        ({"attack": GOOD.replace("001-flip", "-")}, "no mutant -"),
        ({"attack": GOOD.replace(" | 001-flip", "")}, "other columns"),
        ({"mutant": "# Promise: bits\n# Test: bytes\n"}, "not for a test of this row"),
        ({"mutant": "# Promise: bits\n"}, "not for a test of this row"),
        ({"threat": THREAT.replace("`node`", "`nodes`")}, "no test nodes"),
        ({"threat": THREAT.replace("`", "")}, "no test shows it"),
        ({"threat": THREAT.replace(" | tee", "")}, "other columns"),
    ]:
        status, said = verdict_on(**change)
        assert status == 1 and why in said, (change, said)


def no_rows_at_all_is_a_failure():
    status, said = verdict_on(attack="", threat="")
    assert status == 1, said


sys.exit(report(sentences(rows_that_hold_are_counted, a_row_that_names_what_is_not_there_fails, no_rows_at_all_is_a_failure)))
