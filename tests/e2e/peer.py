#!/usr/bin/env python3
"""peer.py BUILD: a disk that its machine does not open is opened by another node, which judges the machine first; TAP."""
import hashlib
import os
import pathlib
import subprocess
import sys

import world as the_world
from world import PATIENCE_S, Node

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "vectors"))
from seal_formats import machine_key  # noqa: E402

REFUSED = 2


class Machine:
    """What stays when the disk goes: a key file, by which a machine without a device is known."""

    def __init__(self, w, name, keeper, state, policy):
        self.w, self.keyfile = w, w.dir / f"{name}.key"
        self.keyfile.write_bytes(os.urandom(32))
        self.keyfile.chmod(0o644)
        self.node = Node(w, name, state=state, keyfile=self.keyfile, peer=f"127.0.0.1:{keeper.public['port']}", peer_policy=policy)

    def platform(self):
        done = subprocess.run([self.w.build / "mesateed", "--config", self.node.conf, "--machine"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S)
        return done.stdout.strip()

    def set(self, name, value):
        lines = [line for line in self.node.conf.read_text().splitlines() if not line.startswith(f"{name} =")]
        self.node.conf.write_text("".join(f"{line}\n" for line in [*lines, f"{name} = {value}"] if value is not None or line in lines))


def policy(w, name, node, *platforms, level="2", measurement=None):
    path = w.dir / f"{name}.policy"
    words = [word for p in platforms for word in ("--platform", p)]
    w.cli("admin", "policy", "new", path, "--identity", "admin", "--name", name, "--level", level, *words, "--measurement",
          measurement or node.public["measurement"])
    path.chmod(0o644)
    return path


def kept(w):
    return w.json("admin", "--context", "keeper", "keyslot", "kept")["peers"]


def add(w, who, path):
    return w.cli(who, "--json", "--context", "node", "keyslot", "add", "--peer", "keeper", "--policy", path, check=False)


def copy(w, node, name):
    to = w.dir / f"{name}.state"
    subprocess.run(["cp", "-a", node.state, to], check=True)
    return to


def enrol(w, tap, keeper, first, second):
    """The slot is made by asking for the key as a start will."""
    node = first.node
    both = (first.platform(), second.platform())
    names = tuple(hashlib.sha256(machine_key(m.keyfile.read_bytes())).hexdigest() for m in (first, second))
    tap.ok(names == both, "a machine without a device is known by a key that its key file makes, as the specification says", f"{names} {both}")
    for sentence, path, words in (
            ("soft evidence where the policy demands hardware", policy(w, "hard", keeper, *both, level="3"), "level-minimum"),
            ("a machine that the policy does not name", policy(w, "foreign", keeper, second.platform()), "platform-unknown"),
            ("another program than the policy names", policy(w, "other", keeper, *both, measurement="00" * 32), "measurement-unknown")):
        done = add(w, "admin", path)
        tap.ok(done.returncode == REFUSED and words in node.last_words(4) and kept(w) == [],
               f"{sentence} gets no key, by the rule, and nothing is left behind", f"{done.stderr} {node.last_words()}")
    tap.ok(keeper.log.read_text().count("handover-refused") == 3, "and the keeper's log says so", keeper.last_words())
    good = policy(w, "peers", keeper, *both)
    done = add(w, "alice", good)
    tap.ok(done.returncode == REFUSED and kept(w) == [], "only an administrator has keys kept", done.stderr)
    status, answer = w.ask("admin", "POST", "/peers", {"policy": ""})
    tap.ok(status == 400, "no key is kept without a policy", answer)
    w.cli("alice", "policy", "new", w.dir / "alice.policy", "--identity", "alice", "--name", "mine", "--platform", both[0],
          "--measurement", keeper.public["measurement"])
    done = add(w, "admin", w.dir / "alice.policy")
    tap.ok(done.returncode == REFUSED and "signed by the administrator" in done.stderr, "nor by the word of somebody else", done.stderr)
    theirs = (w.dir / "admin.keeper.policy").read_bytes()
    (w.dir / "admin/contexts/keeper.policy").write_bytes(policy(w, "hosts", keeper, keeper.public["platform"]).read_bytes())
    done = add(w, "admin", good)
    tap.ok(done.returncode == 1 and "is another one" in done.stderr and kept(w) == [],
           "a slot is made for a peer that satisfies the administrator's policy, and for no other", done.stderr)
    (w.dir / "admin/contexts/keeper.policy").write_bytes(theirs)
    done = add(w, "admin", good)
    slots = w.json("admin", "--context", "node", "keyslot", "list")["keyslots"]
    keys = kept(w)
    tap.ok(done.returncode == 0 and [s["kind"] for s in slots] == ["file", "peer"] and len(keys) == 1 and
           keys[0]["peer"] == slots[1]["peer"] and slots[1]["cluster"] == keeper.public["cluster_id"],
           "a slot for the peer is added, and both ends list it by one name", f"{done.stderr} {slots} {keys}")
    return keys[0]["peer"]


def audited(w):
    said = w.cli("admin", "--context", "keeper", "--json", "audit", "list").stdout
    return said.count("handover.take"), said


def opens(w, tap, keeper, second, rows):
    before, _ = audited(w)
    second.node.start()
    log = second.node.log.read_text()
    second.node.name = "node"  # the same cluster, at another place
    second.node.readdress()
    w.cli("admin", "--context", "node", "data", "get", "rows", w.dir / "back")
    tap.ok("opened-by-peer" in log and (w.dir / "back").read_bytes() == rows.read_bytes(),
           "a copy of the disk on another machine is opened by the peer, and nothing is lost", log)
    after, said = audited(w)
    tap.ok(after == before + 1 and second.platform() in said, "the keeper's audit log says which machine got the key", said[-600:])
    second.node.stop()


def refused(w, tap, keeper, node, third, rows):
    """What else may hold a copy of the disk."""
    status, log = third.node.run_to_end()
    tap.ok(status == 1 and "peer-denies" in log and "platform-unknown" in log,
           "the right program on a machine that is not the owner's gets nothing, by the rule", log)
    third.set("peer", "")
    third.set("peer_policy", "")
    status, log = third.node.run_to_end()
    tap.ok(status == 1 and "no key slot opens" in log, "the disk alone opens nothing", log)


def requests(w):
    return w.json("admin", "--context", "other", "status")["requests"]


def impostors(w, tap, keeper, second):
    """A peer that is not the keeper is refused before it is asked for anything."""
    other = Node(w, "other", keyfile=w.keyfile).start()
    other.join("admin")
    asked = requests(w)
    mine = requests(w) - asked  # of the question itself
    second.set("peer_policy", policy(w, "genuine", keeper, other.public["platform"]))
    status, log = second.node.run_to_end()
    tap.ok(status == 1 and "peer-refused" in log and "platform-unknown" in log and "peer-denies" not in log,
           "a peer whose machine the policy does not name is refused before it is asked", log)
    second.set("peer", f"127.0.0.1:{other.public['port']}")
    status, log = second.node.run_to_end()
    tap.ok(status == 1 and "peer-refused" in log and "report-data" in log, "and so is a node of another cluster, whoever it is", log)
    second.set("peer", "127.0.0.1:1")
    status, log = second.node.run_to_end()
    tap.ok(status == 1 and "peer-unreachable" in log and "cannot be reached" in log and "peer-refused" not in log and
           "start the node at the address in peer" in log, "a peer that is not there is said to be that, and no refusal", log)
    tap.ok("file-slot-refused" in log and "no key slot opens" in log.splitlines()[-2] + log.splitlines()[-1],
           "and what stops the node is why its own key file opens nothing", log)
    after = requests(w)
    tap.ok(mine > 0 and after == asked + 2 * mine, "nobody has asked it for a key", f"{asked} {mine} {after}")
    other.stop()
    second.set("peer", f"127.0.0.1:{keeper.public['port']}")
    second.set("peer_policy", w.dir / "nowhere")
    status, log = second.node.run_to_end()
    tap.ok(status == 1 and "not-started" in log, "without the policy's file no peer is believed", log)
    second.set("peer_policy", w.dir / "admin.keeper.policy")


def measured(tap, second):
    """The setting names a file: another content is another configuration."""
    path, shown = second.w.dir / "admin.keeper.policy", []
    content = path.read_bytes()
    for now in (content, (second.w.dir / "genuine.policy").read_bytes(), content):
        path.write_bytes(now)
        second.set("keyfile", second.w.dir / "node.key")
        shown.append(second.node.start().public["configuration"])
        second.node.stop()
    second.set("keyfile", second.keyfile)
    tap.ok(shown[0] == shown[2] != shown[1], "what the peer has to be is measured with the configuration", shown)


def test(w, tap):
    keeper = Node(w, "keeper").start()
    keeper.join("admin")
    (w.dir / "admin.keeper.policy").chmod(0o644)
    first = Machine(w, "node", keeper, None, w.dir / "admin.keeper.policy")
    node = first.node.start()
    node.join("admin")
    node.welcome("alice")
    keeper.introduce("alice")
    second = Machine(w, "second", keeper, w.dir / "second.state", w.dir / "admin.keeper.policy")
    third = Machine(w, "third", keeper, w.dir / "third.state", w.dir / "admin.keeper.policy")
    key = enrol(w, tap, keeper, first, second)
    rows = w.dir / "rows"
    rows.write_bytes(os.urandom(5000))
    w.cli("admin", "--context", "node", "data", "put", "rows", rows)
    node.stop()
    copy(w, node, "second")
    copy(w, node, "third")
    opens(w, tap, keeper, second, rows)
    refused(w, tap, keeper, node, third, rows)
    impostors(w, tap, keeper, second)
    measured(tap, second)
    done = w.cli("admin", "--context", "keeper", "keyslot", "remove", key)
    status, log = second.node.run_to_end()
    tap.ok(done.returncode == 0 and kept(w) == [] and status == 1 and "peer-key-unknown" in log,
           "after the key is removed at the peer it opens nothing any more", log)
    keeper.stop()
    node.start()
    tap.ok("ready" in node.last_words(2), "and the machine that has its own key file needs no peer", node.last_words())
    node.stop()


if __name__ == "__main__":
    the_world.main(test)
