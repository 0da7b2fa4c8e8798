#!/usr/bin/env python3
"""trust.py BUILD: whom a client believes, and who is believed by a node, when somebody tries to be another; TAP."""
import ctypes.util
import json
import os
import shutil
import stat
import subprocess
import sys
import time

import world as the_world
from world import IS_ROOT, Node

DAY_MS = 86400000


def library():
    """Any library that the node does not load by itself."""
    name = ctypes.util.find_library("m")
    text = subprocess.run([sys.executable, "-c", f"import ctypes; ctypes.CDLL('{name}'); print(open('/proc/self/maps').read())"],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    return next(line.split()[-1] for line in text.splitlines() if f"/{name}" in line)


def refusal(done, status, rule):
    return done.returncode == status and rule in done.stderr


def preloaded(w, tap, node):
    """Code that somebody slips into the node's process is measured with it."""
    right = node.public["measurement"]
    if the_world.is_sanitized(w.build / "mesateed"):  # its library has to be the first
        tap.skip("a preloaded library makes another measurement, which a client refuses", "the node has a sanitizer in it")
        return
    node.stop()
    node.start(env={**os.environ, "LD_PRELOAD": library()})
    done = w.cli("alice", "verify", check=False)
    tap.ok(node.public["measurement"] != right and refusal(done, 2, "measurement-unknown"), "a preloaded library makes "
           "another measurement, which a client refuses", done.stderr)
    node.stop()
    sentence = "so does one that /etc/ld.so.preload names, for every program of the machine"
    etc = w.dir / "etc"
    is_alone = IS_ROOT and subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode == 0
    if not is_alone:
        tap.skip(sentence, "this user has no mounts of their own")
    else:
        shutil.copytree("/etc", etc, symlinks=True)
        etc.chmod(0o755)
        (etc / "ld.so.preload").write_text(library() + "\n")
        node.start("unshare", "-m", "sh", "-c", f'mount --bind "{etc}" /etc && exec "$@"', "sh")
        done = w.cli("alice", "verify", check=False)
        tap.ok(node.public["measurement"] != right and refusal(done, 2, "measurement-unknown"), sentence, done.stderr)
        node.stop()
    node.start()
    done = w.cli("alice", "verify", check=False)
    tap.ok(node.public["measurement"] == right and done.returncode == 0, "without it the node is accepted again", done.stderr)


def other_platform(w, tap, node):
    """The same program with a platform key of its own: another machine, or this one without its disk."""
    twin = Node(w, "twin").start()
    done = w.cli("alice", "context", "add", "twin", "--address", f"127.0.0.1:{twin.public['port']}", "--identity", "alice",
                 "--policy", w.dir / f"alice.{node.name}.policy", check=False)
    w.cli("alice", "context", "use", node.name)
    tap.ok(twin.public["measurement"] == node.public["measurement"] and refusal(done, 3, "platform-unknown"),
           "the same program with a fresh platform key is not genuine", done.stderr)
    done = w.cli("alice", "context", "add", "moved", "--address", f"127.0.0.1:{node.public['port']}", "--identity", "alice",
                 "--policy", w.dir / f"alice.{node.name}.policy", "--cluster", twin.public["cluster_id"])
    done = w.cli("alice", "--context", "moved", "verify", check=False)
    w.cli("alice", "context", "use", node.name)
    tap.ok(done.returncode == 3, "a node of another cluster than the one that is pinned is not genuine", done.stderr)
    twin.kill()


def edited_policy(w, tap, node):
    """What a client trusts lies in a file: whoever edits it without the owner's key edits nothing."""
    at = w.dir / "alice" / "contexts" / f"{node.name}.policy"
    good = at.read_bytes()
    believed = []
    for i in range(0, len(good), 7):
        at.write_bytes(good[:i] + bytes([good[i] ^ 1]) + good[i + 1:])
        done = w.cli("alice", "verify", check=False)
        if done.returncode not in (1, 3):
            believed.append((i, done.returncode, done.stdout + done.stderr))
    at.write_bytes((w.dir / f"bob.{node.name}.policy").read_bytes())
    done = w.cli("alice", "verify", check=False)
    at.write_bytes(good)
    tap.ok(not believed and w.cli("alice", "verify", check=False).returncode == 0, "an edited policy file is not believed, "
           "wherever it was edited", believed[:3])
    tap.ok(refusal(done, 3, "policy-signer"), "nor is a policy that somebody else has signed", done.stderr)


class Lists:
    """Auditors, two of three of whom alice believes, and the lists that they sign for this node."""

    def __init__(self, w, node):
        self.w, self.node, self.count = w, node, 0
        keys = []
        for who in ("una", "dos", "tre", "nemo"):
            keys += ["--auditor", w.identity(who)["public_key"]]
        self.policy = w.dir / "audited.policy"
        w.cli("alice", "policy", "new", self.policy, "--identity", "alice", "--name", "audited", "--platform",
              node.public["platform"], *keys[:-2], "--threshold", 2)

    def make(self, sequence, *auditors, measurement=None, days=30, not_before=None):
        self.count += 1
        path = self.w.dir / f"list{self.count}"
        words = [] if not_before is None else ["--not-before", not_before]
        self.w.cli("una", "auditor", "new", path, "--sequence", sequence, "--measurement",
                   f"{measurement or self.node.public['measurement']}=mesateed", "--days", days, *words)
        for who in auditors:
            self.w.cli(who, "auditor", "sign", path, "--identity", who, check=False)
        return path

    def show(self, path):
        """What alice's client says of a node of which it has this list."""
        where = ["--address", f"127.0.0.1:{self.node.public['port']}", "--identity", "alice", "--policy", self.policy,
                 "--cluster", self.node.public["cluster_id"]]
        added = self.w.cli("alice", "context", "add", "audited", *where, *(["--auditors", path] if path else []), check=False)
        return added if added.returncode else self.w.cli("alice", "--context", "audited", "verify", check=False)


def twice(path):
    """The one signature of a list stands there two times: [payload, [signature]] with two of them."""
    content = path.read_bytes()
    at = content.rindex(b"\x82\x58\x5b")  # [SPKI of 91 bytes, signature]
    path.write_bytes(content[:at - 1] + b"\x82" + content[at:] * 2)
    return path


def auditors(w, tap, node):
    lists = Lists(w, node)
    now = int(time.time() * 1000)
    refused = {
        "none": (lists.show(None), 2, "auditors-missing"),
        "unsigned": (lists.show(lists.make(5)), 3, "auditors-quorum"),
        "one": (lists.show(lists.make(5, "una")), 3, "auditors-quorum"),
        "one, twice": (lists.show(twice(lists.make(5, "una"))), 3, "auditors-quorum"),
        "a stranger": (lists.show(lists.make(5, "una", "nemo")), 3, "auditors-quorum")}
    wrong = {what: done.stderr for what, (done, status, rule) in refused.items() if not refusal(done, status, rule)}
    tap.ok(not wrong, "D1: a list without signatures, with one, with one twice or with a stranger's vouches for nothing", wrong)
    other = lists.show(lists.make(5, "una", "dos", measurement="ab" * 32))
    good = lists.show(lists.make(6, "una", "tre"))
    tap.ok(refusal(other, 2, "measurement-unknown") and good.returncode == 0, "two of three auditors vouch for what they "
           "measured, and for nothing else", other.stderr + good.stderr)
    old = lists.show(lists.make(5, "una", "dos"))
    late = lists.show(lists.make(7, "una", "dos", days=1, not_before=now - 2 * DAY_MS))
    early = lists.show(lists.make(8, "una", "dos", not_before=now + DAY_MS))
    tap.ok(refusal(old, 2, "auditors-sequence"), "a list that is older than one that was believed is refused", old.stderr)
    tap.ok(refusal(late, 2, "auditors-expired") and refusal(early, 2, "auditors-expired"), "and so is one that has expired, or "
           "is for tomorrow", late.stderr + early.stderr)
    at = w.dir / "alice" / "contexts" / "audited.auditors"
    lists.show(lists.make(9, "dos", "tre"))
    kept, older = at.read_bytes(), lists.make(4, "una", "dos")
    at.write_bytes(older.read_bytes())
    done = w.cli("alice", "--context", "audited", "verify", check=False)
    at.write_bytes(kept)
    tap.ok(done.returncode != 0 and "auditors-sequence" in done.stderr and
           w.cli("alice", "--context", "audited", "verify", check=False).returncode == 0, "nor does it help to put an old list "
           "into the context's files", done.stderr)
    w.cli("alice", "context", "use", node.name)


def second_key(w, tap):
    """A name is for display: a key that an administrator gives a known name is somebody else."""
    mallory = w.identity("mallory")
    rows = w.dir / "rows"
    rows.write_text("of alice\n")
    w.cli("alice", "data", "put", "rows", rows)
    w.cli("alice", "data", "grant", "rows", "bob", "--right", "see")
    added = w.cli("admin", "user", "add", "alice", mallory["public_key"], check=False)
    w.nodes[0].join("mallory")
    data = w.json("alice", "data", "show", "rows")["data"]
    said = [w.cli("mallory", *words, check=False) for words in (
        ("data", "show", data), ("data", "get", data, w.dir / "stolen"), ("data", "delete", data),
        ("data", "grant", data, "bob"))]
    tap.ok(added.returncode == 0 and all(d.returncode == 1 and "there is no such thing" in d.stderr for d in said)
           and not (w.dir / "stolen").exists(), "a second key with a known name is another person, to whom nothing belongs",
           [d.stderr for d in said])
    w.cli("bob", "data", "put", "rows", rows)
    done = w.cli("bob", "data", "grant", "rows", "alice", check=False)
    shown = w.json("bob", "data", "show", "rows")["grants"]
    tap.ok(done.returncode == 1 and "more than one key called alice" in done.stderr and not shown,
           "and a name that two keys have is taken for neither", f"{done.stdout}{done.stderr}, {shown}")
    revoked = w.cli("admin", "user", "revoke", mallory["subject"])
    tap.ok(revoked.returncode == 0 and w.cli("mallory", "data", "list", check=False).returncode == 2
           and w.cli("alice", "data", "show", "rows", check=False).returncode == 0, "revoking the one leaves the other")
    done = w.cli("bob", "data", "grant", "rows", "alice", check=False)
    grantee = [g["grantee"] for g in w.json("bob", "data", "show", "rows")["grants"]]
    tap.ok(done.returncode == 0 and grantee == [w.json("alice", "identity", "show", "alice")["subject"]],
           "and gives her back her name", f"{done.stderr}, {grantee}")


class Unclaimed:
    """A node that nobody administrates yet, and the file that says how to change that."""

    def __init__(self, w, name):
        self.w, self.file = w, w.dir / f"{name}.state" / "claim"
        self.node = Node(w, name, administrator=None, claim_file=self.file).start()

    def prepare(self, who):
        if not (self.w.dir / who / "contexts" / f"{self.node.name}.json").exists():
            if not (self.w.dir / who / "identities").is_dir():
                self.w.identity(who)
            self.node.introduce(who)
        self.w.cli(who, "context", "use", self.node.name)

    def try_as(self, who, secret):
        self.prepare(who)
        return self.w.ask(who, "POST", "/claim", {"secret": secret})[0]

    def claim_as(self, who):
        """As a person does it."""
        self.prepare(who)
        done = self.w.cli(who, "--json", "user", "claim", self.file)
        return json.loads(done.stdout)["administrator"] == self.w.json(who, "identity", "show", who)["subject"]

    def secret(self):
        return self.file.read_text().strip()


def claims(w, tap):
    one = Unclaimed(w, "claimed")
    secret = one.secret()
    mode = stat.S_IMODE(one.file.stat().st_mode)
    owner = one.file.stat().st_uid
    tap.ok(mode == 0o600 and owner == one.node.state.stat().st_uid and secret not in one.node.log.read_text()
           and len(secret) == 64, "the claim lies in a file of mode 0600, and in no log", f"{mode:o}")
    wrong = [one.try_as("eve", f"{i:064x}") for i in range(4)]
    right = one.claim_as("carol")
    again = [one.try_as("carol", secret), one.try_as("eve", secret)]
    carol = w.identity("carol-other")  # another key of the same person is another key
    one.node.introduce("carol-other")
    other = w.ask("carol-other", "GET", "/users")[0]
    mine = w.ask("carol", "POST", "/users", {"key": carol["public_key"], "name": "other", "role": "user"})[0]
    tap.ok(wrong == [403] * 4 and right and again == [403, 403] and other == 403 and mine == 201,
           "a claim is good once, for the key that it came with", f"{wrong}, {right}, {again}, {other}, {mine}")
    one.file.unlink()
    one.node.stop()
    one.node.start()
    tap.ok(not one.file.exists() and one.try_as("eve", secret) == 403, "a node that was claimed offers no claim at its next start")
    one.node.kill()
    two = Unclaimed(w, "guessed")
    first = two.secret()
    guesses = [two.try_as("eve", f"{i:064x}") for i in range(5)]
    late = two.try_as("frank", first)
    two.node.kill()
    two.node.start()
    second = two.secret()
    after = [two.try_as("frank", first), two.try_as("frank", second)]
    tap.ok(guesses == [403] * 5 and late == 403 and second != first and after == [403, 201], "after five guesses the claim is "
           "over, even for who knows it; the next start makes another", f"{guesses}, {late}, {after}")
    two.node.kill()


def test(w, tap):
    node = Node(w).start()
    node.join("admin")
    node.welcome("alice", "bob")
    preloaded(w, tap, node)
    other_platform(w, tap, node)
    edited_policy(w, tap, node)
    auditors(w, tap, node)
    second_key(w, tap)
    node.stop()
    claims(w, tap)


if __name__ == "__main__":
    the_world.main(test)
