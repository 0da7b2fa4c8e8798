#!/usr/bin/env python3
"""Count the sentences that a run of the tests proved.

tally.py STATUS TESTLOG...: STATUS is what `meson test` returned, each TESTLOG a log it wrote (one JSON value a
line). A test that reports in TAP counts once per sentence, any other once. What was skipped is listed with its
reason; a skip without one is a failure, and so is a run in which nothing passed. What failed stands last, with what
the test said of it: often the end of an output is all that somebody sees.
"""
import itertools
import json
import pathlib
import re
import sys

LINE = re.compile(r"^(ok|not ok)\b[ \d]*(?:- )?([^#\n]*)(?:#\s*(\w+)\s*(.*))?$", re.M)
LAST, WIDTH = 12, 400  # of what a test said that ended as it should not: so many lines, so wide
PLAN_SKIP = re.compile(r"^1\.\.0\s*#\s*skip\w*\s*(.*)$", re.M | re.I)


def sentences(test):
    """Yields (outcome, sentence, reason) for one test of the log."""
    name, out = test["name"], test.get("stdout", "")
    found = LINE.findall(out)
    for verdict, sentence, directive, reason in found:
        if verdict == "ok" and directive.lower().startswith("skip"):
            yield "skipped", f"{name}: {sentence.strip()}", reason
        else:
            yield "passed" if verdict == "ok" else "failed", name, ""
    if test["result"] == "SKIP":
        if not found:
            last = out.strip().splitlines()[-1:] or [""]
            plan = PLAN_SKIP.search(out)
            yield "skipped", name, plan[1] if plan else last[0]
    elif not is_green(test):
        if not any(f[0] == "not ok" for f in found):
            yield "failed", name, ""  # crashed, or ran out of time
    elif not found:
        yield "passed", name, ""


def is_green(test):
    return test["result"] in ("OK", "EXPECTEDFAIL", "SKIP")


def last_words(text):
    """The end of it, without what held and what Meson adds."""
    return [line for line in text.splitlines() if line.strip() and not line.startswith(("ok ", "(test program exited"))][-LAST:]


def troubles(test):
    """What a test said of each sentence that did not hold; or, if there is none, how it ended; and its last errors."""
    name, lines = test["name"], test.get("stdout", "").splitlines()
    red = [i for i, line in enumerate(lines) if line.startswith("not ok")]
    for i in red:
        yield f"failed {name}: {lines[i]}"
        yield from itertools.takewhile(lambda line: line.startswith("#"), lines[i + 1:])
    if not red and not is_green(test):
        yield f"failed {name}: {test['result']}, exit status {test.get('returncode')}"
        yield from last_words(test.get("stdout", ""))
    if red or not is_green(test):
        yield from last_words(test.get("stderr", ""))


def main(status, logs):
    passed, failed, skipped, red = 0, 0, [], []
    for test in [json.loads(line) for log in logs for line in pathlib.Path(log).read_text().splitlines()]:
        for outcome, sentence, reason in sentences(test):
            passed += outcome == "passed"
            failed += outcome == "failed"
            if outcome == "skipped":
                skipped.append((sentence, reason.strip()))
        red += troubles(test)
    for sentence, reason in sorted(skipped):
        print(f"skipped {sentence}: {reason or 'WITHOUT A REASON, which is a failure'}")
        failed += not reason
    for line in red:
        print(line[:WIDTH] if line.startswith("failed ") else f"    {line[:WIDTH]}")
    if status != 0 or passed == 0:
        failed = max(failed, 1)  # it did not build, or nothing ran
    print(f"{passed} passed, {failed} failed" + (f", {len(skipped)} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), [log for log in sys.argv[2:] if pathlib.Path(log).is_file()]))
