#!/usr/bin/env python3
"""hold.py BUILD: nothing leaves a node before it is durable; TAP. Apart from disk.py, so that a mutant is noticed soon."""
import subprocess

import world as the_world
from disk import can_trace
from world import Node


def test(w, tap):
    sentence = "while a sync does not return nothing leaves, not even what others read; a kill ends it and nothing is lost"
    if not can_trace():
        tap.skip(sentence, "strace is not here, or may not trace")
        return
    node = Node(w, "hang").start()
    node.join("admin")
    node.welcome("frank", "grace")
    path = w.dir / "piece"
    path.write_bytes(b"x" * 500)
    w.cli("frank", "data", "put", "before", path)
    node.stop()
    # Only ledger writes call fdatasync after that many: a small body and no upload.
    node.start("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e",
               "inject=fdatasync:delay_enter=60000000:when=8+", timeout=60)
    answers = []

    def ask(who, *words):
        try:
            done = w.cli(who, *words, check=False, timeout=3)
            answers.append((words, done.returncode))
        except subprocess.TimeoutExpired:
            answers.append((words, None))

    for _ in range(12):  # until one does not come back
        ask("frank", "data", "grant", "before", "grace", "--right", "see")
        if answers[-1][1] is None:
            break
    # Her list would show what is appended and not durable.
    ask("grace", "data", "list")
    held = [a for a in answers if a[1] is None]
    granted = sum(a[1] == 0 for a in answers if a[0][1] == "grant")
    node.kill()
    node.start()
    shown = w.json("frank", "data", "show", "before")
    there = len(shown["versions"]) == 1 and len(shown["grants"]) >= granted
    tap.ok(len(held) == 2 and answers[-1][1] is None and there, sentence, f"{answers}, {shown}")
    node.kill()


if __name__ == "__main__":
    the_world.main(test)
