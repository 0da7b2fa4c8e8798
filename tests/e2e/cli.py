#!/usr/bin/env python3
"""cli.py BUILD verbs|trust|screen|interrupt: every verb of the command, good and bad; what it trusts; terminals; Ctrl-C; TAP."""
import base64
import fcntl
import hashlib
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import termios
import threading

import world as the_world
from world import PATIENCE_S, Node, until

USAGE, UNREACHABLE, IO, REFUSED, NOT_GENUINE, FAILED = 64, 69, 74, 2, 3, 1
BIG = 24 << 20
TRIES = 20  # at interrupting what may have ended before
VECTORS = pathlib.Path(__file__).parent.parent / "vectors"
TDX, AT = VECTORS / "dcap/tdx_v4_uptodate", ["--at", "2025-07-01T00:00:00Z"]


class Cli:
    def __init__(self, w, tap):
        self.w, self.tap = w, tap

    def expect(self, status, says, who, *words, sentence=None):
        """It ends with this status, and says this where errors are said; with --json the error is JSON too."""
        plain = self.w.cli(who, *words, check=False)
        as_json = self.w.cli(who, "--json", *words, check=False)
        good = plain.returncode == as_json.returncode == status and says in plain.stdout + plain.stderr
        if as_json.stdout.strip():
            good = good and is_json(as_json.stdout)
        if status not in (0, USAGE):
            good = good and any(is_json(line) for line in as_json.stderr.splitlines() + as_json.stdout.splitlines())
        self.tap.ok(good, sentence or f"{' '.join(map(str, words[:2]))}: {says} is {status}",
                    f"{plain.returncode} {plain.stdout}{plain.stderr}{as_json.returncode} {as_json.stdout}{as_json.stderr}")
        return plain


def is_json(text):
    try:
        json.loads(text)
        return True
    except ValueError:
        return False


def verbs_of(w):
    overview = w.cli("alice", "--help").stdout
    return [re.match(r"[a-z]+(?: [a-z]+(?= |$))?", line)[0].split() for line in
            re.findall(r"^  mesatee (.*)$", overview, re.M)]


def wrong_words(w, tap):
    """Whatever the verb: an option that nobody knows, one argument too many, help."""
    bad = []
    for verb in verbs_of(w):
        for words in ["--never-heard-of"], ["a", "b", "c", "d", "e"], ["-x"]:
            done = w.cli("alice", *verb, *words, check=False)
            if done.returncode != USAGE or not done.stderr.startswith("usage: mesatee " + " ".join(verb)) or done.stdout:
                bad.append((verb, words, done.returncode, done.stderr))
        helped = w.cli("alice", *verb, "--help", check=False)
        if helped.returncode != 0 or "Example: mesatee " + " ".join(verb) not in helped.stdout:
            bad.append((verb, helped))
    tap.ok(not bad, "every verb refuses words that it does not know, with its usage and 64, and has help with an example", bad)


