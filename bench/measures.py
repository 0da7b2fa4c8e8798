"""The measures. Each takes the build folder and a folder to work in, and gives rows and plots."""
import contextlib
import json
import re
import subprocess
import time

import kit
from kit import ROUNDS, Plot, Row, median
from peers import Etcd, Nginx, Node


def output_of(command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.returncode}: {done.stdout}")
    return done.stdout


def lines_of(command):
    return [[float(word) for word in line.split()] for line in output_of(command).splitlines()]


def handshake(build, _):
    """Both ends in one process, so that its CPU time is that of both."""
    plot = Plot("handshake", "One connection, from nothing to open: CPU time of both ends", "handshakes in a row",
                "microseconds")
    rows = []
    for count in (10, 100, 500):
        found = lines_of([build / "bench/handshake", ROUNDS, count])
        ours, pinned, authority = ([line[i] for line in found] for i in range(3))
        plot.add("attested", count, median(ours))
        plot.add("mutual TLS, pinned keys", count, median(pinned))
        plot.add("mutual TLS, authority", count, median(authority))
    size = "500 in a row"
    rows.append(Row("attested handshake, CPU of both ends", size, "us", ours, pinned,
                    "mutual TLS 1.3, same settings, pinned keys", "<= 1.6"))
    rows.append(Row("attested handshake, CPU of both ends", size, "us", ours, authority,
                    "mutual TLS 1.3, certificates of one authority", "<= 1.6"))
    return rows, [plot]


class Turns:
    """A load that is put on a server: what one turn of it costs the server, and how long its answers take."""

    def __init__(self, server, load):
        self.pid, self.load = server.pid, load
        self.cpu_us, self.each_s, self.p50_us, self.p99_us = [], [], [], []
        self.take(300, is_kept=False)  # warm

    def take(self, ms, is_kept=True):
        before = kit.cpu_s(self.pid)
        count, wall_us, p50, p99 = self.load.turn(ms)
        if is_kept:
            self.cpu_us.append((kit.cpu_s(self.pid) - before) / count * 1e6)
            self.each_s.append(count / wall_us * 1e6)
            self.p50_us.append(p50)
            self.p99_us.append(p99)


def take_turns(ms, *all_turns):
    for _ in range(ROUNDS):
        for turns in all_turns:
            turns.take(ms)
    for turns in all_turns:
        turns.load.close()


def read(build, work):
    """What a request costs the server whose client is known and may read it, over connections that stay."""
    plot = Plot("read", "One request: CPU time of the server", "connections", "microseconds")
    rows = []
    with contextlib.closing(Node(build, work)) as node:
        data = node.put("small", b"k,v\n1,2\n")
        answer = json.dumps(node.world.json("alice", "data", "show", data))
        asked = [f"GET /mesatee/v1/data/{data}"]
        with contextlib.closing(Nginx(work, answer)) as nginx:
            for connections in (1, 16, 128):
                plain = Turns(node, node.load(build, connections, asked))
                audited = Turns(node, node.load(build, connections, [asked[0] + "/versions/1/content"]))
                peer = Turns(nginx, nginx.load(build, connections, asked))
                take_turns(500, plain, audited, peer)
                plot.add("authorised read", connections, median(plain.cpu_us))
                plot.add("read of content, intent audited", connections, median(audited.cpu_us))
                plot.add("nginx, constant answer", connections, median(peer.cpu_us))
                if connections == 16:
                    name = f"nginx, constant answer of {len(answer)} bytes, TLS 1.3, same suite"
                    rows.append(Row("authorised read, CPU of the server", "16 connections", "us", plain.cpu_us,
                                    peer.cpu_us, name, "<= 2"))
                    rows.append(Row("authorised read with audited intent, CPU of the server", "16 connections", "us", audited.cpu_us,
                                    peer.cpu_us, name, "<= 4"))
    return rows, [plot]


def commit(build, work):
    """Durable commits in process: callers who each wait for their own, on one disk."""
    if not (build / "bench/ledger").exists():
        raise kit.Skipped("libsqlite3-dev was not there when the build was set up")
    plot = Plot("commit", "Durable commits of 256 bytes in process", "callers", "commits a second")
    rows = []
    for callers in (1, 8, 64, 512):
        folder = work / f"commit-{callers}"
        (folder / "node").mkdir(parents=True, mode=0o700)
        talk = kit.Talk([build / "bench/ledger", folder, callers])
        talk.turn(300)
        found = [talk.turn(400) for _ in range(ROUNDS)]
        talk.close()
        ours, batch, single, _, _, _ = ([line[i] for line in found] for i in range(6))
        plot.add("ledger", callers, median(ours))
        plot.add("SQLite, all in one transaction", callers, median(batch))
        plot.add("SQLite, one by one", callers, median(single))
        if callers == 64:
            what = "durable commit in process, 256 bytes"
            rows.append(Row(what, "64 outstanding", "commits/s", ours, batch,
                            "SQLite WAL FULL, 64 puts in one transaction", ">= 5"))
            rows.append(Row(what, "64 outstanding", "commits/s", ours, single,
                            "SQLite WAL FULL, a transaction for each caller", ">= 5"))
    return rows, [plot]


ECHO = {"function": {"name": "echo", "version": 1}, "arguments": {}, "inputs": [{"name": "in", "data": "small"}],
        "outputs": [{"name": "out", "receivers": ["alice"]}], "runs": 100000}


def echo_task(node, content=b"k,v\n1,2\n"):
    """A task that copies a table of Alice's."""
    node.put("small", content)
    path = node.world.dir / "task.json"
    path.write_text(json.dumps(ECHO))
    return node.world.json("alice", "task", "create", path)["task"]


