#!/usr/bin/env python3
"""backup.py BUILD: a node is backed up while clients write, lost, restored, and opened again by its administrator; TAP."""
import json
import os
import shutil
import subprocess
import threading

import world as the_world
from world import PATIENCE_S, Node, until


def mesateed_restore(w, node, backup, secret, *more):
    done = subprocess.run([w.build / "mesateed", "--config", node.conf, "--restore", backup, "--secret", secret, *more],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S)
    w.said.append(done.stdout + done.stderr)
    return done


def readable(w, path):
    path.chmod(0o644)
    return path


def test(w, tap):
    node = Node(w).start()
    node.join("admin")
    node.welcome("alice", "bob")
    contents = {}
    for name, size in (("base", 60), ("large", 900000), ("empty", 0)):
        path = w.dir / name
        path.write_bytes(os.urandom(size))
        contents[name] = path.read_bytes()
        w.cli("alice", "data", "put", name, path)
    task = w.dir / "task.json"
    task.write_text(json.dumps(the_world.TASK))
    made = w.json("alice", "task", "create", task)["task"]
    w.cli("alice", "task", "approve", made)
    run = w.json("alice", "task", "run", made)["run"]
    w.cli("alice", "receipt", "get", made, w.dir / "old.receipt", "--run", run)
    secret = w.dir / "backup.key"
    secret.write_bytes(os.urandom(32))
    backup = w.dir / "node.mtb"

    done = w.cli("alice", "backup", backup, "--secret", secret, check=False)
    tap.ok(done.returncode == 2 and not backup.exists(), "a user gets no backup, and no file", done.stderr)
    done = w.cli("admin", "backup", backup, "--secret", w.dir / "base", check=False)
    assert done.returncode == 0
    backup.unlink()
    short = w.dir / "short"
    short.write_bytes(b"x" * 31)
    done = w.cli("admin", "backup", backup, "--secret", short, check=False)
    tap.ok(done.returncode == 1 and "at least 32 bytes" in done.stderr and not backup.exists(),
           "a key file that is too short is refused", done.stderr)

    # While others write.
    acknowledged, is_over = [], threading.Event()

    def load():
        while not is_over.is_set():
            if w.cli("bob", "--json", "data", "put", "load", w.dir / "large", check=False).returncode == 0:
                acknowledged.append(1)

    writer = threading.Thread(target=load)
    writer.start()
    until(lambda: acknowledged)
    before = len(acknowledged)
    done = w.cli("admin", "backup", backup, "--secret", secret)
    is_over.set()
    writer.join()
    tap.ok(backup.stat().st_mode & 0o777 == 0o600 and backup.stat().st_size > 900000,
           "a backup is taken while clients write, and is nobody else's to read", done.stdout)
    audited = w.cli("admin", "audit", "list").stdout
    tap.ok("backup.get" in audited, "and is in the audit log")
    text = backup.read_bytes()
    tap.ok(contents["base"] not in text and contents["large"][:64] not in text and w.keyfile.read_bytes() not in text
           and secret.read_bytes() not in text, "it shows neither data nor keys")
    after = w.dir / "after"
    after.write_bytes(b"written behind the backup's back")
    w.cli("alice", "data", "put", "after", after)
    for who in ("admin", "bob", "alice"):
        w.cli(who, "data", "list")  # their heads are beyond the backup's
    node.stop()
    lost = w.dir / "lost.state"
    node.state.rename(lost)

    # What is no backup of this, or not whole, is refused by name, and leaves nothing that starts.
    readable(w, backup)
    readable(w, secret)
    w.keyfile.chmod(0o644)
    for sentence, reason, change in (
            ("a truncated backup", "the backup is cut off", lambda b: b[:len(b) // 2]),
            ("a backup without its last byte", "the backup is cut off", lambda b: b[:-1]),
            ("an edited backup", "the backup is not as it was written", lambda b: b[:5000] + bytes([b[5000] ^ 1]) + b[5001:]),
            ("a backup with an edited head", "this is not the credential", lambda b: b[:120] + bytes([b[120] ^ 1]) + b[121:]),
            ("a file that is no backup", "this is no backup of a node", lambda b: b"x" * 1000)):
        broken = w.dir / "broken"
        broken.write_bytes(change(text))
        done = mesateed_restore(w, node, readable(w, broken), secret)
        status, log = node.run_to_end()
        tap.ok(done.returncode == 1 and reason in done.stderr and status == 1, f"{sentence} is refused, and leaves no node",
               f"{done.stderr} {status} {log}")
        shutil.rmtree(node.state)
    done = mesateed_restore(w, node, backup, w.keyfile)
    tap.ok(done.returncode == 1 and "this is not the credential" in done.stderr, "another credential is refused", done.stderr)
    shutil.rmtree(node.state)

    # A new machine, with a key file of its own.
    w.keyfile.write_bytes(os.urandom(32))
    done = mesateed_restore(w, node, backup, secret)
    tap.ok(done.returncode == 0, "the backup is restored", done.stderr)
    done = mesateed_restore(w, node, backup, secret)
    tap.ok(done.returncode == 1 and "not empty" in done.stderr, "but not over a node", done.stderr)
    node.start()
    done = w.cli("alice", "data", "list", check=False)
    tap.ok(done.returncode == 3 and "ledger-rolled-back" in done.stderr,
           "a client who has seen more notices, until the administrator has spoken", done.stderr)
    shutil.copytree(w.dir / "bob", w.dir / "naive")
    context = w.dir / "naive" / "contexts" / "node.json"
    known = json.loads(context.read_text())
    known["size"] = 0
    context.write_text(json.dumps(known, separators=(",", ":")))
    done = w.cli("naive", "data", "list", check=False)
    tap.ok(done.returncode != 0 and "serves nobody until an administrator" in done.stderr,
           "and one who knows nothing is told to wait", done.stderr)
    done = w.cli("admin", "restore")
    tap.ok("is given up" in done.stdout and "Nothing is signed yet" in done.stdout,
           "the administrator sees what is given up before anything is signed", done.stdout)
    done = w.cli("alice", "restore", "--yes", check=False)
    tap.ok(done.returncode == 2, "a user cannot open the epoch", done.stderr)
    node.stop()
    node.start()  # it still waits
    done = w.cli("admin", "restore", "--yes")
    tap.ok("recovery_epoch: 1" in done.stdout, "the administrator signs, and the next epoch begins", done.stdout)
    done = w.cli("admin", "restore", "--yes", check=False)
    tap.ok(done.returncode == 1, "once")
    done = w.cli("alice", "data", "list", check=False)
    tap.ok(done.returncode == 0 and "recovery epoch 1" in done.stderr, "clients are told of the new epoch", done.stderr)
    done = w.cli("alice", "data", "list", check=False)
    tap.ok(done.returncode == 0 and "recovery epoch" not in done.stderr, "once", done.stderr)
    back, wrong = w.dir / "back", []
    for name, content in contents.items():
        got = w.cli("alice", "data", "get", name, back, check=False)
        if got.returncode != 0 or back.read_bytes() != content:
            wrong.append(name + got.stderr)
    w.cli("bob", "data", "get", "load", back)
    versions = len(w.json("bob", "data", "show", "load")["versions"])
    tap.ok(not wrong and versions >= before and back.read_bytes() == contents["large"],
           "the restored node serves the same data", f"{wrong} {versions} {before}")
    done = w.cli("alice", "data", "show", "after", check=False)
    tap.ok(done.returncode != 0, "what came after the backup is gone")
    done = w.cli("alice", "receipt", "verify", w.dir / "old.receipt", check=False)
    tap.ok(done.returncode == 0, "old receipts verify", done.stderr)
    run = w.json("alice", "task", "run", made)["run"]
    w.cli("alice", "receipt", "get", made, w.dir / "new.receipt", "--run", run)
    done = w.cli("alice", "receipt", "compare", w.dir / "old.receipt", w.dir / "new.receipt", check=False)
    tap.ok(done.returncode == 0, "and agree with new ones", done.stdout + done.stderr)
    done = w.cli("admin", "audit", "verify", check=False)
    tap.ok(done.returncode == 0, "the audit log rebuilds the tree", done.stderr)
    node.stop()
    node.start()
    tap.ok(w.json("alice", "status")["recovery_epoch"] == 1, "the epoch stays, and nothing waits any more")
    node.stop()

    # The old disk, brought back, is of an epoch that is over.
    shutil.rmtree(node.state)
    lost.rename(node.state)
    node.run_to_end()
    done = w.cli("alice", "data", "list", check=False)
    tap.ok(done.returncode != 0, "the old disk does not open under the new machine's key file")


if __name__ == "__main__":
    the_world.main(test)
