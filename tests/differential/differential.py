#!/usr/bin/env python3
"""differential.py BUILD [INPUTS [SEED]]: changed evidence given to our verifiers and to those of others; TAP.

Real evidence is changed in one place: a bit, a byte, a field, a length, an end, or a part of another set. Whatever a verifier of
others refuses, ours must refuse, but for what EXPLAINED names. What ours refuses and others accept is counted by rule. docs/differential.md explains each kind.
"""
import collections
import concurrent.futures
import os
import pathlib
import random
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import kit  # noqa: E402 (found by the line above)
import measures_verify  # noqa: E402

VECTORS = ROOT / "tests/vectors"
CHUNK = 500
# Where numbers and flags stand: header, lengths, versions, attributes (spec/evidence-dcap.md, spec/evidence-snp.md).
QUOTE_FIELDS = [0, 2, 4, 8, 10, 12, 28, 48, 50, 54, 64, 96, 112, 120, 168, 432, 520, 568, 632, 636, 700, 764, 766, 770, 1148, 1210]
REPORT_FIELDS = [0x00, 0x04, 0x08, 0x0a, 0x30, 0x34, 0x38, 0x40, 0x48, 0x50, 0x90, 0x180, 0x188, 0x1a0, 0x1e0, 0x1e8, 0x1ec, 0x1f0, 0x2a0, 0x2e8]


def load():
    """{set: {file: bytes}} of all that can be verified."""
    sets = {}
    for folder in sorted(VECTORS.glob("dcap/*_v*")) + sorted(VECTORS.glob("snp/*_v*")):
        if (folder / "quote.bin").exists() or (folder / "report.bin").exists():
            sets[f"{folder.parent.name}/{folder.name}"] = {
                p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.suffix != ".md" and "invalid" not in p.name}
    return sets


# What others refuse and we accept on purpose, by the words in which they refuse it: docs/differential.md says why each.
EXPLAINED = {("go-tdx-guest", "unexpected trailing bytes were found in PCK Certificate Chain: 1 byte(s)"): "one more empty line behind the chain"}


def explained(verifier, reason):
    return next((why for (name, words), why in EXPLAINED.items() if name == verifier and words in reason), None)


class Changes:
    """One change of one file of one set, by chance that is repeated by its seed."""

    def __init__(self, sets, seed):
        self.sets, self.chance = sets, random.Random(seed)

    def one(self):
        name = self.chance.choice(list(self.sets))
        files = self.sets[name]
        main = "quote.bin" if "quote.bin" in files else "report.bin"
        others = [f for f in files if f not in (main, "expected.json")]
        file = main if self.chance.random() < 0.6 else self.chance.choice(others)
        kind = self.chance.choice(["bit", "byte", "zeros", "cut", "longer", "splice", "part", "field", "field"])
        changed = getattr(self, kind)(name, file, files[file])
        return name, file, kind, changed

    def at(self, b):
        return self.chance.randrange(len(b))

    def bit(self, _, __, b):
        i = self.at(b)
        return b[:i] + bytes([b[i] ^ 1 << self.chance.randrange(8)]) + b[i + 1:]

    def byte(self, _, __, b):
        i = self.at(b)
        return b[:i] + bytes([self.chance.randrange(256)]) + b[i + 1:]

    def zeros(self, _, __, b):
        i, n = self.at(b), self.chance.choice([1, 2, 8, 32, 64])
        return b[:i] + b"\0" * len(b[i:i + n]) + b[i + n:]

    def cut(self, _, __, b):
        return b[:self.at(b)]

    def longer(self, _, __, b):
        return b + bytes(self.chance.randrange(256) for _ in range(self.chance.choice([1, 4, 64])))

    def other(self, name, file):
        found = [s[file] for n, s in self.sets.items() if n != name and file in s]
        return self.chance.choice(found) if found else None

    def splice(self, name, file, b):
        """All of another set's, or its second half behind our first."""
        other = self.other(name, file)
        if other is None:
            return self.bit(name, file, b)
        if self.chance.random() < 0.5:
            return other
        i = self.chance.randrange(min(len(b), len(other)))
        return b[:i] + other[i:]

    def part(self, name, file, b):
        other = self.other(name, file)
        if other is None:
            return self.byte(name, file, b)
        i, n = self.chance.randrange(min(len(b), len(other))), self.chance.choice([2, 8, 16, 32, 48, 64])
        return b[:i] + other[i:i + n][:len(b) - i] + b[i + n:]

    def field(self, name, file, b):
        """A number one up, one down or at an end; of texts a digit."""
        if file not in ("quote.bin", "report.bin"):
            digits = [i for i, c in enumerate(b) if chr(c).isdigit()]
            i = self.chance.choice(digits) if digits else self.at(b)
            return b[:i] + bytes([48 + self.chance.randrange(10)]) + b[i + 1:]
        i = self.chance.choice(QUOTE_FIELDS if file == "quote.bin" else REPORT_FIELDS) + self.chance.randrange(2)
        value = self.chance.choice([(b[i] + 1) % 256, (b[i] - 1) % 256, 0, 255, b[i] ^ 2])
        return b[:i] + bytes([value]) + b[i + 1:]


