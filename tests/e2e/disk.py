#!/usr/bin/env python3
"""disk.py BUILD: what a node does when its disk lies, loses, fills up or fails; TAP."""
import fcntl
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import threading
import time

import world as the_world
from crash import pages
from world import IS_ROOT, PATIENCE_S, Node, until

POSITIONS = 8  # of each file, at which a bit is flipped


def what_of(log):
    """The reason that the node gives."""
    found = re.findall(r'"what":"([^"]*)"', log)
    return found[-1] if found else ""


def fill(w, node):
    """Some of everything: users, versions small and large, a run, a grant, a snapshot."""
    node.start()
    node.join("admin")
    node.welcome("alice", "bob")
    for name, size in (("base", 40), ("small", 3000), ("large", 700000)):
        path = w.dir / name
        path.write_bytes(os.urandom(size))
        w.cli("alice", "data", "put", name, path)
    w.cli("alice", "data", "grant", "base", "bob", "--right", "see")
    task = w.dir / "task.json"
    task.write_text(json.dumps(the_world.TASK))
    made = w.json("alice", "task", "create", task)["task"]
    w.cli("alice", "task", "approve", made)
    w.cli("alice", "task", "run", made)
    for i in range(60):  # enough for a snapshot at the end
        w.cli("alice", "data", "put", "many", w.dir / "base")
    assert node.stop() == 0
    return made


class Clone:
    """Takes the node's disk back to what it was; and alice's memory, for else she would find that out."""

    def __init__(self, node):
        self.node, self.copy, w = node, node.world.dir / "copy", node.world
        self.pairs = [(node.state, self.copy), (w.dir / "alice", w.dir / "alice.copy")]
        for at, copy in self.pairs:
            shutil.copytree(at, copy)

    def back(self):
        self.node.kill()
        for at, copy in self.pairs:
            shutil.rmtree(at)
            shutil.copytree(copy, at)
        self.node.own()


def flip(path, at, bit):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ (1 << bit)]))


