#!/usr/bin/env python3
"""crash.py BUILD [ROUNDS] [SEED]: a node is killed again and again while clients write; TAP.

Four clients write as fast as they are answered and remember each answer that was given to them. In each round the
node is killed at a random moment, now and then already while it recovers, and started again. Then everything that
was acknowledged must be there, nothing half done, and staging empty.
"""
import hashlib
import json
import os
import sys
import threading
import time

import world as the_world
from world import until


class Writer(threading.Thread):
    """Says one thing after the other until the node is gone."""

    def __init__(self, test, who, number):
        super().__init__(daemon=True)
        self.test, self.who, self.number = test, who, number

    def run(self):
        while not self.test.is_over:
            if not self.one():
                return

    def one(self):
        t = self.test
        if self.number == 3:
            done = t.world.cli("alice", "--json", "task", "run", t.task, check=False)
            if done.returncode != 0:
                return False
            t.runs.append(json.loads(done.stdout)["run"])
            return True
        # The second of them sends bodies that are streamed into a staging object.
        size = t.world.random.choice([1, 100, 5000] if self.number != 1 else [70000, 300000, 900000])
        content = os.urandom(size)
        path = t.world.dir / f"{self.who}.{self.number}"
        path.write_bytes(content)
        name = f"set{self.number}"
        done = t.world.cli(self.who, "--json", "data", "put", name, path, check=False)
        if done.returncode != 0:
            return False
        answer = json.loads(done.stdout)
        t.acknowledged[(self.who, name, answer["version"])] = (answer["commitment"], hashlib.sha256(content).hexdigest())
        return True


def pages(show, number):
    """All of a list that is shown by the hundred, the newest first."""
    page = found = show()
    while page and page[0][number] > 1:
        page = show("--before", page[0][number])
        found = page + found
    return found


