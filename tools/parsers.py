#!/usr/bin/env python3
"""Whoever parses is fuzzed: parsers.py ROOT BUILD.

Parsers are counted from the objects: every global mt_..._parse... that lib/ and tee/ define. Each must be called
by a fuzz target that the build runs, and each target must stand in the build and have a committed corpus.
"""
import pathlib
import re
import sys

import compiled
import law as the_law

PARSER = re.compile(r"mt_\w*_parse(_\w+)?$")


def main(root, build):
    objects = list(compiled.objects(root, build, {"lib", "tee"}))
    parsers = {n: o.source for o in objects if not the_law.BESIDE.search(o.source) for n in o.gives if PARSER.match(n)}
    targets = {o.source: o for o in objects if "LLVMFuzzerTestOneInput" in o.gives}
    reached = {n for o in targets.values() for n in o.takes}
    faults = [f"{parsers[n]}: {n} is called by no fuzz target" for n in sorted(set(parsers) - reached)]
    for file in sorted(str(p.relative_to(root)) for zone in ("lib", "tee") for p in (root / zone).rglob("*_fuzz.c")):
        corpus = root / file.replace("_fuzz.c", "_corpus")
        if file not in targets:
            faults.append(f"{file}: not in the table `fuzzers` of tests/meson.build")
        if not corpus.is_dir() or not any(corpus.iterdir()):
            faults.append(f"{file}: no committed corpus in {corpus.relative_to(root)}")
    print("\n".join(faults) or f"{len(parsers)} parsers, {len(targets)} fuzz targets")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
