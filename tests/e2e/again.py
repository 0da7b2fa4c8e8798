#!/usr/bin/env python3
"""again.py BUILD: a verdict on a connection that stays open is renewed, and ends the session when it has turned; TAP."""
import json
import shutil
import socket
import subprocess
import time

import world as the_world
from world import PATIENCE_S, Node

REFUSED, NOT_GENUINE = 2, 3
AGE_S = 1
TRIES = 20  # at what has to be done within that


def counted(path):
    """What the node has counted: connections and requests."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE_S)
        s.connect(str(path))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = b""
        while piece := s.recv(65536):
            got += piece
    lines = [line.split() for line in got.decode().splitlines() if line.startswith("mesatee_")]
    numbers = {line[0]: int(line[1]) for line in lines}
    return numbers["mesatee_connections_accepted_total"], numbers["mesatee_requests_total"]


class Client:
    """A program that keeps its connection, and asks when it is told to."""

    def __init__(self, w, who, seconds):
        self.process = subprocess.Popen([w.build / "tests/again", w.dir / who, str(seconds), w.dir / "got.csv"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self):
        self.process.stdin.write("ask\n")
        self.process.stdin.flush()
        status, _, why = self.process.stdout.readline().rstrip("\n").partition(" ")
        return int(status), why

    def end(self):
        self.process.stdin.close()
        return self.process.wait(timeout=PATIENCE_S)


def age():
    time.sleep(AGE_S + 0.1)


def policies(w, node):
    """The one that knows the node, one that knows another, and one that is somebody else's."""
    kept = w.dir / "admin/contexts/node.policy"
    good, other = w.dir / "good.policy", w.dir / "other.policy"
    shutil.copy(kept, good)
    w.cli("admin", "policy", "new", other, "--identity", "admin", "--name", "node", "--platform", node.public["platform"],
          "--measurement", "00" * 32)
    return kept, good, other, w.dir / "alice.node.policy"


def holds(client, kept, good, other):
    """With the other policy, when there was time to ask before the verdict is old."""
    for _ in range(TRIES):
        shutil.copy(good, kept)
        age()
        begun = time.monotonic()
        client.ask()
        shutil.copy(other, kept)
        status, why = client.ask()
        if status == 0 or time.monotonic() - begun < AGE_S:
            break
    return status == 0, "until then it holds", why


def requests(w, tap, node, sock):
    kept, good, other, foreign = policies(w, node)
    client, old = Client(w, "admin", AGE_S), Client(w, "admin", 600)
    first, late = client.ask(), old.ask()
    begun = counted(sock)
    held = old.ask()
    before = counted(sock)
    age()
    second = client.ask()
    after = counted(sock)
    tap.ok(first == held == second == late == (0, ""), "a verdict that is old is renewed before the next request", f"{first} {second}")
    tap.ok(after == (begun[0], before[1] + before[1] - begun[1] + 1), "on the same connection, by one request more",
           f"{begun} {before} {after}")
    tap.ok(*holds(client, kept, good, other))
    age()
    before = counted(sock)
    status, why = client.ask()
    after = counted(sock)
    tap.ok(status == REFUSED and "measurement-unknown" in why, "a policy that is another by then ends the session, by its rule", why)
    tap.ok(after == (before[0], before[1] + 1), "and the request has not left", f"{before} {after}")
    status, why = client.ask()
    tap.ok(status == REFUSED, "nor does it on another connection", why)
    tap.ok(old.ask()[0] == 0, "who trusts a verdict for longer is not disturbed")
    shutil.copy(foreign, kept)
    status, why = client.ask()
    tap.ok(status == NOT_GENUINE and "policy-signer" in why, "a policy that its owner has not signed is none", why)
    shutil.copy(good, kept)
    status, why = client.ask()
    tap.ok(status == 0, "when the policy knows the node again, so does the session", why)
    node.stop()
    node.start()
    age()
    status, why = client.ask()
    tap.ok(status == 0, "a node that was started again meanwhile is judged by the whole round of a new connection", why)
    tap.ok(client.end() == 0 and old.end() == 0, "both end")
    return kept, good, other


def watch(w, tap, node, kept, good, other):
    path = w.dir / "task.json"
    path.write_text(json.dumps({**the_world.TASK, "runs": 1,
                                "not_after_ms": int(time.time() * 1000) + 3600000}))
    task = w.json("admin", "task", "create", path)["task"]
    process = subprocess.Popen([w.build / "mesatee", "task", "watch", task, "--renew", str(AGE_S)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env={"MESATEE_HOME": str(w.dir / "admin"), "PATH": "/usr/bin"})
    created = process.stdout.readline()
    age()
    w.cli("admin", "task", "approve", task)
    approved = process.stdout.readline()
    tap.ok("created" in created and "approved" in approved, "a watch goes on where it was", created + approved)
    age()
    shutil.copy(other, kept)
    said = process.communicate(timeout=PATIENCE_S)
    tap.ok(process.returncode == REFUSED and "measurement-unknown" in said[1], "and ends when the verdict turns, by its rule",
           f"{process.returncode} {said}")
    tap.ok(said[0] == "", "no event comes twice", said[0])
    shutil.copy(good, kept)


def test(w, tap):
    sock = w.dir / "node.state/metrics"
    node = Node(w, metrics=sock).start()
    node.join("admin")
    node.welcome("alice")
    (w.dir / "base.csv").write_text("a\n1\n")
    w.cli("admin", "data", "put", "base", w.dir / "base.csv")
    trusted = requests(w, tap, node, sock)
    watch(w, tap, node, *trusted)
    node.stop()


the_world.main(test)