def positions(r, size):
    edges = {0, size - 1, size // 2}
    return sorted(edges | {r.randrange(size) for _ in range(POSITIONS - len(edges))})


def serves(w, name, at):
    """Whether alice gets exactly what she once put; None if she is refused and gets no file."""
    back = w.dir / "back"
    back.unlink(missing_ok=True)
    done = w.cli("alice", "data", "get", name, back, check=False)
    if done.returncode == 0:
        return back.read_bytes() == at.read_bytes()
    return None if not back.exists() else False


def test_flips(w, tap, node, clone):
    """One bit at a time, in every file that the node left."""
    r, reasons, bad, count = random.Random(7), {}, [], 0
    objects = r.sample(node.files("objects/*"), 5) + sorted(node.files("objects/*"), key=lambda p: -p.stat().st_size)[:1]
    for path in [p for p in node.files() if p.parent.name != "objects" or p in objects]:
        size, name = path.stat().st_size, str(path.relative_to(node.state))
        for at in positions(r, size) if size > 0 else []:
            count += 1
            clone.back()
            flip(path, at, r.randrange(8))
            kind = name.split("/")[0]
            if kind == "objects":
                node.start()
                got = [serves(w, n, w.dir / n) for n in ("base", "small", "large")]
                if False in got or w.cli("alice", "data", "list", check=False).returncode != 0:
                    bad.append(f"{name} at {at}: served {got}")
                reasons.setdefault(kind, set()).add("the object is refused, all else is served")
                node.kill()
            elif kind == "snapshot":
                node.start()
                if '"snapshot_refused":1' not in node.last_words(9) or serves(w, "large", w.dir / "large") is not True:
                    bad.append(f"{name} at {at}: {node.last_words(9)}")
                reasons.setdefault(kind, set()).add("set aside, mentioned; everything is replayed")
                node.kill()
            else:
                status, log = node.run_to_end()
                names_it = f'"file":"{kind}","mend":"' in log
                if status != 1 or not what_of(log) or not names_it:
                    bad.append(f"{name} at {at}: status {status}, {log}")
                reasons.setdefault(kind, set()).add(what_of(log))
    for kind, words in sorted(reasons.items()):
        print(f"# {kind}: {'; '.join(sorted(words))}")
    kinds = {"ledger", "objects", "platform.mts", "shred.mts", "slots", "snapshot"}
    tap.ok(not bad and set(reasons) == kinds, f"a flipped bit is detected, named and never served: {count} bits in every "
           "file of the state directory", "\n".join(bad) or f"files: {sorted(reasons)}")


def test_missing(w, tap, node, clone):
    for pattern, reason in (("slots/*", "the key slots are gone"), ("platform.mts", "the platform key is gone"),
                            ("shred.mts", "the shred keys are gone"), ("ledger/*", "the ledger is gone")):
        clone.back()
        for path in node.files(pattern):
            path.unlink()
        left = sorted(node.files())
        status, log = node.run_to_end()
        tap.ok(status == 1 and reason in what_of(log) and sorted(node.files()) == left,
               f"without {pattern} it says that {reason}, and makes no new ones", log)
    clone.back()
    for path in node.files("objects/*"):
        path.unlink()
    node.start()
    tap.ok([serves(w, n, w.dir / n) for n in ("small", "large")] == [None, None], "objects that are gone are refused")


def test_swapped(w, tap, node, clone):
    clone.back()
    objects = sorted(node.files("objects/*"), key=lambda p: p.stat().st_size)
    a, b = objects[-1], objects[-2]
    spare = w.dir / "spare"
    a.rename(spare), b.rename(a), spare.rename(b)
    node.start()
    tap.ok(False not in [serves(w, n, w.dir / n) for n in ("small", "large")]
           and serves(w, "large", w.dir / "large") is None, "objects that changed places are refused")
    node.kill()
    other = Node(w, "other", state=w.dir / "other.state")
    other.start()
    other.stop()
    for pattern, reason in (("ledger/*", ""), ("shred.mts", ""), ("platform.mts", ""), ("slots/*", "")):
        clone.back()
        for mine, theirs in zip(node.files(pattern), other.files(pattern)):
            mine.unlink()
            shutil.copy(theirs, node.state / theirs.relative_to(other.state))
        node.own()
        status, log = node.run_to_end()
        tap.ok(status == 1 and what_of(log) != "", f"{pattern} of another node with the same key file is refused: "
               f"{what_of(log)}", log)
    clone.back()
    foreign = node.state / "ledger" / "not-ours"
    foreign.write_bytes(b"x" * 5000)
    (node.state / "objects" / "stranger").write_bytes(b"x")
    (node.state / "staging" / "left-over").write_bytes(b"x")
    node.own()
    node.start()
    tap.ok(serves(w, "large", w.dir / "large") is True, "files that are nobody's change nothing")
    node.kill()


def crc32c(content):
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def next_version(path, at, sector=None, known=1):
    """As a program of the next version would have written it, checksum and all."""
    content = bytearray(path.read_bytes())
    content[at] = known + 1
    if sector is not None:
        begin = sector * 512
        content[begin + 507:begin + 511] = struct.pack("<I", crc32c(content[begin:begin + 507]))
    path.write_bytes(content)


def test_versions(w, tap, node, clone):
    said = {}
    for what, pattern, at, sector, known in (("chunk", "ledger/*.mtl", 8, 0, 1), ("block", "ledger/*.mtl", 512 + 4, 1, 1),
                                             ("key slot", "slots/*", 1, None, 2)):
        clone.back()
        next_version(node.files(pattern)[0], at, sector, known)
        left = [p.read_bytes() for p in node.files()]
        status, log = node.run_to_end()
        said[what] = (status == 1 and what_of(log) == f"a {what} of another version" and "another version of this" in log
                      and [p.read_bytes() for p in node.files()] == left, what_of(log))
    clone.back()
    next_version(node.files("snapshot/*")[0], 8)
    node.start()
    words = node.last_words(9)
    said["snapshot"] = ('"snapshot_refused":1' in words and serves(w, "large", w.dir / "large") is True, words)
    node.kill()
    tap.ok(all(holds for holds, _ in said.values()), "what a program of the next version wrote is refused by name, and "
           "left as it is; a snapshot is set aside", said)


def test_fork(w, tap, node, clone, task):
    """Two clones of one disk go on apart; each client sees one of them. Their receipts tell."""
    receipts = []
    for side in ("left", "right"):
        clone.back()
        shutil.rmtree(w.dir / f"alice-{side}", ignore_errors=True)
        shutil.copytree(w.dir / "alice", w.dir / f"alice-{side}")
        node.start()
        run = w.json(f"alice-{side}", "task", "run", task)["run"]
        w.cli(f"alice-{side}", "receipt", "get", task, w.dir / f"{side}.receipt", "--run", run)
        receipts.append(w.dir / f"{side}.receipt")
        node.kill()
    verified = all(w.cli("alice", "receipt", "verify", r, check=False).returncode == 0 for r in receipts)
    done = w.cli("alice", "receipt", "compare", *receipts, check=False)
    tap.ok(verified and done.returncode == 3, "two clones that went on apart are found by comparing receipts",
           done.stdout + done.stderr)


def test_full(w, tap):
    sentence = "on a full disk what is refused says so, nothing acknowledged is lost, and the node recovers with room"
    disk = w.dir / "full"
    disk.mkdir()
    if not IS_ROOT or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m,mode=711", "tmpfs", disk]).returncode:
        tap.skip(sentence, "a small file system cannot be mounted here")
        return
    try:
        node = Node(w, "fullnode", state=disk / "state").start()
        node.join("admin")
        node.welcome("dave")
        path, kept, refusals = w.dir / "piece", [], []
        for i in range(300):
            path.write_bytes(os.urandom(w.random.choice([200000, 3000])))
            done = w.cli("dave", "--json", "data", "put", f"piece{i}", path, check=False)
            if done.returncode == 0:
                kept.append((f"piece{i}", path.read_bytes()))
            else:
                refusals.append(done.stderr)
            if node.process.poll() is not None or len(refusals) > 20:
                break
        is_named = any("the disk is full" in text for text in refusals + [node.last_words(9)])
        node.kill()
        subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
        node.start()
        back = w.dir / "back"
        lost = [n for n, content in kept if w.cli("dave", "data", "get", n, back, check=False).returncode != 0
                or back.read_bytes() != content]
        path.write_bytes(b"more")
        more = w.cli("dave", "data", "put", "more", path, check=False)
        tap.ok(refusals and kept and is_named and not lost and more.returncode == 0, sentence,
               f"{len(kept)} kept, lost {lost}, said {refusals[:2]}, {node.last_words(5)}, {more.stderr}")
        node.kill()
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def can_trace():
    try:
        return subprocess.run(["strace", "-qq", "-e", "inject=getppid:retval=1", "true"], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def test_sync_fails(w, tap):
    sentence = "a write that the disk fails to keep is never acknowledged, the node stops, and goes on from what is durable"
    if not can_trace():
        tap.skip(sentence, "strace is not here, or may not trace")
        return
    node = Node(w, "eio").start()
    node.join("admin")
    node.welcome("erin", "dora")
    node.stop()
    path, faults, said = w.dir / "piece", [], set()
    for call, error in (("fdatasync", "EIO"), ("pwrite64", "ENOSPC"), ("renameat", "EIO"), ("fsync", "EIO")):
        node.start("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                   f"inject={call}:error={error}:when=12+")
        kept = []
        for i in range(40):
            path.write_bytes(os.urandom(2000 if i % 2 else 90000))
            done = w.cli("erin", "--json", "data", "put", f"{call}{error}", path, check=False)
            if done.returncode == 0:
                kept.append(json.loads(done.stdout)["commitment"])
            else:
                break
        said.add(json.loads(done.stderr).get("check", "") if done.stderr.startswith("{") else done.stderr.strip())
        words = ""
        if call in ("fdatasync", "pwrite64"):  # the ledger needs these for every block
            for _ in range(20):
                done = w.cli("erin", "data", "grant", f"{call}{error}", "dora", "--right", "see", check=False)
                if done.returncode != 0:
                    break
            try:
                status = node.process.wait(PATIENCE_S)
                node.process = None
                node.wait_for_lock()
            except subprocess.TimeoutExpired:
                status = None
            words = node.last_words(9)
            said.add(what_of(words))
            if status != 1 or "ledger-dead" not in words:
                faults.append(f"{call} {error}: the node did not stop: {status}, {words}")
        node.kill()
        node.start()
        shown = w.json("erin", "data", "show", f"{call}{error}")["versions"] if kept else []
        there = {v["commitment"] for v in shown}
        if done.returncode == 0 or not set(kept) <= there:
            faults.append(f"{call} {error}: {len(kept)} kept, {len(there)} there, {done.stderr}, {words}")
        node.kill()
    print(f"# {'; '.join(sorted(said))}")
    tap.ok(not faults, sentence, "\n".join(faults))


class Power:
    """A file system in a file, whose power can be cut in the kernel."""

    def __init__(self, w):
        self.image, self.at = w.dir / "image", w.dir / "power"
        self.at.mkdir()
        with open(self.image, "wb") as f:
            f.truncate(96 << 20)

    def make(self):
        steps = (["mkfs.ext4", "-q", "-F", self.image], ["mount", "-o", "loop", self.image, self.at])
        try:
            return IS_ROOT and all(subprocess.run(s, stderr=subprocess.DEVNULL).returncode == 0 for s in steps)
        except OSError:
            return False

    def cut(self):
        fd = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, 0x8004587D, struct.pack("I", 2))  # EXT4_IOC_SHUTDOWN, without flushing the journal
        finally:
            os.close(fd)

    def again(self):
        subprocess.run(["umount", self.at], check=True)
        subprocess.run(["mount", "-o", "loop", self.image, self.at], check=True)

    def end(self):
        subprocess.run(["umount", "-l", self.at], check=False)


def test_power(w, tap, rounds=5):
    sentence = f"when the power of the disk is cut under load, {rounds} times, everything acknowledged is there"
    power = Power(w)
    if not power.make():
        tap.skip(sentence, "a file system in a file cannot be mounted here")
        return
    try:
        power.at.chmod(0o711)
        node = Node(w, "powernode", state=power.at / "state").start()
        node.join("admin")
        node.welcome("heidi")
        acknowledged, lost = [], []
        for i in range(rounds):
            def load(name):
                path = w.dir / name
                while True:
                    path.write_bytes(os.urandom(w.random.choice([900, 150000])))
                    done = w.cli("heidi", "--json", "data", "put", name, path, check=False)
                    if done.returncode != 0:
                        return
                    acknowledged.append((name, json.loads(done.stdout)["commitment"]))
            threads = [threading.Thread(target=load, args=(f"power{k}",)) for k in range(3)]
            for t in threads:
                t.start()
            until(lambda: len(acknowledged) > i)
            time.sleep(w.random.uniform(0.1, 0.5))
            power.cut()
            for t in threads:
                t.join()
            node.kill()
            power.again()
            node.start()
            there = {}
            for name, commitment in acknowledged:
                if name not in there:
                    show = lambda *more, name=name: w.json("heidi", "data", "show", name, *more)["versions"]
                    there[name] = {v["commitment"] for v in pages(show, "version")}
                if commitment not in there[name]:
                    lost.append((name, commitment))
        back = w.dir / "back"
        opened = w.cli("heidi", "data", "get", acknowledged[-1][0], back, check=False)
        tap.ok(acknowledged and not lost and opened.returncode == 0, sentence, f"lost {lost}, {opened.stderr}")
        print(f"# {len(acknowledged)} writes acknowledged")
        node.kill()
    finally:
        power.end()


def test(w, tap):
    node = Node(w)
    task = fill(w, node)
    clone = Clone(node)
    began = time.monotonic()
    for run, words in ((test_flips, (node, clone)), (test_missing, (node, clone)), (test_swapped, (node, clone)),
                       (test_versions, (node, clone)), (test_fork, (node, clone, task)), (test_full, ()),
                       (test_sync_fails, ()), (test_power, ())):
        run(w, tap, *words)
        print(f"# {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    the_world.main(test)
