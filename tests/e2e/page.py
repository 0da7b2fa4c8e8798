#!/usr/bin/env python3
"""page.py BUILD PAGE: runs the shell blocks of a page in order, in one shell, against real nodes and real evidence; TAP. Every block has to
succeed, and to print the lines of the text block behind it, in any order, where `...` stands for anything."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

MARK = "@@ end of block"


def blocks(page):
    """(heading, shell, lines that it prints)"""
    heading, found = "", []
    for title, kind, body in re.findall(r"^#+ ([^\n]*)$|^```(sh|text)\n(.*?)^```$", page, re.S | re.M):
        if title:
            heading = title
        elif kind == "sh":
            found.append((heading, body, []))
        else:
            found[-1][2].extend(body.splitlines())
    return found


def is_printed(line, output):
    pattern = ".*".join(re.escape(part) for part in line.split("..."))
    return re.search(rf"^{pattern}", output, re.M) is not None


def run(build, sets, script):
    with tempfile.TemporaryDirectory(prefix="mesatee-e2e-") as work:
        os.chmod(work, 0o711)  # the node may be another user
        env = {**os.environ, "PATH": f"{build}:{os.environ['PATH']}", "SETS": str(sets)}
        return subprocess.run(["sh", "-eu"], input=script, cwd=work, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=200).stdout


def main(build, page):
    found = blocks(page.read_text())
    script = 'node=\ntrap \'[ -z "$node" ] || kill "$node" 2>/dev/null || :\' EXIT\n'
    script += "".join(f"{shell}\necho '{MARK}'\n" for _, shell, _ in found)
    outputs = run(build, page.resolve().parent.parent / "tests/vectors", script).split(MARK + "\n")
    failed = 0
    for n, (heading, shell, lines) in enumerate(found):
        is_done = n + 1 < len(outputs)
        output = outputs[n] if n < len(outputs) else ""
        missing = [line for line in lines if not is_printed(line, output)]
        good = is_done and not missing
        failed += not good
        print(f"{'ok' if good else 'not ok'} {n + 1} - {heading}: {shell.splitlines()[0][:60]}".replace("#", ""))
        if not good:
            print("".join(f"# {line}\n" for line in [f"not printed: {missing}", *output.splitlines()[-15:]]), end="")
    print(f"1..{len(found)}")
    return 1 if failed or len(found) < 5 else 0


sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])))
