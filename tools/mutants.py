#!/usr/bin/env python3
"""Break each promise and demand that its test notices: mutants.py ROOT [WORD...].

tests/mutants/NNN-name.patch begins with two lines, `# Promise: what we promise` and `# Test: name of the Meson test`
(more names if more must turn red), then the patch that breaks the promise. Each is applied to a copy of the tree in
build-mutants/, built, and its tests are run: all of them must fail. A patch that does not apply or not compile is a
failure, and so is a test that is red without any mutant. With WORDs, only patches whose name contains one of them.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

TAIL = 15


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
    def __init__(self, folder):
        self.src, self.folder, self.tests = folder / "src", folder / "build", None

    def configure(self):
        if not (self.folder / "build.ninja").is_file():
            os.environ["CC"] = "gcc"
            status, said = run("meson", "setup", "-Dbuildtype=debug", "-Dwerror=false", self.folder, self.src)
            if status != 0:
                sys.exit(said)
        status, said = run("ninja", "-C", self.folder, "build.ninja")
        if status != 0:
            sys.exit(said)
        read = lambda what: json.loads(run("meson", "introspect", what, self.folder)[1])
        files = {t["id"]: t["filename"] for t in read("--targets")}
        self.tests = {}
        for t in read("--tests"):
            self.tests[t["name"]] = sorted({f for d in t["depends"] for f in files.get(d, [])})

    def make(self, tests):
        """Builds what the tests need, and no more."""
        targets = sorted({str(pathlib.Path(f).relative_to(self.folder)) for t in tests for f in self.tests[t]})
        return run("ninja", "-C", self.folder, *targets)

    def red(self, tests, patience="1"):
        """{test: the sentence that failed} for those of the tests that fail. `patience` multiplies their time limits."""
        logs = self.folder / "meson-logs"
        for old in logs.glob("testlog*.json"):
            old.unlink()
        run("meson", "test", "-C", self.folder, "--no-rebuild", "-t", patience, *tests)
        found = {}
        for line in [line for log in logs.glob("testlog*.json") for line in log.read_text().splitlines()]:
            t = json.loads(line)
            if t["result"] not in ("OK", "EXPECTEDFAIL", "SKIP"):
                found[t["name"].split(" / ")[-1]] = sentence(t)  # the log puts the suite before it
        return found


def sentence(t):
    """The sentence that a failed test was at: the first `not ok`, else the last one begun before it died."""
    out = t.get("stdout", "")
    bad = re.findall(r"^not ok\b[ \d]*-? *(.*)$", out, re.M)
    begun = re.findall(r"^# (\w+)$", out, re.M)
    return bad[0] if bad else begun[-1].replace("_", " ") if begun else t["result"].lower()


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
        red = build.red(self.tests, patience="0.1")  # a broken limit may mean work without end: that is red too
        alive = [t for t in self.tests if t not in red]
        if alive:
            return False, f"SURVIVES {', '.join(alive)}"
        return True, "; ".join(f"{t}: {red[t]}" for t in self.tests)


def main(root, words):
    started = time.monotonic()
    mutants = [Mutant(p) for p in sorted((root / "tests/mutants").glob("*.patch"))
               if not words or any(w in p.name for w in words)]
    build = Build(root / "build-mutants")
    copy_tree(root, build.src)
    build.configure()
    faults = {m.name: m.fault(build.tests) for m in mutants}
    named = sorted({t for m in mutants if not faults[m.name] for t in m.tests})
    if named:
        status, said = build.make(named)
        if status != 0:
            sys.exit(f"mutants.py: the tree does not build\n{tail(said)}")
    for name, at in build.red(named).items() if named else []:
        for m in mutants:
            if name in m.tests:
                faults[m.name] = f"its test {name} is red without it, at: {at}"
    killed = 0
    for m in mutants:
        is_killed, what = False, faults[m.name]
        if what is None:
            is_killed, what = m.attempt(build)
            copy_tree(root, build.src)
        killed += is_killed
        print(f"{'killed ' if is_killed else 'FAILED '} {m.name:<32} {m.promise}\n        {what}", flush=True)
    print(f"{len(mutants)} mutants, {killed} killed in {time.monotonic() - started:.0f} s")
    return 0 if mutants and killed == len(mutants) else 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]))
