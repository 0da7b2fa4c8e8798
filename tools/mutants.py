#!/usr/bin/env python3
"""Break each promise and demand that its test notices: mutants.py ROOT [WORD...].

tests/mutants/NNN-name.patch begins with two lines, `# Promise: what we promise` and `# Test: name of the Meson test`
(more names if more must turn red), then the patch that breaks the promise. Each is applied to a copy of the tree in
build-mutants/, built, and its tests are run: all of them must fail. A patch that does not apply or not compile is a
failure, and so is a test that is red without any mutant. With WORDs, only patches whose name contains one of them.

There is a copy for each processor, and mutants of one test go through one copy, which then builds little for each. What
all of them start from is built once: paths in commands are relative, so a new copy takes the objects of the first.
Tests that want the machine for themselves come last, one at a time. A test has ten times what it takes without a
mutant: a broken limit may mean work without end, and that is red too.
"""
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

TAIL = 15
COPIES_MAX = 4
PATIENCE, PATIENCE_S_MIN = 10, 15
SKIPPED = 77  # the exit status of a plain test that did not run


def run(*command, cwd=None):
    done = subprocess.run([str(c) for c in command], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace")
    return done.returncode, done.stdout


def tail(text):
    return "".join("      " + line + "\n" for line in text.strip().splitlines()[-TAIL:])


def copy_tree(root, src):
    """Makes `src` equal to the tree in `root`, and touches only what differs, so that a second run builds little."""
    status, names = run("git", "-C", root, "ls-files", "-co", "--exclude-standard")
    if status != 0:
        sys.exit(f"mutants.py: {root} is not a git work tree: {names}")
    wanted = {name for name in names.splitlines() if (root / name).is_file()}
    for name in wanted:
        to = src / name
        if not to.is_file() or to.read_bytes() != (root / name).read_bytes():
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, to)  # with a new time stamp: it has to be built again
    for stale in [p for p in src.rglob("*") if p.is_file() and str(p.relative_to(src)) not in wanted]:
        stale.unlink()


class Build:
    def __init__(self, root, folder):
        self.root, self.src, self.folder = root, folder / "src", folder / "build"
        self.tests, self.usual_s, self.is_new = None, {}, not (folder / "build/build.ninja").is_file()

    def configure(self):
        copy_tree(self.root, self.src)
        if self.is_new:
            os.environ["CC"] = "gcc"
            status, said = run("meson", "setup", "-Doptimization=0", "-Ddebug=false", "-Dwerror=false", self.folder,
                               self.src)
            if status != 0:
                sys.exit(said)
        status, said = run("ninja", "-C", self.folder, "build.ninja")
        if status != 0:
            sys.exit(said)
        read = lambda what: json.loads(run("meson", "introspect", what, self.folder)[1])
        files = {t["id"]: t["filename"] for t in read("--targets")}
        self.tests = {}
        for t in read("--tests"):
            t["files"] = sorted({f for d in t["depends"] for f in files.get(d, [])})
            self.tests[t["name"]] = t

    def make(self, tests, jobs=1):
        """Builds what the tests need, and no more."""
        targets = sorted({str(pathlib.Path(f).relative_to(self.folder)) for t in tests for f in self.tests[t]["files"]})
        return run("ninja", "-C", self.folder, f"-j{jobs}", *targets) if targets else (0, "")

    def take(self, first):
        """A copy that has built nothing has what the first has built. Ninja knows by the log that it is up to date."""
        for path in (p for p in first.folder.rglob("*") if p.is_file()):
            to = self.folder / path.relative_to(first.folder)
            if not to.exists() or path.name in (".ninja_log", ".ninja_deps"):
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, to)

    def restore(self, files):
        for name in files:
            if (self.root / name).is_file():
                shutil.copy(self.root / name, self.src / name)  # with a new time stamp: it has to be built again
            else:
                (self.src / name).unlink(missing_ok=True)

    def red(self, tests):
        """{test: the sentence that failed} for those of the tests that fail. The first time of each is its usual one."""
        found = {}
        for name in tests:
            begun = time.monotonic()
            limit = self.tests[name]["timeout"]
            if name in self.usual_s:
                limit = min(limit, max(PATIENCE_S_MIN, PATIENCE * self.usual_s[name]))
            at = judge(self.tests[name], self.folder, limit)
            self.usual_s.setdefault(name, time.monotonic() - begun)
            if at is not None:
                found[name] = at
        return found


def judge(test, folder, limit_s):
    """The sentence that a test fails at, or None: by the rules of `meson test`, which takes longer to start than most
    tests take to run. Like there, memory that is freed is overwritten. The first sentence that fails is enough."""
    around = {"MALLOC_PERTURB_": "165", "TAP_BAIL": "1", **os.environ, **test["env"]}
    with subprocess.Popen(test["cmd"], cwd=test["workdir"] or folder, env=around,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          errors="replace", start_new_session=True) as p:
        try:
            out, _ = p.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            out, _ = p.communicate()
            return sentence(out, "timeout")
    if test["protocol"] != "tap":
        return None if p.returncode in (0, SKIPPED) else sentence(out, "fail")
    told = len(re.findall(r"^(?:not )?ok\b", out, re.M))
    plan = re.search(r"^1\.\.(\d+)", out, re.M)
    is_bad = re.search(r"^not ok\b(?!.*#\s*(?:TODO|SKIP))|^Bail out!", out, re.M)
    is_whole = plan is not None and int(plan[1]) == told
    return None if p.returncode == 0 and not is_bad and is_whole else sentence(out, "error")