def api(build, work):
    """A durable write through the API. Ours stores 256 bytes, a reason for a rejection, after authentication, decision
    and audit record, once however often it is asked, with a receipt to be had; etcd stores 256 bytes under a key."""
    plot = Plot("api", "Durable writes of 256 bytes through the API, one node, TLS", "requests outstanding",
                "commits a second")
    waits = Plot("api-p50", "Durable writes of 256 bytes through the API: median wait", "requests outstanding",
                 "milliseconds")
    rows = []
    with contextlib.closing(Etcd(build, work)) as etcd, contextlib.closing(Node(build, work)) as node:
        asked = [f"POST /mesatee/v1/tasks/{echo_task(node)}/rejections " + json.dumps({"reason": "r" * 256})]
        for outstanding, goal in ((1, ""), (16, ""), (64, ">= 3"), (512, ">= 5")):
            ours = Turns(node, node.load(build, outstanding, asked))
            peer = Turns(etcd, etcd.load(outstanding, min(outstanding, 16)))
            take_turns(1200, ours, peer)
            for name, turns in (("ours", ours), ("etcd 3.6", peer)):
                plot.add(name, outstanding, median(turns.each_s))
                waits.add(name, outstanding, median(turns.p50_us) / 1000)
            if goal:
                what, name = f"durable commit through the API, {outstanding} outstanding", "etcd 3.6, one node, TLS"
                rows += [Row(what, "256 bytes", "commits/s", ours.each_s, peer.each_s, name, goal),
                         Row(f"{what}: p50", "256 bytes", "us", ours.p50_us, peer.p50_us, name, "<= 0.5"),
                         Row(f"{what}: CPU of the server", "256 bytes", "us", ours.cpu_us, peer.cpu_us, name)]
    return rows, [plot, waits]


def echo(build, work):
    """From the request to run an approved task until its result is durable, as a client on the same machine sees it."""
    plot = Plot("echo", "Echo task, run to result, at the client: p50", "bytes of input", "milliseconds")
    rows = []
    with contextlib.closing(Node(build, work)) as node:
        for size in (8, 64 << 10, 1 << 20):
            task = echo_task(node, b"k,v\n1,2\n" if size == 8 else b"k\n" + b"0123456\n" * (size // 8))
            node.world.cli("alice", "task", "approve", task)
            talk = kit.Talk([build / "bench/echo", node.world.dir / "alice", "node", task])
            talk.turn(5)
            found = [talk.turn(40) for _ in range(ROUNDS)]
            talk.close()
            plot.add("run to result", size, median([line[0] for line in found]) / 1000)
            if size == 8:
                rows = [Row("echo task, run to result, p50", "9 bytes, 2 durable commits, 1 object", "ms",
                            [line[0] / 1000 for line in found], goal="<= 5")]
    return rows, [plot]


def start(build, work):
    """What a node with a past takes to begin, and one without to give its first result; what it holds when it idles."""
    plot = Plot("start", "From exec to ready", "transactions, a tenth of them with an object", "milliseconds")
    rows, idle = [], []
    subprocess.run(["ninja", "-C", build, "tests/fill"], check=True, stdout=subprocess.DEVNULL)
    for transactions in (1000, 10000, 100000):
        told = output_of([kit.HERE.parent / "tests/e2e/start.sh", build, transactions, transactions // 10, work])
        found = [(name, float(ms), float(mib))
                 for name, ms, mib in re.findall(r"^from (.*?) +(\d+) ms to ready, idle RSS ([0-9.]+) MiB", told, re.M)]
        kept = [ms for name, ms, _ in found if name.startswith("a snapshot")]
        replayed = [ms for name, ms, _ in found if name == "the blocks alone"]
        idle += [mib for _, _, mib in found]
        plot.add("from a snapshot", transactions, median(kept))
        plot.add("from the blocks alone", transactions, median(replayed))
    size = "100,000 transactions, 10,000 objects"
    rows.append(Row("start to ready, from a snapshot", size, "ms", kept, goal="<= 1000"))
    rows.append(Row("start to ready, from the blocks alone", size, "ms", replayed, goal="<= 1000"))
    rows.append(Row("idle RSS", size, "MiB", idle[-len(found):], goal="<= 32"))
    rows.append(Row("`mesatee dev` to the first result", "echo, in an empty home", "s",
                    [first_result(build, work / f"home-{i}") for i in range(ROUNDS)], goal="<= 3"))
    return rows, [plot]


def first_result(build, home):
    """Every step that a new user takes, the program started anew for each."""
    def cli(*words):
        return output_of([build / "mesatee", "--home", home, *words])

    home.mkdir(mode=0o711)
    (home / "small.csv").write_text("k,v\n1,2\n")
    (home / "task.json").write_text(json.dumps(ECHO | {"outputs": [{"name": "out", "receivers": ["administrator"]}]}))
    began = time.monotonic()
    node = subprocess.Popen([build / "mesatee", "--home", home, "dev", "--listen", "127.0.0.1:0", "--dir", home / "node"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        node.stdout.readline()  # it says so once it is ready
        cli("data", "put", "small", home / "small.csv")
        task = json.loads(cli("--json", "task", "create", home / "task.json"))["task"]
        cli("task", "approve", task)
        cli("task", "run", task)
        cli("task", "result", task, "out", home / "out.csv")
        took = time.monotonic() - began
        assert (home / "out.csv").read_bytes() == (home / "small.csv").read_bytes()
        return took
    finally:
        node.terminate()
        node.wait()
        node.stdout.close()


ALL = {"handshake": handshake, "read": read, "commit": commit, "api": api, "echo": echo, "start": start}
