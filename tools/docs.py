#!/usr/bin/env python3
"""Documents say what is there: docs.py ROOT.

Refused are: a document that names a file, a page of spec/, a `make` target, or a verb or option of mesatee that does
not exist; a page of spec/ that spec/versions.md does not list, or words of refusal there that nothing says; a setting
that spec/configuration.md does not have as it is; a package without its line in docs/dependencies.md; and, in whatever
is committed, a path of somebody's machine, or what was generated (a binary outside the corpora,
and outside the vectors that others made, whose set the README.md of their folder names with its origin).
"""
import pathlib
import re
import subprocess
import sys

ZONES = "lib tee client host spec tests bench tools docs .ci".split()
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"(?<![\w./~-])((?:" + "|".join(map(re.escape, ZONES)) + r")/[\w./*{},-]*[\w*}/])")
PAGE = re.compile(r"(?<![\w/-])(?:spec/)?([a-z][\w-]*\.md)\b")
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")
VERB = re.compile(r'\{"(\w+)", (?:NULL|"(\w+)"),((?:\s*"[^"\n]*")+)')
COMMAND = re.compile(r"(?<![\w/-])mesatee (?:--(?:home|context) \S+ |--json )*([a-z]+)\b(?: ([a-z]+)\b)?([^\n]*)")
EVERYWHERE = {"--home", "--context", "--json", "--help"}
MACHINES = re.compile(r"(?<![\w.])/(?:home/\w|root/|work/|Users/)")
MADE = re.compile(r"build|\.git/|(.*/)?__pycache__/")
COMPARED = "_corpus/"
NUMBER = re.compile(r'\{"(\w+)", NUMBER, AT\(\w+\), NULL, (\d+), (\d+), (\d+),')
TEXT = re.compile(r'\{"(\w+)", (?:TEXT|HASH), AT')


def committed(root):
    """Paths of what git tracks, or of everything where there is no git."""
    done = subprocess.run(["git", "-C", root, "ls-files"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    names = done.stdout.splitlines() or [str(p.relative_to(root)) for p in sorted(root.rglob("*"))]
    return [n for n in names if (root / n).is_file() and not MADE.match(n)]


def alternatives(path):
    """a/{b,c} is a/b and a/c."""
    m = re.search(r"\{([^}]*)\}", path)
    if not m:
        return [path]
    return [p for word in m[1].split(",") for p in alternatives(path[:m.start()] + word + path[m.end():])]


def is_there(root, path):
    """A file, a folder, or a module of C by its name without suffix."""
    path = path.rstrip("/").replace("NNN-name", "*")
    return any(any(root.glob(path + suffix)) for suffix in ("", ".c", ".h"))


def verbs(root):
    """{(verb, sub-verb): its usage}; the sub-verb may be empty."""
    file = root / "client/cli/verbs.c"
    return {(v, sub): usage for v, sub, usage in VERB.findall(file.read_text())} if file.is_file() else {}


def command_faults(known, words):
    for verb, sub, rest in COMMAND.findall(words):
        usage = known.get((verb, "")) or known.get((verb, sub))
        if usage is None and (sub or not any(v == verb for v, _ in known)):
            yield f"there is no command mesatee {verb} {sub}".rstrip()
        for option in re.findall(r"(?<!\S)--[a-z-]+", rest.split("#")[0]) if usage else []:
            if option not in usage and option not in EVERYWHERE:
                yield f"mesatee {verb} {sub}".rstrip() + f" takes no {option}"


def document_faults(root, name, targets, known):
    text, folder = (root / name).read_text(), (root / name).parent
    for n, line in enumerate(text.splitlines(), 1):
        missing = [link for link in LINK.findall(line) if not (folder / link).exists()]
        missing += [p for path in PATH.findall(line) for p in alternatives(path) if not is_there(root, p)]
        missing += [page for page in PAGE.findall(line)
                    if not any((d / page).is_file() for d in (folder, root, root / "docs", root / "spec"))]
        yield from (f"{name}:{n}: there is no {m}" for m in sorted(set(missing)))
        code = CODE.findall(line) + [line] * line.startswith("    ")
        words = "\n".join(code)
        yield from (f"{name}:{n}: {fault}" for fault in command_faults(known, words))
        yield from (f"{name}:{n}: there is no target {t}" for t in TARGET.findall(words) if t not in targets)


def list_faults(root):
    versions = (root / "spec/versions.md").read_text()
    for page in sorted(p.name for p in (root / "spec").glob("*.md")):
        if page != "versions.md" and page not in versions:
            yield f"spec/versions.md: does not say how {page} changes"
    said = "".join(p.read_text() for zone in ("lib", "tee") for p in (root / zone).rglob("*.c"))
    for words in re.findall(r"`([^`]*another version)`", versions):
        if f'"{words}"' not in said:
            yield f"spec/versions.md: nothing says {words!r}"
    settings, page = (root / "tee/node/config.c").read_text(), (root / "spec/configuration.md").read_text()
    rows = [f"| `{name}` | {low} to {high} | {usual} |" for name, usual, low, high in NUMBER.findall(settings)]
    for row in rows + [f"| `{name}` |" for name in TEXT.findall(settings)] or ["any setting"]:
        if row not in page:
            yield f"spec/configuration.md: does not have {row}"
    reasons = (root / "docs/dependencies.md").read_text()
    for line in (root / "packages.txt").read_text().splitlines():
        if line.strip() and not line.startswith(("#", "[")) and f"`{line.split()[0]}`" not in reasons:
            yield f"docs/dependencies.md: says nothing of {line.split()[0]}"


def has_origin(root, name):
    """tests/vectors/KIND/SET/...: from others, and said so."""
    parts = pathlib.PurePath(name).parts
    readme = root.joinpath(*parts[:3], "README.md")
    return parts[:2] == ("tests", "vectors") and len(parts) > 4 and readme.exists() and f"{parts[3]}" in readme.read_text()


def file_faults(root, name):
    data = (root / name).read_bytes()
    if COMPARED in name:
        return
    if b"\0" in data and not has_origin(root, name):
        yield f"{name}: a binary, which somebody made"
        return
    for n, line in enumerate(data.decode(errors="replace").splitlines(), 1):
        if MACHINES.search(line):
            yield f"{name}:{n}: names a path of somebody's machine"


def main(root):
    names = committed(root)
    rules = re.findall(r"^([a-z][a-z -]*):", (root / "Makefile").read_text(), re.M)
    targets = {t for rule in rules for t in rule.split()}
    documents = [n for n in names if n.endswith(".md")]
    faults = [f for n in documents for f in document_faults(root, n, targets, verbs(root))]
    faults += [*list_faults(root), *(f for n in names for f in file_faults(root, n))]
    print("\n".join(faults) or f"{len(documents)} documents, {len(names)} files")
    return 1 if faults or not documents else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
