"""What a build folder holds: which object came from which source, and which names it gives and takes."""
import collections
import json
import pathlib
import re
import subprocess

Object = collections.namedtuple("Object", "source path gives takes")  # source: a path from the root


def run(*command):
    return subprocess.run([str(c) for c in command], check=True, stdout=subprocess.PIPE, text=True).stdout


def plain(name):
    """The name as a source would write it: without version, and without the prefix of a checked variant."""
    name = re.sub(r"@.*", "", name)
    name = re.sub(r"^__(\w+)_chk$", r"\1", name)
    return re.sub(r"^__isoc\d\d_", "", name)


def symbols(path, *options):
    """Yields (type, name) for each symbol of a file: upper case is global, U and w are taken from elsewhere."""
    for line in run("nm", "-p", *options, path).splitlines():
        m = re.match(r"[0-9a-f ]{16,} (\w) (\S+)$", line)
        if m:
            yield m[1], m[2]


def gives_of_library(name):
    """Every function of a library that the linker would find under this file name."""
    path = run("cc", f"-print-file-name={name}").strip()
    dynamic = ["-D"] if ".so" in name else []
    return {plain(n) for _, n in symbols(path, "-g", "--defined-only", *dynamic)}


def objects(root, build, zones):
    """The objects of those zones, in order of their sources."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(build / entry["file"]).resolve()
        path = build / entry["output"]
        if source.is_relative_to(root) and source.relative_to(root).parts[0] in zones and path.is_file():
            found[path] = str(source.relative_to(root))
    for path, source in sorted(found.items(), key=lambda item: item[1]):
        gives, takes = set(), set()
        for kind, name in symbols(path):
            if kind in "Uwv":
                takes.add(name)
            elif kind.isupper():
                gives.add(name)
        yield Object(source, path, gives, takes)
