#!/usr/bin/env python3
"""The tools that run tests and count them: a bad run never counts as a good one. Reports in TAP. The argument is the
source root."""
import json
import pathlib
import sys
import tempfile

from cases import make, report, sentences, tool


def tally_of(status, *tests):
    with tempfile.TemporaryDirectory() as t:
        log = pathlib.Path(t, "testlog.json")
        log.write_text("".join(json.dumps(dict(zip(("name", "result", "stdout", "stderr"), x))) + "\n" for x in tests))
        return tool("tally.py", status, log)


def tally_counts_sentences_and_plain_tests():
    status, said = tally_of(0, ("a", "OK", "1..2\nok 1 - x\nok 2 - y # SKIP no root\n"), ("b", "OK", "fine"),
                            ("c", "SKIP", "no disk\n"), ("d", "SKIP", "1..0 # skip no net\n"))
    assert (status, said.splitlines()[-1]) == (0, "2 passed, 0 failed, 3 skipped"), said
    for line in "skipped a: y: no root", "skipped c: no disk", "skipped d: no net":
        assert line in said, said


def tally_fails_for_whatever_did_not_pass():
    for status, tests in [
        (0, []),
        (1, [("a", "OK", "ok 1 - x\n")]),
        (0, [("a", "OK", ""), ("b", "FAIL", "")]),
        (0, [("a", "ERROR", "1..2\nok 1 - x\n")]),
        (0, [("a", "TIMEOUT", "ok 1 - x\n")]),
        (0, [("a", "FAIL", "ok 1\nnot ok 2 - y\n")]),
        (0, [("a", "OK", "ok 1\nok 2 - y # SKIP\n")]),
        (0, [("a", "SKIP", "no disk\n")]),
    ]:
        got, said = tally_of(status, *tests)
        assert got == 1 and " 0 failed" not in said, (tests, said)


def tally_ends_with_what_was_said_of_each_failure():
    _, said = tally_of(1, ("a", "FAIL", "ok 1 - w\nnot ok 2 - x\n# 3, not 4\n# twice\nok 3 - y\n# fine\nnot ok 4 - z\n1..4\n"),
                       ("b", "OK", "ok 1 - v\n"), ("c", "ERROR", "ok 1 - u\n# it began\n"), ("d", "TIMEOUT", "waits", "for ever\n(test program exited with status code 1)\n"))
    assert said.splitlines() == [
        "failed a: not ok 2 - x", "    # 3, not 4", "    # twice", "failed a: not ok 4 - z",
        "failed c: ERROR, exit status None", "    # it began", "failed d: TIMEOUT, exit status None", "    waits", "    for ever",
        "4 passed, 4 failed"], said


ADD = "int add(int a, int b)\n{\n    return a + b;\n}\n"
PROJECT = {
    "meson.build": "project('x', 'c')\ntest('adds', executable('adds', 'adds.c', 'add.c'), protocol: 'tap')\n",
    "add.c": ADD,
    "adds.c": '#include <stdio.h>\nint add(int, int);\nint main(void)\n{\n    puts("1..1");\n'
              '    puts(add(1, 2) == 3 ? "ok 1 - one and two" : "not ok 1 - one and two");\n}\n',
    ".gitignore": "build-mutants/\n",
}


def patch(new, promise="sums", test="adds", old="a + b"):
    body = "".join(f" {line}\n" for line in ADD.splitlines()).replace(
        "     return a + b;\n", f"-    return {old};\n+    return {new};\n")
    return f"# Promise: {promise}\n# Test: {test}\n--- a/add.c\n+++ b/add.c\n@@ -1,4 +1,4 @@\n{body}"


MUTANTS = {
    "001-killed": (patch("a - b"), "adds: one and two"),
    "002-equal": (patch("b + a"), "SURVIVES adds"),
    "003-broken": (patch("a +"), "does not compile"),
    "004-old": (patch("a - b", old="a * b"), "does not apply"),
    "005-untested": (patch("a - b", test="nobody"), "there is no test nobody"),
    "006-silent": (patch("a - b", promise=""), "it lacks `# Promise:`"),
}


def mutants_of(names, **changes):
    with tempfile.TemporaryDirectory() as t:
        folder = pathlib.Path(t).resolve()
        (folder / "tests/mutants").mkdir(parents=True)
        for path, text in {**PROJECT, **changes}.items():
            (folder / path).write_text(text)
        for name in names:
            (folder / f"tests/mutants/{name}.patch").write_text(MUTANTS[name][0])
        make("git", "init", "-q", folder)
        return tool("mutants.py", folder)


def a_mutant_that_its_test_sees_is_killed():
    status, said = mutants_of(["001-killed"])
    assert status == 0 and "1 mutants, 1 killed" in said, said


def a_mutant_that_lives_or_is_no_mutant_fails():
    status, said = mutants_of(sorted(MUTANTS))
    assert status == 1 and "6 mutants, 1 killed" in said, said
    for name, (_, words) in MUTANTS.items():
        part = said[said.index(name):].split("\nFAILED")[0]
        assert words in part, f"{name} is not reported as {words!r}: {said}"


def a_test_that_is_red_anyway_kills_nothing():
    status, said = mutants_of(["001-killed"], **{"add.c": ADD.replace("+", "*")})
    assert status == 1 and "its test adds is red without it" in said, said


def no_mutants_at_all_is_a_failure():
    status, said = mutants_of([])
    assert status == 1, said


sys.exit(report(sentences(
    tally_counts_sentences_and_plain_tests, tally_fails_for_whatever_did_not_pass,
    tally_ends_with_what_was_said_of_each_failure,
    a_mutant_that_its_test_sees_is_killed, a_mutant_that_lives_or_is_no_mutant_fails,
    a_test_that_is_red_anyway_kills_nothing, no_mutants_at_all_is_a_failure)))
