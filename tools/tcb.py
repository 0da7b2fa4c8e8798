#!/usr/bin/env python3
"""The size of what has to be trusted: tcb.py ROOT MAP, where MAP is the linker's map of mesateed.

Our lines (without tests, blank lines and comments) and linked bytes, folder by folder; then what the linker really
took of each static library; then the libraries loaded at run time.
"""
import collections
import pathlib
import re
import subprocess
import sys

import law as the_law

# Sections that are loaded; a name of its own line when it is long.
SECTION = re.compile(r"^ (\.(?:text|rodata|data|bss|tdata|tbss|init_array|fini_array|eh_frame(?!_hdr)|"
                     r"gcc_except_table)\S*|COMMON)\s+0x[0-9a-f]+\s+(0x[0-9a-f]+) (\S.*)$", re.M)
OBJECT = re.compile(r"(?:^|.*/)(lib[\w+.-]+\.a)(?:\((.*)\)|\.p/(.*))$")


def lines_of(root):
    counted = collections.Counter()
    for file in sorted(p for zone in ("lib", "tee") for p in (root / zone).rglob("*.[ch]")):
        if the_law.BESIDE.search(file.name) or file.parent.name == "sim":
            continue  # no part of a node
        text = re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: "\n" * m[0].count("\n"), file.read_text(), flags=re.S)
        counted[str(file.parent.relative_to(root))] += sum(1 for line in text.splitlines() if line.strip())
    return counted


def bytes_of(linker_map):
    """(bytes by folder of ours, bytes by static library, members taken of each)"""
    text = linker_map.read_text().split("Linker script and memory map", 1)[1]
    text = re.sub(r"^( \.\S+)\n\s+(0x)", r"\1 \2", text, flags=re.M)
    ours, theirs, members = collections.Counter(), collections.Counter(), collections.defaultdict(set)
    for _, size, origin in SECTION.findall(text):
        m = OBJECT.match(origin)
        own = re.search(r"(?:^|/)(lib|tee)/[^ ]*\.p/((?:\w+_)?)", origin)
        if own and not origin.startswith("/usr"):
            ours[origin] += int(size, 16)
        elif m and m[2]:
            theirs[m[1]] += int(size, 16)
            members[m[1]].add(m[2])
        else:
            theirs["start-up objects"] += int(size, 16)
            members["start-up objects"].add(origin)
    return ours, theirs, members


def loaded(program):
    """Libraries that the loader maps, with the size of what they map."""
    out = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    for path in sorted(set(re.findall(r"(/\S+\.so\S*)", out))):
        sizes = subprocess.run(["size", path], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[1]
        yield pathlib.Path(path).name, sum(int(size) for size in sizes.split()[:3])


def main(root, linker_map):
    lines = lines_of(root)
    ours, theirs, members = bytes_of(linker_map)
    for folder, n in sorted(lines.items()):
        print(f"{n:8} lines  {folder}")
    print(f"{sum(lines.values()):8} lines  of ours, {sum(ours.values()) / 1024:.0f} KiB linked\n")
    for name, size in sorted(theirs.items()):
        print(f"{size / 1024:8.0f} KiB    {name} ({len(members[name])} objects, static)")
    for name, size in loaded(linker_map.with_suffix("")):
        print(f"{size / 1024:8.0f} KiB    {name} (loaded, measured at start)")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve())