def sentence(out, otherwise):
    """The sentence that a failed test was at: the first `not ok`, else the last one begun before it died."""
    bad = re.findall(r"^not ok\b[ \d]*-? *(.*)$", out, re.M)
    begun = re.findall(r"^# (\w+)$", out, re.M)
    return bad[0] if bad else begun[-1].replace("_", " ") if begun else otherwise


class Mutant:
    def __init__(self, patch):
        head = patch.read_text().split("\n--- ")[0]
        self.patch, self.name = patch, patch.stem
        self.promise = " ".join(re.findall(r"^# Promise: *(.+)$", head, re.M)).strip()
        self.tests = [w for line in re.findall(r"^# Test: *(.+)$", head, re.M) for w in line.split()]
        self.files = re.findall(r"^\+\+\+ (?:b/)?(\S+)", patch.read_text(), re.M)

    def fault(self, known):
        if not re.fullmatch(r"\d{3,4}-[a-z0-9-]+", self.name):
            return "its name is not NNN-name.patch"
        if not self.promise or not self.tests:
            return "it lacks `# Promise:` or `# Test:`"
        unknown = [t for t in self.tests if t not in known]
        return f"there is no test {unknown[0]}" if unknown else None

    def attempt(self, build):
        """(is killed, what happened)"""
        status, said = run("patch", "-p1", "-N", "-s", "-r-", "--no-backup-if-mismatch", "-i", self.patch,
                           cwd=build.src)
        if status != 0:
            return False, "does not apply\n" + tail(said)
        status, said = build.make(self.tests)
        if status != 0:
            return False, "does not compile\n" + tail(said)
        red = build.red(self.tests)
        alive = [t for t in self.tests if t not in red]
        if alive:
            return False, f"SURVIVES {', '.join(alive)}"
        return True, "; ".join(f"{t}: {red[t]}" for t in self.tests)


class Hunt:
    """Groups of mutants, a group for each test that is named first, and what became of them."""

    def __init__(self, root, mutants, builds):
        self.root, self.builds = root, builds
        self.lock, self.killed = threading.Lock(), 0
        tests = builds[0].tests
        groups = {}
        for m in mutants:
            fault = m.fault(tests)
            if fault:
                self.tell(m, False, fault)
            else:
                groups.setdefault(m.tests[0], []).append(m)
        is_alone = lambda g: not all(tests[t]["is_parallel"] for m in g for t in m.tests)
        ordered = sorted(groups.values(), key=len, reverse=True)
        self.alone = [g for g in ordered if is_alone(g)]
        self.beside = queue.SimpleQueue()
        for g in ordered:
            if not is_alone(g):
                self.beside.put(g)

    def tell(self, m, is_killed, what):
        with self.lock:
            self.killed += is_killed
            print(f"{'killed ' if is_killed else 'FAILED '} {m.name:<32} {m.promise}\n        {what}", flush=True)

    def try_group(self, build, group):
        named = sorted({t for m in group for t in m.tests})
        status, said = build.make(named)
        if status != 0:
            for m in group:
                self.tell(m, False, f"the tree does not build\n{tail(said)}")
            return
        red = build.red(named)
        for m in group:
            bad = [t for t in m.tests if t in red]
            if bad:
                self.tell(m, False, f"its test {bad[0]} is red without it, at: {red[bad[0]]}")
                continue
            self.tell(m, *m.attempt(build))
            build.restore(m.files)

    def work(self, build):
        try:
            while True:
                self.try_group(build, self.beside.get_nowait())
        except queue.Empty:
            pass

    def run(self):
        threads = [threading.Thread(target=self.work, args=[b]) for b in self.builds]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for group in self.alone:
            self.try_group(self.builds[0], group)


def main(root, words):
    started = time.monotonic()
    mutants = [Mutant(p) for p in sorted((root / "tests/mutants").glob("*.patch"))
               if not words or any(w in p.name for w in words)]
    copies = min(len(os.sched_getaffinity(0)), COPIES_MAX, len({m.tests[0] for m in mutants if m.tests}) or 1)
    builds = [Build(root, root / f"build-mutants/{i}") for i in range(copies)]
    for b in builds:
        b.configure()
    first = builds[0]
    first.make({t for m in mutants for t in m.tests if t in first.tests}, jobs=copies)  # what fails here is told with its mutants
    for b in builds[1:]:
        if b.is_new:
            b.take(first)
    hunt = Hunt(root, mutants, builds)
    hunt.run()
    print(f"{len(mutants)} mutants, {hunt.killed} killed in {time.monotonic() - started:.0f} s")
    return 0 if mutants and hunt.killed == len(mutants) else 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]))