def json_of_every_verb(w, tap, node, task, run):
    """One good call of each verb: its standard output is one JSON value, its standard error empty."""
    d = w.dir
    (d / "slot").write_bytes(os.urandom(32))
    (d / "values").write_text("".join(f"{n} {'0' * 64}\n" for n in (0, 2, 4, 7, 9, 11, 12, 13)))
    w.cli("admin", "keyslot", "add", "--shares", "2/3", "--out", d / "held")
    alice, admin = "alice", "admin"
    fresh = w.json(alice, "task", "create", d / "task.json")["task"]
    listed = {"dev", "restore", "time accept", "task watch", "task withdraw", "task cancel", "task reject", "identity rotate",
              "user claim", "platform enrol"}
    calls = {
        "verify": (alice, ["verify"]), "status": (alice, ["status"]), "doctor": (alice, ["doctor"]),
        "version": (alice, ["version"]), "identity new": (alice, ["identity", "new", "spare"]),
        "identity show": (alice, ["identity", "show", "alice"]), "identity export": (alice, ["identity", "export", "alice"]),
        "context add": (alice,
                        ["context", "add", "node", "--address", f"127.0.0.1:{node.public['port']}", "--identity", "alice",
                                "--policy", d / "alice.node.policy"]),
        "context use": (alice, ["context", "use", "node"]), "context list": (alice, ["context", "list"]),
        "user add": (admin, ["user", "add", "spare", w.json(alice, "identity", "new", "other")["public_key"]]),
        "user list": (alice, ["user", "list"]), "user revoke": (admin, ["user", "revoke", "spare"]),
        "backup": (admin, ["backup", d / "b.mtb", "--secret", d / "secret"]), "keyslot list": (admin, ["keyslot", "list"]),
        "keyslot kept": (admin, ["keyslot", "kept"]),
        "keyslot check": (admin, ["keyslot", "check", d / "held" / "share-2-of-3"]),
        "keyslot add": (admin, ["keyslot", "add", "file", d / "slot"]), "keyslot remove": (admin, ["keyslot", "remove", "1"]),
        "data put": (alice, ["data", "put", "more", d / "rows.csv"]), "data get": (alice, ["data", "get", "more", d / "got"]),
        "data list": (alice, ["data", "list"]), "data show": (alice, ["data", "show", "more"]),
        "data grant": (alice, ["data", "grant", "more", "bob", "--function", "echo", "--count", "3"]),
        "function list": (alice, ["function", "list"]), "function show": (alice, ["function", "show", "psi"]),
        "task create": (alice, ["task", "create", d / "task.json"]), "task show": (alice, ["task", "show", task]),
        "task approve": (alice, ["task", "approve", fresh]), "task run": (alice, ["task", "run", task]),
        "task list": (alice, ["task", "list"]), "task result": (alice, ["task", "result", task, "out", d / "out"]),
        "receipt get": (alice, ["receipt", "get", task, d / "r2", "--run", run]),
        "receipt verify": (alice, ["receipt", "verify", d / "r1"]),
        "receipt compare": (alice, ["receipt", "compare", d / "r1", d / "r2"]), "audit list": (admin, ["audit", "list"]),
        "audit verify": (admin, ["audit", "verify"]),
        "policy new": (alice, ["policy", "new", d / "p", "--identity", "alice", "--name", "p", "--platform", "0" * 64,
                               "--measurement", "1" * 64]),
        "policy sign": (alice, ["policy", "sign", d / "bob.node.policy", d / "p2", "--identity", "alice"]),
        "policy show": (alice, ["policy", "show"]), "policy check": (alice, ["policy", "check", d / "p"]),
        "auditor new": (alice, ["auditor", "new", d / "l", "--sequence", "1", "--measurement", "2" * 64 + "=some"]),
        "auditor sign": (alice, ["auditor", "sign", d / "l", "--identity", "alice"]),
        "collateral get": (alice, ["collateral", "get", TDX, d / "collateral", "--from", TDX, *AT]),
        "collateral show": (alice, ["collateral", "show", d / "collateral"]),
        "collateral check": (alice, ["collateral", "check", TDX, *AT]),
        "evidence show": (alice, ["evidence", "show", VECTORS / "snp/milan_v3"]),
        "data delete": (alice, ["data", "delete", "more"]),
        "platform approve": (admin, ["platform", "approve", d / "values", d / "approval", "--identity", "admin"]),
    }
    bad = []
    for name, (who, words) in calls.items():
        if name == "data delete":
            grant = w.json(alice, "data", "show", "more")["grants"][0]["grant"]
            revoked = w.cli(alice, "--json", "data", "revoke", "more", grant, check=False)
            if revoked.returncode != 0 or not is_json(revoked.stdout):
                bad.append(("data revoke", revoked))
        done = w.cli(who, "--json", *words, check=False)
        if done.returncode != 0 or not is_json(done.stdout) or done.stderr:
            bad.append((name, done.returncode, done.stdout[-200:], done.stderr))
    missing = {" ".join(v) for v in verbs_of(w)} - set(calls) - listed - {"data revoke"}
    tap.ok(not bad and not missing, f"each of {len(calls)} verbs prints one JSON value and nothing else with --json",
           f"{bad} {missing}")


