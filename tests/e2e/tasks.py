#!/usr/bin/env python3
"""tasks.py BUILD: what an approval is good for, and until when, on a node that runs; TAP. Times that would need a clock of
their own (set back, a year later) are in task_run and gate_job, where time is a parameter: the kernel has no name space
for the clock that a node reads, and a library that lies about it is measured."""
import json
import time

import world as the_world
from world import IS_ROOT, Node, until

ROWS = 400000
TRIES = 20  # at coming before a run of so many has ended


def psi(**changes):
    """Bob's and alice's common keys, for carol."""
    return {
        "function": {"name": "psi", "version": 1},
        "arguments": {"inputs": [{"name": n, "key": "email", "canonical": "none", "duplicates": "refuse"} for n in "ab"],
                      "outputs": [{"name": "both", "columns": [{"key": True, "as": "email"}]}]},
        "inputs": [{"name": "a", "data": "alice/t"}, {"name": "b", "data": "bob/t"}],
        "outputs": [{"name": "both", "receivers": ["carol"]}],
        "runs": 2, "not_after_ms": int(time.time() * 1000) + 3600000, **changes}


class Tasks:
    def __init__(self, w, node):
        self.w, self.node = w, node

    def file(self, definition):
        path = self.w.dir / "task.json"
        path.write_text(json.dumps(definition))
        return path

    def create(self, definition, who="carol"):
        return self.w.json(who, "task", "create", self.file(definition))["task"]

    def approve(self, task, *people):
        for who in people:
            self.w.cli(who, "task", "approve", task)

    def show(self, task, who="carol"):
        return self.w.json(who, "task", "show", task)

    def statement(self, task, who):
        """The bytes that somebody has signed: every party of the task can read them."""
        subject = self.w.json(who, "identity", "show", who)["subject"]
        return next(a["statement"] for a in self.show(task)["approvals"] if a["subject"] == subject)

    def revoke(self, task, who, name):
        """The owner ends the grant that an approval made, not the approval."""
        digest = self.show(task)["digest"]
        grants = self.w.json(who, "data", "show", name)["grants"]
        self.w.cli(who, "data", "revoke", name, next(g["grant"] for g in grants if g["grantee"] == digest))

    def run(self, task, who="carol"):
        return self.w.cli(who, "task", "run", task, check=False)

    def runs(self, task):
        return {r["run"]: r for r in self.show(task)["runs"]}

    def ended(self, task, run):
        if not until(lambda: self.runs(task)[run]["state"] not in ("queued", "running")):
            raise the_world.Failed("a run does not end")
        return self.runs(task)[run]


def says(done, status, text):
    return done.returncode == status and text in done.stderr


def changed(w, tap, t):
    """What an owner signed for one task is replayed to others that differ in one thing each."""
    task = t.create(psi())
    t.approve(task, "alice", "bob")
    signed = t.statement(task, "alice")
    w.cli("alice", "data", "put", "t", w.dir / "a.csv")  # version 2, of the same rows
    columns = psi()
    columns["arguments"]["outputs"][0]["columns"] = [{"count": True, "as": "n"}]
    echo = {"function": {"name": "echo", "version": 1}, "arguments": {},
            "outputs": [{"name": n, "receivers": ["carol"]} for n in "ab"]}
    others = {
        "function": psi(**echo), "arguments": columns,
        "input version": psi(inputs=[{"name": "a", "data": "alice/t", "version": 2}, {"name": "b", "data": "bob/t"}]),
        "receiver": psi(outputs=[{"name": "both", "receivers": ["bob"]}]), "runs": psi(runs=3),
        "limits": psi(limits={"memory_bytes": 1 << 30, "time_ms": 1000}), "nothing": psi()}
    accepted = {}
    for what, definition in others.items():
        other = t.create(definition)
        status, answer = w.ask("alice", "POST", f"/tasks/{other}/approvals", {"statement": signed})
        ran = t.run(other)
        if status != 409 or ran.returncode != 2 or t.runs(other):
            accepted[what] = (status, answer, ran.stderr)
    tap.ok(not accepted, "D2: an approval is for one task: with another function, argument, input version, receiver, count or "
           "limit it is refused, and so for the same task made again", accepted)
    status, answer = w.ask("bob", "POST", f"/tasks/{other}/approvals", {"statement": signed})
    tap.ok(status == 422 and answer["code"] == "proof" and not t.runs(other), "nobody sends the approval of somebody else", (status, answer))
    w.cli("alice", "data", "put", "t", w.dir / "b.csv")
    done = t.run(task)
    tap.ok(done.returncode == 0, "the approved task runs as approved, whatever has been "
           "uploaded since", done.stderr)
    return task, signed


