#!/usr/bin/env python3
"""gramine.py BUILD: a node's whole life on a kernel that has what Gramine has, and says ENOSYS to everything else; TAP.

It is not Gramine: strace refuses what gramine_calls.txt does not have, and the limits are those of the manifest. What Gramine
does in another way than Linux (docs/gramine.md) is not tried here."""
import json
import os
import pathlib
import re
import shutil
import signal
import tomllib

import world as the_world
from disk import can_trace
from world import IS_ROOT, PATIENCE_S, Node

HERE = pathlib.Path(__file__).resolve().parent
MANIFEST = HERE.parents[1] / "host/gramine/mesateed.manifest.template"
OWN_THREADS = 3  # Gramine's: between processes, for what comes by itself, for the handshake of a pipe
OWN_BYTES = 128 << 20  # what is left to Gramine of the enclave

# What may be asked and refused, with what is done then.
FALLBACKS = {
    "clone3": "the C library's: clone",
    "rseq": "the C library's: none",
    "madvise": "strace cannot tell one advice from another: all of it is refused, more than Gramine refuses",
    "prctl": "there are no dumps, no tracing and no rights to gain",
    "landlock_create_ruleset": "a fact of the kernel: it has none",
    "sync_file_range": "the sync writes it all",
}


def table():
    """{call: the constants that it may be given, None: any}"""
    calls = {}
    for line in (HERE / "gramine_calls.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, colon, words = line.partition(":")
            if colon:
                calls[name] = calls.get(name, set()) | set(words.split())
            else:
                calls.update(dict.fromkeys(line.split()))
    return calls


def size(text):
    return int(text[:-1]) << {"K": 10, "M": 20, "G": 30}[text[-1]]


def whole_calls(text):
    """Those that strace wrote in two halves, for another thread's came between, are one again."""
    begun = {}
    for line in text.splitlines():
        thread, _, call = line.partition(" ")
        if call.endswith(" <unfinished ...>"):
            begun[thread] = call.removesuffix(" <unfinished ...>")
        elif resumed := re.match(r" *<\.\.\. \w+ resumed>(.*)", call):
            yield begun.pop(thread, "") + resumed[1]
        else:
            yield call
    yield from begun.values()  # which never came back


class Trace:
    """What strace wrote: which calls were refused, and which were made with what Gramine does not take."""

    def __init__(self, path, calls):
        self.refused, self.foreign, self.seen = set(), set(), set()
        for line in whole_calls(path.read_text()):
            found = re.match(r" *(\w+)\((.*)", line)
            if found is None:
                continue  # a signal, or the end of a thread
            name, rest = found[1], re.sub(r'"[^"]*"', "", found[2]).partition(" = ")[0]
            self.seen.add(name)
            if "(INJECTED)" in line:
                self.refused.add(name)
            elif calls.get(name) is not None:
                self.foreign |= {(name, w) for w in re.findall(r"\b[A-Z][A-Z0-9_]+\b", rest) if w not in calls[name]}


def start(node, trace, calls, manifest):
    """Below strace, as nobody: Gramine knows no setresuid. What is partly implemented is looked at, what is not is refused."""
    passed = [c for c in calls if c != "madvise"]
    looked_at = [c for c in passed if calls[c] is not None]
    unseen = ",".join(c for c in passed if c not in looked_at)
    node.start("prlimit", f"--stack={size(manifest['sys']['stack']['size'])}", f"--as={size(manifest['sgx']['enclave_size']) - OWN_BYTES}",
               "strace", "-f", "-qq", "--seccomp-bpf", "-s", "0", "-o", trace, *(["-u", "nobody"] if IS_ROOT else []),
               "-e", f"trace=!{unseen}", "-e", f"inject=!{','.join(passed)}:error=ENOSYS")
    node.threads = node_threads(node)


def node_threads(node):
    children = pathlib.Path(f"/proc/{node.process.pid}/task/{node.process.pid}/children").read_text().split()
    node.pid = int(children[0])
    return len(os.listdir(f"/proc/{node.pid}/task"))


def end(node):
    """SIGTERM as Gramine passes it on, to the node."""
    os.kill(node.pid, signal.SIGTERM)
    status = node.process.wait(PATIENCE_S)
    node.process = None
    return status


def live(w, node):
    """Users, versions small and large, a run, a backup: what a node does in its life."""
    node.join("admin")
    node.welcome("alice")
    for name, length in (("base", 40), ("large", 3000000)):
        (w.dir / name).write_bytes(os.urandom(length))
        w.cli("alice", "data", "put", name, w.dir / name)
    task = w.dir / "task.json"
    task.write_text(json.dumps(the_world.TASK))
    made = w.json("alice", "task", "create", task)["task"]
    w.cli("alice", "task", "approve", made)
    w.cli("alice", "task", "run", made)
    w.cli("alice", "task", "result", made, "out", w.dir / "out")
    (w.dir / "secret").write_bytes(os.urandom(32))
    w.cli("admin", "backup", w.dir / "backup", "--secret", w.dir / "secret")
    w.cli("alice", "data", "delete", "base")


def test(w, tap):
    sentences = ["a node lives where Gramine's calls are all that there is, in the manifest's stack and memory",
                 "it asks for nothing else but what it can do without", "and of what Gramine has in part, for that part",
                 "it has as many threads as the manifest has room for",
                 "but where Linux refuses to keep it from dumps and new rights it does not start"]
    if not can_trace():
        for sentence in sentences:
            tap.skip(sentence, "strace is not here, or may not trace")
        return
    calls, manifest = table(), tomllib.loads(re.sub(r"\{\{.*?\}\}", "", MANIFEST.read_text()))
    node = Node(w, "enclave")
    node.state.mkdir(0o700)
    if IS_ROOT:
        shutil.chown(node.state, "nobody")
    start(node, w.dir / "first", calls, manifest)
    live(w, node)
    status = [end(node)]
    start(node, w.dir / "second", calls, manifest)
    w.cli("alice", "data", "get", "large", w.dir / "again")
    is_there = (w.dir / "again").read_bytes() == (w.dir / "large").read_bytes()
    status.append(end(node))
    traces = [Trace(w.dir / name, calls) for name in ("first", "second")]
    tap.ok(status == [0, 0] and is_there, sentences[0], f"{status}: {node.last_words()}")
    refused = set().union(*(t.refused for t in traces))
    tap.ok(refused and refused <= set(FALLBACKS), sentences[1], sorted(refused - set(FALLBACKS)))
    foreign = set().union(*(t.foreign for t in traces))
    tap.ok("openat" in traces[0].seen and not foreign, sentences[2], sorted(foreign))
    tap.ok(1 < node.threads + OWN_THREADS <= manifest["sgx"]["max_threads"], sentences[3], node.threads)
    said = [refuse(node, w.dir / "third", when).splitlines()[-1] for when in (1, 2)]
    tap.ok("core dumps cannot be forbidden" in said[0] and "new privileges cannot be forbidden" in said[1], sentences[4], said)


def refuse(node, trace, when):
    """What the node says whose n-th prctl is refused by a kernel that has it."""
    try:
        node.start("strace", "-f", "-qq", "-o", trace, "-e", "trace=prctl", "-e", f"inject=prctl:error=EPERM:when={when}")
    except the_world.Failed as e:
        return str(e)
    node.kill()
    return "started"


if __name__ == "__main__":
    the_world.main(test)