def prepare(w):
    """Alice and Bob have a table each; alice's has been through a task."""
    rows = w.dir / "rows.csv"
    rows.write_text("k,v\na,1\nb,2\n")
    w.cli("alice", "data", "put", "base", rows)
    w.cli("bob", "data", "put", "base", rows)
    path = w.dir / "task.json"
    path.write_text(json.dumps(the_world.TASK))
    task = w.json("alice", "task", "create", path)["task"]
    w.cli("alice", "task", "approve", task)
    run = w.json("alice", "task", "run", task)["run"]
    w.cli("alice", "receipt", "get", task, w.dir / "r1")
    (w.dir / "secret").write_bytes(os.urandom(32))
    return task, run


def bad_input(cli, task):
    w, d, none = cli.w, cli.w.dir, "0" * 32
    for words in (["data", "put", "x", d / "nowhere"], ["task", "create", d / "nowhere"], ["policy", "show", d / "nowhere"],
                  ["policy", "check", d / "nowhere"], ["policy", "sign", d / "nowhere", d / "o", "--identity", "alice"],
                  ["auditor", "sign", d / "nowhere", "--identity", "alice"], ["receipt", "verify", d / "nowhere"],
                  ["receipt", "compare", d / "r1", d / "nowhere"], ["verify", d / "nowhere"],
                  ["backup", d / "o", "--secret", d / "nowhere"], ["keyslot", "add", "file", d / "nowhere"], ["user", "claim", d / "nowhere"]):
        cli.expect(IO, "no such file", "alice", *words)
    cli.expect(IO, "there is no identity of this name", "alice", "identity", "show", "nobody")
    cli.expect(IO, "there is no context of this name", "alice", "context", "use", "nowhere")
    cli.expect(IO, "there is no context of this name", "alice", "--context", "nowhere", "data", "list",
               sentence="a context that is not there is 74 for any verb")
    cli.expect(FAILED, "an identity is never overwritten", "alice", "identity", "new", "alice")
    cli.expect(FAILED, "there is no data called", "alice", "data", "show", "nothing")
    cli.expect(FAILED, "the node knows nobody called", "alice", "data", "grant", "base", "nobody")
    cli.expect(FAILED, "there is no such thing", "alice", "task", "show", none)
    cli.expect(FAILED, "the run has no output of this name", "alice", "task", "result", task, "other", d / "o")
    for words in (["task", "show", "12"], ["task", "approve", task, "--digest", "12"],
                  ["data", "get", "base", d / "o", "--version", "x"],
                  ["data", "revoke", "base", "12"], ["keyslot", "remove", "x"], ["audit", "list", "--after", "-1"],
                  ["policy", "new", d / "o", "--identity", "alice"], ["data", "grant", "base", "bob", "--count", "many"]):
        cli.expect(USAGE, "usage: mesatee", "alice", *words)
    broken = d / "broken.json"
    broken.write_text('{\n "function": }')
    cli.expect(FAILED, "2:14", "alice", "task", "create", broken,
               sentence="a task file that is no JSON is named by line and column")
    cli.expect(REFUSED, "only an administrator", "alice", "user", "revoke", "bob")


def unwritable(cli, task):
    d = cli.w.dir
    for words in (["data", "get", "base", d / "no/where"], ["task", "result", task, "out", d / "no/where"],
                  ["receipt", "get", task, d / "no/where"], ["identity", "export", "alice", d / "no/where"],
                  ["policy", "new", d / "no/where", "--identity", "alice", "--name", "x"],
                  ["auditor", "new", d / "no/where", "--sequence", "1", "--measurement", "0" * 64]):
        cli.expect(IO, "cannot be written", "alice", *words)
    (d / "taken").mkdir(exist_ok=True)
    cli.expect(IO, "cannot be written", "alice", "data", "get", "base", d / "taken",
               sentence="a folder in the way of a file is 74")
    left = [p.name for p in d.glob("*.part")] + [p.name for p in d.glob("*.new")]
    with open("/dev/full", "wb") as full:
        done = subprocess.run([cli.w.build / "mesatee", "--home", d / "alice", "data", "list"], stdout=full,
                              stderr=subprocess.PIPE)
    cli.tap.ok(done.returncode == IO and not left, "what cannot be printed is 74, and nothing half done is left",
               f"{done} {left}")