def other_policy(w, tap, t):
    """A task goes by the policy of who makes it; an owner with another one signs nothing."""
    task = t.create(psi())
    policy = w.dir / "other.policy"
    w.cli("alice", "policy", "new", policy, "--identity", "alice", "--name", "other", "--platform",
          t.node.public["platform"], "--measurement", t.node.public["measurement"])
    w.cli("alice", "context", "add", "other", "--address", f"127.0.0.1:{t.node.public['port']}", "--identity", "alice",
          "--policy", policy)
    done = w.cli("alice", "task", "approve", task, check=False)
    w.cli("alice", "context", "use", t.node.name)
    states = [a["state"] for a in t.show(task)["approvals"]]
    tap.ok(says(done, 2, "task-policy") and set(states) == {"pending"}, "D2: a task under another appraisal policy than the "
           "owner's is not signed", f"{done.stderr}, {states}")


def other_cluster(w, tap, t, signed):
    second = Node(w, "second").start()
    second.join("admin")
    for who in ("alice", "bob", "carol"):
        w.cli("admin", "user", "add", who, w.json(who, "identity", "show", who)["public_key"])
    second.join("alice", "bob", "carol", policy=None)
    for who, file in (("alice", "a.csv"), ("bob", "b.csv")):
        w.cli(who, "data", "put", "t", w.dir / file)
        w.cli(who, "data", "grant", "t", "carol")
    task = t.create(psi())
    status, answer = w.ask("alice", "POST", f"/tasks/{task}/approvals", {"statement": signed})
    ran = t.run(task)
    tap.ok(status == 409 and ran.returncode == 2, "an approval for one cluster is refused by another", (status, answer, ran.stderr))
    second.kill()
    for who in ("admin", "alice", "bob", "carol"):
        w.cli(who, "context", "use", t.node.name)


def short_lived(w, t):
    """A task that is approved before its time is over: on a slow machine that takes longer."""
    for lives_ms in (1500, 15000, 60000):
        task = t.create(psi(not_after_ms=int(time.time() * 1000) + lives_ms, runs=1000))
        if all(w.cli(who, "task", "approve", task, check=False).returncode == 0 for who in ("alice", "bob")):
            return task
    raise the_world.Failed("a task's time is over before it is approved")


def times(w, tap, t):
    now = int(time.time() * 1000)
    early = t.create(psi(not_before_ms=now + 600000))
    t.approve(early, "alice", "bob")
    done = t.run(early)
    t.node.kill()
    t.node.start()
    again = t.run(early)
    tap.ok(says(done, 2, "time") and says(again, 2, "time") and not t.runs(early), "before its time a task does not run, after "
           "a restart neither", done.stderr + again.stderr)
    short, ran = short_lived(w, t), 0

    def is_over():
        nonlocal done, ran
        done = t.run(short)
        ran += done.returncode == 0
        return done.returncode not in (0, 1)  # 1: begun in time, and ended too late

    until(is_over)
    t.node.kill()
    t.node.start()
    again = t.run(short)
    late = w.cli("alice", "task", "withdraw", short, check=False)
    tap.ok(says(done, 2, "time") and says(again, 2, "time") and late.returncode == 0, "after its time a task does not run, "
           "after a restart neither", f"{ran} runs, {done.stderr}, {again.stderr}, {late.stderr}")


