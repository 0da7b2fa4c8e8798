#!/usr/bin/env python3
"""hold.py BUILD: nothing leaves a node before it is durable; TAP. Apart from disk.py, so that a mutant is noticed soon."""
import collections
import re
import subprocess

import world as the_world
from disk import can_trace
from world import Node, until

HELD = 8  # of a thread's syncs: some before are the start's
SILENCE_S = 3  # long for an answer that nothing holds


def ask(w, who, *words):
    return subprocess.Popen([w.build / "mesatee", "--home", w.dir / who, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


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
    trace = w.dir / "trace"
    node.start("strace", "-f", "-qq", "-o", trace, "-e", "trace=fdatasync", "-e",
               f"inject=fdatasync:delay_enter=600000000:when={HELD}+")
    grant = ("frank", "data", "grant", "before", "grace", "--right", "see")
    asked = []

    def is_held():
        return max(collections.Counter(re.findall(r"^(\d+) +fdatasync\(", trace.read_text(), re.M)).values(), default=0) >= HELD

    while not is_held() and len(asked) < 2 * HELD:
        asked.append(ask(w, *grant))
        until(lambda: asked[-1].poll() is not None or is_held())
    # Her list would show what is appended and not durable.
    late = [ask(w, *grant), ask(w, "grace", "data", "list")]
    until(lambda: any(a.poll() is not None for a in late), SILENCE_S)
    answers = [a.poll() for a in asked + late]
    holds = is_held() and answers[-2:] == [None, None]
    node.kill()
    for a in asked + late:
        a.wait()
    node.start()
    shown = w.json("frank", "data", "show", "before")
    there = len(shown["versions"]) == 1 and len(shown["grants"]) >= answers.count(0)
    tap.ok(holds and there, sentence, f"{answers}, {shown}, {trace.read_text()[-200:]}")
    node.kill()


if __name__ == "__main__":
    the_world.main(test)