def unreachable(cli):
    w = cli.w
    w.cli("alice", "context", "add", "gone", "--address", "127.0.0.1:1", "--identity", "alice", "--policy",
          w.dir / "alice.node.policy",
          "--cluster", "0" * 64)
    for words in (["data", "list"], ["data", "put", "x", w.dir / "rows.csv"], ["data", "get", "x", w.dir / "o"], ["status"],
                  ["verify"],
                  ["task", "list"], ["task", "run", "0" * 32], ["audit", "verify"], ["restore"], ["time", "accept"]):
        cli.expect(UNREACHABLE, "cannot be reached", "alice", "--context", "gone", *words,
                   sentence=f"{' '.join(map(str, words[:2]))}: a node that is not there is 69")
    done = cli.expect(FAILED, "FAILED  node-reachable", "alice", "--context", "gone", "doctor",
                      sentence="the doctor names what is wrong, and how to mend it")
    cli.tap.ok("mend: start the node" in done.stdout and "1 checks failed" in done.stdout, "with one mend for one fault",
               done.stdout)
    w.cli("alice", "context", "use", "node")


def service_key_binder(receipt, cluster):
    at = receipt.index(b"\x06\x58\x5b") + 3
    key, incarnation = receipt[at:at + 91], receipt[at + 94:at + 126]
    parts = bytes.fromhex(cluster), incarnation, hashlib.sha256(key).digest()
    return hashlib.sha512(b"mesatee-service-key-v1" + b"".join(len(p).to_bytes(4, "big") + p for p in parts)).hexdigest()


