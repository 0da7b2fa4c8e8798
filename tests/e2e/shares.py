#!/usr/bin/env python3
"""shares.py BUILD: a node whose key file is lost is opened by holders of shares; who brings a wrong one is named; TAP."""
import base64
import hashlib
import os
import subprocess

import world as the_world
from world import PATIENCE_S, Node


def recover(w, node, *shares):
    done = subprocess.run([w.build / "mesateed", "--config", node.conf, "--recover", *shares],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S)
    w.said.append(done.stdout + done.stderr)
    return done


def bytes_of(share):
    return base64.b32decode(share.read_text().strip().removeprefix("MTSHARE").replace("-", ""))


def forge(share, to):
    """What a holder can do to his own share: another value, under a check that holds."""
    label, body = b"mesatee-share-text-v1", bytearray(bytes_of(share)[:52])
    body[-1] ^= 1
    check = hashlib.sha256(bytes([len(label)]) + label + bytes(body)).digest()[:3]
    to.write_text("MTSHARE" + base64.b32encode(bytes(body) + check).decode() + "\n")
    return to


def holders(w, tap, node):
    """(shares of the set that is lost to nobody, shares of another one)"""
    made = w.json("admin", "keyslot", "add", "--shares", "3/5", "--out", w.dir / "held")
    w.cli("admin", "keyslot", "add", "--shares", "2/2", "--out", w.dir / "others")
    held = [w.dir / "held" / f"share-{i}-of-5" for i in range(1, 6)]
    modes = {p.stat().st_mode & 0o777 for p in held}
    tap.ok(made["shares"] == [str(p) for p in held] and modes == {0o600} and sorted((w.dir / "held").iterdir()) == held,
           "keyslot add --shares writes a file for each holder, that nobody else reads, and no other", f"{made} {modes}")
    slots = w.json("admin", "keyslot", "list")["keyslots"]
    tap.ok([s["kind"] for s in slots] == ["file", "shares", "shares"] and slots[1]["threshold"] == 3 and slots[1]["count"] == 5
           and slots[1]["shares_of"] == made["shares_of"], "keyslot list says whose shares open what", slots)
    again = w.cli("admin", "keyslot", "add", "--shares", "3/5", "--out", w.dir / "held", check=False)
    tap.ok(again.returncode == 1 and "there is a share already" in again.stderr and
           len(w.json("admin", "keyslot", "list")["keyslots"]) == 3, "shares are written over no others", again.stderr)
    return held, [w.dir / "others" / f"share-{i}-of-2" for i in (1, 2)]


def checks(w, tap, held):
    good = w.json("admin", "keyslot", "check", held[1])
    tap.ok(good["slot"] == 1 and good["share"] == 2, "a holder can have his share checked, alone", good)
    typed = w.dir / "typed"
    typed.write_text(held[1].read_text().lower().replace("-", " "))
    assert w.json("admin", "keyslot", "check", typed) == good
    text = held[1].read_text()
    typed.write_text(text[:40] + ("B" if text[40] == "A" else "A") + text[41:])
    done = w.cli("admin", "keyslot", "check", typed, check=False)
    tap.ok(done.returncode == 1 and "mistyped" in done.stderr, "a mistyped share is told from a changed one",
           f"{done.returncode} {done.stderr}")
    done = w.cli("admin", "keyslot", "check", forge(held[1], w.dir / "forged"), check=False)
    tap.ok(done.returncode == 3 and "share 2 of 5" in done.stderr and "changed" in done.stderr, "a changed share is named by its number",
           f"{done.returncode} {done.stderr}")
    done = w.cli("bob", "keyslot", "add", "--shares", "2/3", "--out", w.dir / "stolen", check=False)
    tap.ok(done.returncode == 2 and not list((w.dir / "stolen").glob("*")), "whoever may not add a slot is left with no shares",
           f"{done.returncode} {done.stderr}")


def refusals(w, tap, node, held, others):
    forged = forge(held[3], w.dir / "forged")
    for sentence, shares, path, words in (
            ("a changed share", [held[0], forged, held[4]], forged, "share 4 of 5: a share that was changed"),
            ("a share of another set", [held[0], held[1], others[0]], others[0], "share 1 of 2: a share of another set"),
            ("a share that is given twice", [held[0], held[1], held[0]], held[0], "share 1 of 5: a share that is given twice"),
            ("a file that is no share", [held[0], held[1], w.keyfile], w.keyfile, "a share ")):
        done = recover(w, node, *shares)
        tap.ok(done.returncode == 1 and f"mesateed: {path}: {words}" in done.stderr and "mend: " in done.stderr,
               f"{sentence} is named, with its mend", done.stderr)
    done = recover(w, node, held[0], held[4])
    tap.ok(done.returncode == 1 and "these are fewer shares than it takes" in done.stderr, "fewer than it takes open nothing",
           done.stderr)
    status, log = node.run_to_end()
    tap.ok(status == 1 and "no key slot opens" in log, "and after all that the new key file still opens nothing", log)


def test(w, tap):
    node = Node(w).start()
    node.join("admin")
    node.welcome("alice", "bob")
    rows = w.dir / "rows"
    rows.write_bytes(os.urandom(5000))
    w.cli("alice", "data", "put", "rows", rows)
    held, others = holders(w, tap, node)
    checks(w, tap, held)
    done = recover(w, node, *held[:3])
    tap.ok(done.returncode == 1, "while the node runs nobody else opens its disk", done.stderr)
    node.stop()
    disk = b"".join(p.read_bytes() for p in node.state.rglob("*") if p.is_file()) + node.log.read_bytes()
    tap.ok(not any(bytes_of(p)[20:52] in disk for p in held), "no share is on the node's disk or in its log")

    w.keyfile.chmod(0o644)
    w.keyfile.write_bytes(os.urandom(32))  # the old one is lost
    refusals(w, tap, node, held, others)
    done = recover(w, node, held[4], held[0], held[2])
    tap.ok(done.returncode == 0 and '"event":"recovered"' in done.stderr + done.stdout, "three of five holders open the node",
           done.stdout + done.stderr)
    node.start()
    w.cli("alice", "data", "get", "rows", w.dir / "back")
    kinds = [s["kind"] for s in w.json("admin", "keyslot", "list")["keyslots"]]
    tap.ok((w.dir / "back").read_bytes() == rows.read_bytes() and kinds == ["file", "shares", "shares", "file"],
           "which serves again by its new key file, and has lost nothing", kinds)
    secrets = [p.read_text().strip() for p in held]
    tap.ok(not any(s in said for s in secrets for said in w.said), "nobody has printed a share")


if __name__ == "__main__":
    the_world.main(test)