class Verifier:
    def __init__(self, name, program, sets, files=None):
        self.name, self.program, self.files = name, program, files
        answers = self.answer(list(sets))
        self.takes = {s for s, a in zip(sets, answers) if a.startswith("yes")}

    def answer(self, lines):
        done = subprocess.run([self.program, "judge", VECTORS], input="".join(line + "\n" for line in lines), text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        found = done.stdout.splitlines()
        if done.returncode != 0 or len(found) != len(lines):
            raise RuntimeError(f"{self.name} ended with {done.returncode} after {len(found)} of {len(lines)}: {lines[len(found)][:80]}")
        return found

    def is_asked(self, name, file):
        return name in self.takes and (self.files is None or file in self.files)


def verifiers(build, sets):
    """Ours, those of others, and why some are missing."""
    quotes, reports = [s for s in sets if s.startswith("dcap/")], [s for s in sets if s.startswith("snp/")]
    ours = Verifier("ours", build / "bench/verify", sets)
    others, missing = [], []
    try:
        rust = measures_verify.rust_peer(build)
        others.append(Verifier("dcap-qvl", rust, quotes))
    except kit.Skipped as why:
        missing.append(str(why))
    try:
        go = measures_verify.go_peer(build)
        others.append(Verifier("go-tdx-guest", go, quotes, files={"quote.bin"}))
        others.append(Verifier("go-sev-guest", go, reports))
    except kit.Skipped as why:
        missing.append(str(why))
    return ours, others, missing


def compare(ours, others, inputs):
    """Of one chunk: (asked by verifier, differences by kind, faults)."""
    lines = [f"{name} {file}={changed.hex()}" for name, file, _, changed in inputs]
    own = ours.answer(lines)
    asked, kinds, faults = collections.Counter(), collections.Counter(), []
    for v in others:
        mine = [i for i, (name, file, _, _) in enumerate(inputs) if v.is_asked(name, file)]
        asked[v.name] += len(mine)
        for i, theirs in zip(mine, v.answer([lines[i] for i in mine])):
            name, file, kind, changed = inputs[i]
            is_ours, is_theirs = own[i].startswith("yes"), theirs.startswith("yes")
            if is_ours and not is_theirs and explained(v.name, theirs):
                kinds[v.name, file, "accepted by us: " + explained(v.name, theirs)] += 1
            elif is_ours and not is_theirs:
                faults.append((v.name, name, file, kind, own[i], theirs))
            elif is_theirs and not is_ours:
                kinds[v.name, file, own[i].split()[1]] += 1
            elif is_ours and v.name == "dcap-qvl" and own[i] != theirs:
                kinds[v.name, file, f"{own[i]} / {theirs}"] += 1
            else:
                kinds[v.name, "", "both accept" if is_ours else "both refuse"] += 1
    return asked, kinds, faults


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    count, seed = int(sys.argv[2]) if len(sys.argv) > 2 else 24000, int(sys.argv[3]) if len(sys.argv) > 3 else 1
    subprocess.run(["ninja", "-C", build, "bench/verify"], check=True, stdout=subprocess.DEVNULL)
    sets = load()
    ours, others, missing = verifiers(build, sets)
    for why in missing:
        print(f"# skipped: {why}")
    if not others:
        print("1..0 # SKIP no verifier of others can be built here")
        return 0
    changes = Changes(sets, seed)
    inputs = [changes.one() for _ in range(count)]
    inputs = [x for x in inputs if x[3] != sets[x[0]][x[1]] and x[3]]
    asked, kinds, faults = collections.Counter(), collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        chunks = [inputs[i:i + CHUNK] for i in range(0, len(inputs), CHUNK)]
        for a, k, f in pool.map(lambda c: compare(ours, others, c), chunks):
            asked, kinds, faults = asked + a, kinds + k, faults + f
    for v in others:
        print(f"# {v.name}: {asked[v.name]} of {len(inputs)} inputs, of the sets {', '.join(sorted(v.takes))}")
    for (name, file, what), n in sorted(kinds.items()):
        print(f"# {name}: {n:6} {file} {what}")
    for fault in faults[:40]:
        print(f"# ACCEPTED BY US ALONE: {fault}")
    is_whole = ours.takes == set(sets)
    print(f"{'ok' if is_whole else 'not ok'} 1 - ours takes every set as it is")
    print(f"{'not ok' if faults else 'ok'} 2 - nothing that others refuse is accepted without a reason, of {len(inputs)} inputs\n1..2")
    return 0 if is_whole and not faults else 1


if __name__ == "__main__":
    sys.exit(main())
