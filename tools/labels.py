#!/usr/bin/env python3
"""One list of labels: labels.py ROOT.

spec/labels.md and lib/crypto/labels.h hold the same labels in the same order; each is used by the code and named on the
page that the table gives; and the code writes none of its own.
"""
import pathlib
import re
import sys

import law as the_law

ROW = re.compile(r"^\| `([^`]+)` \|[^|]*\|[^|]*\| (\S+) \|$", re.M)
ENTRY = re.compile(r'\bX\((MT_LABEL_\w+),\s*"([^"]*)"\)')
LIKE_ONE = re.compile(r'"(mesatee-[a-z-]+-v\d+)')


def main(root):
    page, header = (root / "spec/labels.md").read_text(), (root / "lib/crypto/labels.h").read_text()
    listed, entries = ROW.findall(page), ENTRY.findall(header)
    faults = []
    if [label for label, _ in listed] != [text for _, text in entries] or not entries:
        odd = sorted({label for label, _ in listed} ^ {text for _, text in entries})
        faults.append("spec/labels.md and lib/crypto/labels.h differ: " + (", ".join(odd) or "in their order"))
    for label, name in listed:
        if not (root / "spec" / name).is_file() or label not in (root / "spec" / name).read_text():
            faults.append(f"spec/{name} does not name {label}")
    used = set()
    for file in sorted(p for zone in ("lib", "tee", "client") for p in (root / zone).rglob("*.[ch]")):
        path, text = str(file.relative_to(root)), file.read_text()
        if the_law.BESIDE.search(path) or path == "lib/crypto/labels.h":
            continue
        used |= set(re.findall(r"\bMT_LABEL_\w+", text))
        faults += [f"{path}: writes {label} instead of taking it from crypto/labels.h"
                   for label in LIKE_ONE.findall(text) if label not in NO_LABELS]
    faults += [f"lib/crypto/labels.h: nobody uses {name}" for name, _ in entries if name not in used]
    print("\n".join(faults) or f"{len(entries)} labels")
    return 1 if faults else 0


# The first words of a file that says what it is; nothing is signed, derived or hashed with it.
NO_LABELS = {"mesatee-identity-v1"}

if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