class Test:
    def __init__(self, world, tap, rounds):
        self.world, self.tap, self.rounds = world, tap, rounds
        self.acknowledged, self.runs, self.is_over, self.faults = {}, [], False, []
        self.early = self.live = self.skipped = 0

    def set_up(self):
        w = self.world
        self.node = the_world.Node(w)
        self.node.start()
        self.node.join("admin")
        self.node.welcome("alice", "bob")
        base = w.dir / "base.csv"
        base.write_text("a,b\n1,2\n")
        w.cli("alice", "data", "put", "base", base)
        task = w.dir / "task.json"
        task.write_text(json.dumps(the_world.TASK))
        self.task = w.json("alice", "task", "create", task)["task"]
        w.cli("alice", "task", "approve", self.task)

    def first_starts(self):
        """A first start that is cut short is no obstacle to the next one, wherever it was."""
        bad = []
        for i in range(12):
            node = the_world.Node(self.world, f"first{i}")
            node.spawn()
            time.sleep(self.world.random.uniform(0, 0.02))
            node.kill()
            try:
                node.start().stop()
                node.start().kill()
            except the_world.Failed as e:
                bad.append(str(e))
        self.tap.ok(not bad, "a first start that was killed is taken up by the next one", "\n".join(bad))

    def one_round(self, number):
        r = self.world.random
        self.is_over = False
        writers = [Writer(self, who, i) for i, who in enumerate(["alice", "alice", "bob", "alice"])]
        for writer in writers:
            writer.start()
        if number % 2 == 0:
            self.wait_for_a_write()
        time.sleep(r.uniform(0.005, 0.2))
        self.node.kill()
        self.is_over = True
        for writer in writers:
            writer.join()
        if r.random() < 0.3:
            self.node.spawn()
            time.sleep(r.uniform(0, 0.03))
            self.node.kill()
            self.early += 1
        self.node.start()
        self.check_acknowledged(is_last=False)

    def wait_for_a_write(self):
        """Slow programs, or a slow machine, may not get as far by themselves."""
        before = len(self.acknowledged) + len(self.runs)
        until(lambda: len(self.acknowledged) + len(self.runs) > before)

    def check_acknowledged(self, is_last):
        """After each round the newest versions of each data set, at the end all of them; a head that went back would
        be refused by the client itself."""
        shown = {}
        for who, name in {(who, name) for who, name, _ in self.acknowledged}:
            show = lambda *more: self.world.json(who, "data", "show", name, *more)["versions"]
            versions = pages(show, "version") if is_last else show()
            shown[(who, name)] = {v["version"]: v["commitment"] for v in versions}
        for (who, name, version), (commitment, _) in self.acknowledged.items():
            versions = shown[(who, name)]
            if versions.get(version) != commitment and (is_last or version >= min(versions, default=0)):
                self.faults.append(f"{who}/{name} version {version} was acknowledged and is not there")
        if not until(lambda: not any((self.node.state / "staging").iterdir())):  # but for runs that are done again
            self.faults.append("something is left in staging")
        self.shown = shown

    def check_contents(self):
        """Every version that is there, acknowledged or not, opens whole."""
        back = self.world.dir / "back"
        bad = []
        for (who, name), versions in self.shown.items():
            wanted = sorted(versions)
            for version in wanted if len(wanted) < 60 else self.world.random.sample(wanted, 60):
                done = self.world.cli(who, "data", "get", name, back, "--version", version, check=False)
                known = self.acknowledged.get((who, name, version))
                same = done.returncode == 0 and (
                    known is None or hashlib.sha256(back.read_bytes()).hexdigest() == known[1])
                if not same:
                    bad.append(f"{who}/{name} version {version}: {done.stderr}")
        return bad

    def check_runs(self):
        bad, self.receipts = [], 0
        shown = self.run_states()
        for run in self.runs:
            if shown.get(run) != "done":
                bad.append(f"run {run} was done and is {shown.get(run)}")
        for run in self.runs[-1:] + self.world.random.sample(self.runs, min(20, len(self.runs))):
            path = self.world.dir / "receipt"
            for words in (["get", self.task, path, "--run", run], ["verify", path]):
                done = self.world.cli("alice", "receipt", *words, check=False)
                if done.returncode != 0:
                    bad.append(f"receipt {words[0]} of run {run}: {done.stderr}")
            self.receipts += 1
        return bad

    def run_states(self):
        runs = pages(lambda *more: self.world.json("alice", "task", "show", self.task, *more)["runs"], "number")
        return {r["run"]: r["state"] for r in runs}

    def check_objects(self):
        """Each object is named: by a version, or by a run that is done. What a crash interrupted is run again."""
        until(lambda: not {"queued", "running"} & set(self.run_states().values()))
        self.node.stop()
        self.node.start()
        versions = sum(len(v) for v in self.shown.values()) + 1
        done = list(self.run_states().values()).count("done")
        objects = len(self.node.files("objects/*"))
        return objects == versions + done, f"{objects} objects, {versions} versions, {done} runs done"

    def run(self):
        self.first_starts()
        self.set_up()
        for number in range(self.rounds):
            self.one_round(number)
        self.check_acknowledged(is_last=True)
        tap = self.tap
        writes = len(self.acknowledged) + len(self.runs)
        tap.ok(writes >= self.rounds // 4, f"{writes} writes were acknowledged in {self.rounds} rounds, {self.early} of them "
               "killed once more while recovering")
        tap.ok(not self.faults, "nothing acknowledged is lost, no head goes back, staging is empty after each start",
               "\n".join(self.faults))
        bad = self.check_contents()
        tap.ok(not bad, "what is there, acknowledged or not, opens whole", "\n".join(bad))
        bad = self.check_runs()
        tap.ok(not bad and self.receipts > 0, f"runs that ended have ended, and {self.receipts} receipts verify",
               "\n".join(bad))
        done = self.world.cli("admin", "audit", "verify", check=False)
        tap.ok(done.returncode == 0, "the audit log rebuilds the tree", done.stderr)
        is_even, detail = self.check_objects()
        tap.ok(is_even, "no object is left that nobody names, and none is missing", detail)


if __name__ == "__main__":
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    the_world.main(lambda world, tap: Test(world, tap, rounds).run())