def not_genuine(cli, node):
    w, d, tap = cli.w, cli.w.dir, cli.tap
    made = w.json("alice", "task", "create", d / "task.json")["task"]
    cli.expect(REFUSED, "task-changed", "alice", "task", "approve", made, "--digest", "0" * 64,
               sentence="an approval of another digest than the task has is not signed")
    explained = w.cli("alice", "verify", "--explain").stdout
    order = [explained.find(title) for title in ("\nevidence\n", "\nmeasurement\n", "\nchannel key\n", "\nadministrator\n")]
    order[0] = explained.find("evidence\n")
    tap.ok(order == sorted(order) and -1 not in order and "FAILED" not in explained,
           "verify --explain goes from evidence to administrator",
           explained)
    cli.expect(0, "what your policy trusts", "alice", "verify", "node", sentence="a context is verified by its name")
    cli.expect(0, "what your policy trusts", "alice", "verify", f"127.0.0.1:{node.public['port']}",
               sentence="and a node by its address")
    cli.expect(0, "The receipt is genuine", "alice", "verify", d / "r1", sentence="and a receipt by its file")
    damaged = bytearray((d / "r1").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (d / "bad").write_bytes(damaged)
    cli.expect(NOT_GENUINE, "mend:", "alice", "receipt", "verify", d / "bad", "--explain",
               sentence="a damaged receipt is 3, with its mend")
    cli.expect(0, "whole, and yours", "alice", "verify", d / "alice.node.policy", sentence="a policy of one's own is verified")
    cli.expect(NOT_GENUINE, "policy-signer", "alice", "verify", d / "bob.node.policy",
               sentence="a policy signed by another is refused")
    cli.expect(NOT_GENUINE, "policy-signer", "alice", "policy", "check", d / "bob.node.policy", "--identity", "alice",
               sentence="also by policy check, which asks for an identity")
    cli.expect(NOT_GENUINE, "policy-signer", "alice", "context", "add", "stolen", "--address", "127.0.0.1:1", "--identity",
               "alice",
               "--policy", d / "bob.node.policy", "--cluster", "0" * 64, sentence="and by context add")
    w.cli("alice", "policy", "new", d / "open.policy", "--identity", "alice", "--name", "none")
    cli.expect(REFUSED, "policy-empty", "alice", "policy", "check", d / "open.policy",
               sentence="a policy that accepts nothing is found out")
    policy = bytearray((d / "alice.node.policy").read_bytes())
    policy[policy.index(b"minimum_level") + 16] ^= 1
    (d / "edited.policy").write_bytes(policy)
    cli.expect(NOT_GENUINE, "signature", "alice", "policy", "check", d / "edited.policy", sentence="an edited policy is 3")
    receipt = (d / "r1").read_bytes()
    at = receipt.index(b"\x64soft\x59") + 8  # its evidence, a byte string of two bytes of length
    (d / "evidence").write_bytes(receipt[at:at + int.from_bytes(receipt[at - 2:at], "big")])
    cli.expect(USAGE, "--report-data", "alice", "verify", d / "evidence",
               sentence="evidence is about something: without report data it is 64")
    cli.expect(NOT_GENUINE, "report-data", "alice", "verify", d / "evidence", "--report-data", "0" * 128,
               sentence="and about nothing else")
    cli.expect(0, "genuine and accepted by your policy", "alice", "verify", d / "evidence", "--report-data",
               service_key_binder(receipt, json.loads((d / "alice/contexts/node.json").read_text())["cluster_id"]),
               sentence="evidence of the service key is genuine for what spec/receipt.md binds it to")
    cli.expect(FAILED, "no receipt, policy, auditors' list or evidence", "alice", "verify", d / "rows.csv",
               sentence="another file is told so")


def auditors(cli, node):
    """Two of three must sign; the sequence never goes back, also when the context is added again."""
    w, d = cli.w, cli.w.dir
    keys = []
    for who in "ann", "ben", "cat":
        keys += ["--auditor", w.identity(who)["public_key"]]
    w.cli("alice", "policy", "new", d / "audited.policy", "--identity", "alice", "--name", "audited", "--platform",
          node.public["platform"],
          *keys, "--threshold", "2")

    def make(name, sequence, *signers, measurement=node.public["measurement"], more=()):
        w.cli("ann", "auditor", "new", d / name, "--sequence", sequence, "--measurement", f"{measurement}=mesateed", *more)
        for who in signers:
            w.cli(who, "auditor", "sign", d / name, "--identity", who)
        return d / name

    def add(name):
        return ["context", "add", "audited", "--address", f"127.0.0.1:{node.public['port']}", "--identity", "alice",
                "--policy",
                d / "audited.policy", "--auditors", d / name]

    make("one.list", 5, "ann")
    cli.expect(FAILED, "has signed the list already", "ann", "auditor", "sign", d / "one.list", "--identity", "ann",
               sentence="nobody signs a list twice")
    cli.expect(NOT_GENUINE, "auditors-quorum", "alice", *add("one.list"), sentence="one auditor of two is not enough")
    make("other.list", 5, "ann", "ben", measurement="0" * 64)
    cli.expect(REFUSED, "measurement-unknown", "alice", *add("other.list"),
               sentence="a list without the node's measurement refuses it")
    make("late.list", 5, "ann", "ben", more=["--not-before", "1000", "--days", "1"])
    cli.expect(REFUSED, "auditors-expired", "alice", *add("late.list"), sentence="a list that has expired is refused")
    make("good.list", 7, "ann", "cat")
    cli.expect(0, "", "alice", *add("good.list"), sentence="two of three make a list that is believed")
    cli.expect(0, "what your policy trusts", "alice", "--context", "audited", "verify", sentence="the node is verified by it")
    cli.expect(0, "sequence 7", "alice", "--context", "audited", "verify", d / "good.list", sentence="and the list by itself")
    make("old.list", 6, "ann", "ben")
    cli.expect(REFUSED, "auditors-sequence", "alice", *add("old.list"),
               sentence="a list that is older than one that was believed is refused")
    kept = d / "alice/contexts/audited.auditors"
    kept.write_bytes((d / "old.list").read_bytes())
    cli.expect(REFUSED, "auditors-sequence", "alice", "--context", "audited", "data", "list",
               sentence="also when it was put back behind the command's back")
    kept.write_bytes((d / "good.list").read_bytes())
    w.cli("alice", "context", "use", "node")


def added_again(cli, node):
    """A context that is added again keeps the head that it has seen: a ledger that went back is still found."""
    w = cli.w
    path = w.dir / "alice/contexts/node.json"
    seen = json.loads(path.read_text())
    w.cli("alice", "context", "add", "node", "--address", seen["address"], "--identity", "alice", "--policy",
          w.dir / "alice.node.policy")
    again = json.loads(path.read_text())
    cli.tap.ok(again["size"] >= seen["size"] > 0, "a context that is added again keeps the head that it has seen",
               f"{seen} {again}")
    path.write_text(json.dumps({**again, "size": again["size"] + 1000}, separators=(",", ":")))
    cli.expect(NOT_GENUINE, "ledger-rolled-back", "alice", "context", "add", "node", "--address", seen["address"],
               "--identity", "alice",
               "--policy", w.dir / "alice.node.policy", sentence="and refuses a node whose ledger is shorter than that")
    path.write_text(json.dumps(again, separators=(",", ":")))


def rotation(cli, node):
    w, d, tap = cli.w, cli.w.dir, cli.tap
    before = w.json("bob", "identity", "show", "bob")
    told = w.cli("bob", "identity", "rotate", "bob").stdout
    after = w.json("bob", "identity", "show", "bob")
    old = w.json("bob", "identity", "show", "bob.old-1")
    is_told = "mesatee user add" in told and "mesatee user revoke" in told
    tap.ok(after["subject"] != before["subject"] == old["subject"] and is_told,
           "a rotated identity has a new key, keeps the old one, and is told what to do", told)
    cli.expect(REFUSED, "this node does not know you", "bob", "data", "list", sentence="the node does not know the new key")
    w.cli("admin", "user", "add", "bob2", after["public_key"])
    cli.expect(0, "", "bob", "data", "list",
               sentence="until an administrator has added it; the context's policy is signed anew")
    w.cli("bob", "policy", "sign", d / "bob.node.policy", d / "old.policy", "--identity", "bob.old-1")
    w.cli("bob", "context", "add", "old", "--address", f"127.0.0.1:{node.public['port']}", "--identity", "bob.old-1",
          "--policy", d / "old.policy")
    cli.expect(0, "base", "bob", "--context", "old", "data", "list",
               sentence="data of the old key is reached with the old key")
    pem = d / "bob.pem"
    w.cli("bob", "identity", "export", "bob", pem)
    text = pem.read_text()
    lines = text.splitlines()
    is_pem = text.startswith("-----BEGIN PUBLIC KEY-----\n") and max(map(len, lines)) <= 64
    tap.ok(is_pem and base64.b64decode("".join(lines[1:-1])).hex() == after["public_key"],
           "the exported key is the public one, as PEM", text)


def on_terminal(w, who, *words, interrupt_at=None, stdin=None):
    """Runs the command on a terminal: status, and what the terminal saw. Interrupted by Ctrl-C once it shows a text."""
    master, slave = pty.openpty()
    child = subprocess.Popen([w.build / "mesatee", "--home", w.dir / who, *map(str, words)], stdin=slave, stdout=slave,
                             stderr=slave,
                             start_new_session=True,
                             preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(slave)
    seen = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
        if interrupt_at is not None and interrupt_at in seen:
            os.write(master, b"\x03")
            interrupt_at = None
    os.close(master)
    return child.wait(PATIENCE_S), seen.decode(errors="replace")


def terminal(cli):
    w, d, tap = cli.w, cli.w.dir, cli.tap
    big = d / "big"
    with open(big, "wb") as f:
        f.truncate(BIG)
    bar = re.compile(r"\[=+\s*\]\s+\d+ %\s+[\d.]+ [KMG]?i?B\s+[\d.]+ [KMG]?i?B/s")
    status, seen = on_terminal(w, "alice", "data", "put", "big", big)
    tap.ok(status == 0 and bar.search(seen) and "left" in seen,
           "an upload shows on a terminal how far it is, its rate and the time left", seen[-400:])
    status, seen = on_terminal(w, "alice", "data", "get", "big", d / "back")
    tap.ok(status == 0 and bar.search(seen) and (d / "back").stat().st_size == BIG, "and so does a download", seen[-400:])
    status, seen = on_terminal(w, "admin", "backup", d / "b2.mtb", "--secret", d / "secret")
    tap.ok(status == 0 and re.search(r"[\d.]+ MiB\s+[\d.]+ [KM]iB/s", seen), "and a backup, as far as it can be known",
           seen[-400:])
    piped = [w.cli("alice", "data", "put", "big", big), w.cli("alice", "data", "get", "big", d / "back")]
    tap.ok(not any(p.stderr for p in piped), "none of it is said into a pipe", piped)


def terminated(w, path):
    """A download that is told to end once it has begun."""
    child = subprocess.Popen([w.build / "mesatee", "--home", w.dir / "alice", "data", "get", "huge", path])
    until(lambda: path.with_suffix(".part").exists() or child.poll() is not None)
    child.send_signal(signal.SIGTERM)
    return child.wait(PATIENCE_S)


def in_time(what, *made):
    """What comes to its end before it is interrupted shows nothing, and is done again."""
    for _ in range(TRIES):
        for path in made:
            path.unlink(missing_ok=True)
        found = what()
        if found[0] != 0:
            break
    return found


def interrupted(cli, node):
    """Ctrl-C in the middle, on a terminal, as people press it."""
    w, d, tap = cli.w, cli.w.dir, cli.tap
    huge = d / "huge"
    with open(huge, "wb") as f:
        f.truncate(1 << 28)
    w.cli("alice", "data", "put", "big", d / "rows.csv")
    versions = lambda: w.json("alice", "data", "show", "big")["versions_made"]

    def upload():
        before = versions()
        return *on_terminal(w, "alice", "data", "put", "big", huge, interrupt_at=b" % "), before

    status, seen, before = in_time(upload)
    is_clean = until(lambda: not any((node.state / "staging").iterdir()))
    after = versions()
    tap.ok(status == -signal.SIGINT and before == after and is_clean,
           "an upload that is interrupted leaves no version and nothing in staging",
           f"{status} {before} {after} {is_clean} {seen[-300:]}")
    w.cli("alice", "data", "put", "huge", huge)
    status, seen = in_time(lambda: on_terminal(w, "alice", "data", "get", "huge", d / "cut", interrupt_at=b" % "), d / "cut")
    left = sorted(p.name for p in d.glob("cut*"))
    tap.ok(status == -signal.SIGINT and not left, "a download that is interrupted leaves no file",
           f"{status} {left} {seen[-300:]}")
    status, = in_time(lambda: [terminated(w, d / "cut")], d / "cut")
    left = sorted(p.name for p in d.glob("cut*"))
    tap.ok(status == -signal.SIGTERM and not left, "nor does one that is terminated", f"{status} {left}")
    w.cli("alice", "data", "delete", "huge", "--now")


def watched(cli, task):
    w, tap = cli.w, cli.tap
    child = subprocess.Popen([w.build / "mesatee", "--home", w.dir / "alice", "--json", "task", "watch", task],
                             stdout=subprocess.PIPE, text=True)
    net = threading.Timer(PATIENCE_S, child.kill)
    net.start()
    lines = [child.stdout.readline()]
    known = w.json("alice", "task", "show", task)
    w.cli("alice", "task", "run", task)
    while lines[-1] and sum("run-done" in line for line in lines) <= len(known["runs"]):
        lines.append(child.stdout.readline())
    child.send_signal(signal.SIGINT)
    status = child.wait(PATIENCE_S)
    net.cancel()
    tap.ok(all(is_json(line) for line in lines) and status == -signal.SIGINT,
           "a watch prints a line of JSON for each event, until it is interrupted",
           f"{status} {lines[-3:]}")
    for verb, says in (("reject", "rejected"), ("withdraw", "withdrawn"), ("cancel", "cancelled")):
        made = w.json("alice", "task", "create", w.dir / "task.json")["task"]
        if verb == "withdraw":
            w.cli("alice", "task", "approve", made)
        done = w.cli("alice", "--json", "task", verb, made, *(["--reason", "too fine"] if verb == "reject" else []),
                     check=False)
        tap.ok(done.returncode == 0 and is_json(done.stdout) and says in done.stdout, f"task {verb} says so in JSON",
               f"{done}")
        if verb == "reject":
            shown = w.cli("alice", "task", "show", made).stdout
            tap.ok("rejected, because: too fine" in shown, "and everybody sees why", shown)


def shown(cli, task):
    """The bytes that task show prints are what is signed: hashed here, they give the digest."""
    text = cli.w.cli("alice", "task", "show", task).stdout
    said = re.search(r"the digest:\n  ([0-9a-f]{64})\nof these bytes:\n  ([0-9a-f]+)\n", text)
    label = b"mesatee-task-digest-v1"
    digest = hashlib.sha256(bytes([len(label)]) + label + bytes.fromhex(said[2])).hexdigest() if said else ""
    cli.tap.ok(said and digest == said[1], "task show prints the bytes that are signed, and their digest", text[-600:])
    cli.tap.ok(all(word in text for word in ("Function  echo, version 1", "Input     in: version 1",
                                             "Output    out, readable by", "alice (",
                                             "(yours)", "State     ")), "and in prose what they say", text)


def dev(cli):
    w, tap = cli.w, cli.tap
    state = w.dir / "dev"
    child = subprocess.Popen([w.build / "mesatee", "--home", w.dir / "dora", "--json", "dev", "--dir", state, "--listen",
                              "127.0.0.1:0"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        ready = json.loads(child.stdout.readline())
        tap.ok(ready["state"] == str(state / "state") and (state / "state/ledger").is_dir(),
               "dev says where it keeps its data", ready)
        added = w.cli("dora", "user", "add", "eve", w.identity("eve")["public_key"], check=False)
        tap.ok(w.cli("dora", "verify", check=False).returncode == added.returncode == 0,
               "its node is verified and administered at once, without another step", added)
        if the_world.IS_ROOT:
            status = [p.read_text() for p in pathlib.Path("/proc").glob("[0-9]*/status")]
            uids = [re.search(r"^Uid:\s+(.*)$", s, re.M)[1].split() for s in status if f"\nPPid:\t{child.pid}\n" in s]
            tap.ok(len(uids) == 1 and "0" not in uids[0], "started by root, the node works as somebody else", uids)
        else:
            tap.skip("started by root, the node works as somebody else", "needs root")
    finally:
        child.terminate()
        status = child.wait(PATIENCE_S)
    tap.ok(status == 0, "and it ends in order", status)


def verbs(cli, node):
    wrong_words(cli.w, cli.tap)
    task, run = prepare(cli.w)
    bad_input(cli, task)
    unwritable(cli, task)
    shown(cli, task)
    unreachable(cli)
    json_of_every_verb(cli.w, cli.tap, node, task, run)


def trust(cli, node):
    prepare(cli.w)
    not_genuine(cli, node)
    auditors(cli, node)
    added_again(cli, node)
    rotation(cli, node)


def screen(cli, node):
    task, _ = prepare(cli.w)
    watched(cli, task)
    terminal(cli)
    dev(cli)


def interrupt(cli, node):
    prepare(cli.w)
    interrupted(cli, node)


def test(w, tap):
    node = Node(w).start()
    node.join("admin")
    node.welcome("alice", "bob")
    cli = Cli(w, tap)
    {"verbs": verbs, "trust": trust, "screen": screen, "interrupt": interrupt}[sys.argv[2]](cli, node)


the_world.main(test)
