#!/usr/bin/env python3
"""memory.py BUILD: what a node keeps in memory does not grow with what people put and get. TAP."""
import filecmp
import os
import pathlib

import world

MIB = 1 << 20
SIZE, MOST = 192 * MIB, 64 * MIB
KEPT = 512 * MIB  # by a sanitizer: its quarantine of 256 MiB, and its own notes of it


def most(node):
    status = pathlib.Path(f"/proc/{node.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def run(w, tap):
    limit = MOST + (KEPT if world.is_sanitized(w.build / "mesateed") else 0)
    node = world.Node(w).start()
    node.join("admin")
    plain, back = w.dir / "plain", w.dir / "back"
    with open(plain, "wb") as out:
        for _ in range(SIZE // MIB):
            out.write(os.urandom(MIB))
    w.cli("admin", "data", "put", "big", plain)
    tap.ok(most(node) < limit, "a large upload takes bounded memory, however fast it comes", most(node))
    w.cli("admin", "data", "get", "big", back)
    tap.ok(most(node) < limit, "and so does a large download", most(node))
    tap.ok(filecmp.cmp(plain, back, shallow=False), "what comes back is what was put")


if __name__ == "__main__":
    world.main(run)
