#!/usr/bin/env python3
"""Hold two tables to the tests: attacks.py ROOT BUILD.

docs/attacks.md has rows `| attack | tests | mutants |`. A test is `name`: and a sentence that it proves; a mutant is the
name of a patch in tests/mutants/, whose `# Test:` must be one of the row's. Several stand one after another with <br>
between them. THREATS.md ends each row with the tests that show its answer, by name in backticks. A sentence that its
test does not say, a test that the build does not run, a mutant that is gone or that another test notices: a fault.
"""
import ast
import json
import pathlib
import re
import sys

ITEM = re.compile(r"`([\w-]+)`: (.+)")
UNIT = re.compile(r"\bMT_TEST\((\w+)\)")
LITERALS = re.compile(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+')  # that a C compiler makes one of
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


class Tests:
    """The tests that a build runs, and what each of them says."""

    def __init__(self, root, build):
        info = build / "meson-info"
        targets = {t["id"]: t for t in json.loads((info / "intro-targets.json").read_text())}
        self.root, self.files = root, {}
        for test in json.loads((info / "intro-tests.json").read_text()):
            files = [pathlib.Path(word) for word in test["cmd"] if pathlib.Path(word).suffix in (".py", ".sh")]
            for target in (targets[t] for t in test["depends"] if t in targets):
                if {str(build.resolve() / word) for word in test["cmd"]} & set(target["filename"]):  # perhaps below valgrind
                    files += [pathlib.Path(s) for group in target["target_sources"] for s in group["sources"]]
            self.files[test["name"]] = files
        self.said = {}

    def says(self, name, sentence):
        if name not in self.said:
            self.said[name] = [p for file in self.files[name] for p in patterns(file)]
        return any(p.fullmatch(sentence) for p in self.said[name])


def patterns(file):
    """What the tests in a file may print: as regular expressions, for some put a figure into a sentence."""
    text = file.read_text()
    if file.suffix == ".c":
        said = [name.replace("_", " ") for name in UNIT.findall(text)]
        said += ["".join(LITERAL.findall(whole[0])) for whole in LITERALS.finditer(text)]
        return [re.compile(re.escape(s)) for s in said]
    if file.suffix == ".sh":
        return [re.compile(re.escape(s)) for pair in re.findall(r"'([^'\n]+)'|\"([^\"\n]+)\"", text) for s in pair if s]
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(re.escape(node.value))
        elif isinstance(node, ast.JoinedStr):
            found.append("".join(re.escape(v.value) if isinstance(v, ast.Constant) else ".+" for v in node.values))
        elif isinstance(node, ast.FunctionDef):
            found.append(re.escape(node.name.replace("_", " ")))
    return [re.compile(f, re.S) for f in found if f != ".+"]


def rows(path, columns):
    """(line number, cells) of each row of the tables in a page, but for heads and rules."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        cells = [c.strip() for c in line.strip().strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) != columns:
            yield number, None
        elif line.startswith("| ") and not line.startswith("| attack ") and not line.startswith("| who lies "):
            yield number, cells


def tests_of(mutant):
    found = re.search(r"^# Test:(.*)$", mutant.read_text(), re.M)
    return found[1].split() if found else []


def check_attack(tests, cells):
    """What is wrong with a row of docs/attacks.md."""
    names = set()
    for item in cells[1].split("<br>"):
        found = ITEM.fullmatch(item.strip())
        if not found:
            yield f"not `test`: sentence: {item}"
        elif found[1] not in tests.files:
            yield f"the build runs no test {found[1]}"
        elif not tests.says(*found.groups()):
            yield f"{found[1]} does not say: {found[2]}"
        else:
            names.add(found[1])
    for name in [m.strip() for m in cells[2].split("<br>")]:
        patch = tests.root / "tests/mutants" / f"{name}.patch"
        if not patch.is_file():
            yield f"there is no mutant {name}"
        elif not names & set(tests_of(patch)):
            yield f"the mutant {name} is not for a test of this row"


def check_threat(tests, cells):
    names = re.findall(r"`([\w-]+)`", cells[-1])
    if not names:
        yield "no test shows it"
    for name in names:
        if name not in tests.files:
            yield f"the build runs no test {name}"


def main(root, build):
    tests, faults, count = Tests(root, build), [], 0
    for page, columns, check in (("docs/attacks.md", 3, check_attack), ("THREATS.md", 5, check_threat)):
        for number, cells in rows(root / page, columns):
            count += 1
            said = ["a row has other columns than the head"] if cells is None else check(tests, cells)
            faults += [f"{page}:{number}: {why}" for why in said]
    print("\n".join(faults) or f"{count} rows hold")
    return 1 if faults or not count else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
