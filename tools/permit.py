#!/usr/bin/env python3
"""Only the gate makes permits: permit.py ROOT BUILD.

Refused is a service that names a function of the gate which gate/permit.h does not declare, that casts something to a
permit or keeps one in a variable of its own, or that takes such a function in its object; and, outside tee/gate,
whatever knows what a permit consists of, in the text or (so that no macro hides it) in an object's debug information.
"""
import pathlib
import re
import sys

import compiled
import law as the_law

DEFINES = re.compile(r"\bstruct\s+mt_permit\s*\{")
MAKES = re.compile(r"\bstruct\s+mt_permit\s*\*\s*(?:const\s+)?\w+\s*=")
CASTS = re.compile(r"\(\s*(?:const\s+)?struct\s+mt_permit\s*\*\s*(?:const\s*)?\)")
# A structure by that name, up to the next entry; a mere declaration has DW_AT_declaration instead of a size.
DWARF = re.compile(r"DW_TAG_structure_type\)\n((?: +<[0-9a-f]+> +DW_AT_.*\n)*)")


def code_of(file):
    """The text without comments, strings and line breaks."""
    text = re.sub(r"\\\n", "", file.read_text())
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', " ", text, flags=re.S)


def constructors(root):
    """Functions that the gate's headers declare for the server and the jobs, not for services."""
    names = lambda h: set(re.findall(r"\b(mt_\w+)\s*\(", code_of(h)))
    headers = {h for h in (root / "tee/gate").glob("*.h") if not the_law.BESIDE.search(h.name)}
    offered = names(root / "tee/gate/permit.h") if root / "tee/gate/permit.h" in headers else set()
    return {n for h in headers for n in names(h)} - offered


def text_faults(root):
    banned = constructors(root)
    if not banned:
        yield "tee/gate declares no constructor: this check looks in the wrong place"
    for file in sorted(p for zone in the_law.ROOTS for p in (root / zone).rglob("*.[ch]")):
        path = str(file.relative_to(root))
        code = code_of(file)
        if DEFINES.search(code) and not path.startswith("tee/gate/"):
            yield f"{path}: defines struct mt_permit"
        if not path.startswith("tee/services/") or the_law.BESIDE.search(path):
            continue
        for name in sorted(set(re.findall(r"\bmt_\w+", code)) & banned):
            yield f"{path}: names {name}, which makes or opens permits"
        if MAKES.search(code):
            yield f"{path}: has a permit that it was not given"
        if CASTS.search(code):
            yield f"{path}: casts something to a permit"


def knows_permit(path):
    text = compiled.run("readelf", "--debug-dump=info", path)
    return any(re.search(r"DW_AT_name .*: mt_permit$", attributes, re.M) and "DW_AT_byte_size" in attributes
               for attributes in DWARF.findall(text))


def object_faults(root, build):
    banned = constructors(root)
    for o in compiled.objects(root, build, {"tee", "client", "host", "lib"}):
        if o.source.startswith("tee/gate/"):
            continue
        if o.source.startswith("tee/services/") and not the_law.BESIDE.search(o.source):
            for name in sorted(o.takes & banned):
                yield f"{o.source}: its object takes {name}, which makes or opens permits"
        if o.source.startswith("tee/") and knows_permit(o.path):
            yield f"{o.source}: its object knows what a permit consists of"


def main(root, build):
    faults = [*text_faults(root), *object_faults(root, build)]
    print("\n".join(faults) or "only the gate makes permits")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