def refusals(w, tap, t):
    task = t.create(psi())
    t.approve(task, "alice")
    rejected = w.cli("bob", "task", "reject", task, "--reason", "too fine")
    done = t.run(task)
    tap.ok(rejected.returncode == 0 and done.returncode == 2 and "too fine" in json.dumps(t.show(task)["approvals"]),
           "a rejected task does not run, and says why", done.stderr)
    task = t.create(psi())
    t.approve(task, "alice", "bob")
    assert t.run(task).returncode == 0
    done = [w.cli(who, "task", "result", task, "both", w.dir / f"{who}.out", check=False) for who in ("alice", "bob", "admin")]
    mine = w.cli("carol", "task", "result", task, "both", w.dir / "carol.out")
    tap.ok([d.returncode for d in done] == [1, 1, 1] and mine.returncode == 0
           and not any((w.dir / f"{who}.out").exists() for who in ("alice", "bob", "admin")), "a result is not for owners, nor "
           "for an administrator, unless they are named", [d.stderr for d in done])


def put_large(w):
    for who, seed in (("alice", 0), ("bob", ROWS // 2)):
        path = w.dir / f"{who}.large"
        path.write_text("email,v\n" + "".join(f"{(i * 7919) % 1000003:x}@example.com,1\n" for i in range(seed, seed + ROWS)))
        w.cli(who, "data", "put", "large", path)
        w.cli(who, "data", "grant", "large", "carol")


def interfere(w, t, act):
    """Acts while a run is under way: the task, the state of its run before, and how that ended."""
    inputs = [{"name": "a", "data": "alice/large"}, {"name": "b", "data": "bob/large"}]
    for _ in range(TRIES):
        task = t.create(psi(inputs=inputs))
        t.approve(task, "alice", "bob")
        run = w.json("carol", "task", "run", task, "--no-wait")["run"]
        was = until(lambda: state if (state := t.runs(task)[run]["state"]) != "queued" else None)
        act(task)
        acted_ms = time.time() * 1000
        end = t.ended(task, run)
        if was == "running" and (end["state"] != "done" or end["ended_ms"] > acted_ms):
            break
        put_large(w)  # it had ended before we came to it
    return task, was, end


def under_way(w, tap, t):
    """Long runs, which end because somebody changes their mind."""
    put_large(w)
    for name, act in (("an approval that is withdrawn", lambda task: w.cli("alice", "task", "withdraw", task)),
                      ("a rejection", lambda task: w.cli("bob", "task", "reject", task)),
                      ("a grant that is revoked", lambda task: t.revoke(task, "alice", "large")),
                      ("an input that is deleted", lambda task: w.cli("alice", "data", "delete", "large", "--now"))):
        task, was, end = interfere(w, t, act)
        done = t.run(task)
        got = w.cli("carol", "task", "result", task, "both", w.dir / "late", check=False)
        is_clean = not IS_ROOT or until(lambda: not any((t.node.state / "staging").iterdir()))
        tap.ok(was == "running" and end["state"] in ("cancelled", "failed") and not end.get("results") and done.returncode != 0
               and got.returncode == 1 and is_clean, f"{name} while the run is under way takes its result away, and nothing "
               "runs any more", f"{was}, {end}, {done.stderr}, {got.stderr}, {is_clean}")


def test(w, tap):
    node = Node(w).start()
    node.join("admin")
    node.welcome("alice", "bob", "carol")
    t = Tasks(w, node)
    (w.dir / "a.csv").write_text("email,v\na@x,1\nb@x,2\nc@x,3\n")
    (w.dir / "b.csv").write_text("email,w\nb@x,5\nc@x,6\nd@x,7\n")
    for who, file in (("alice", "a.csv"), ("bob", "b.csv")):
        w.cli(who, "data", "put", "t", w.dir / file)
        w.cli(who, "data", "grant", "t", "carol")
    _, signed = changed(w, tap, t)
    other_policy(w, tap, t)
    other_cluster(w, tap, t, signed)
    refusals(w, tap, t)
    times(w, tap, t)
    under_way(w, tap, t)


if __name__ == "__main__":
    the_world.main(test)
