#!/usr/bin/env python3
"""measured.py [--check] ROOT: the table in README.md is what bench/results says. Writes it, or says that it is not so."""
import csv
import pathlib
import sys

BEGIN, END = "<!-- bench/measured.py makes this of bench/results -->\n", "<!-- end -->\n"
ORDER = ["handshake", "read", "commit", "api", "sealed", "echo", "join", "start", "verify"]
HEAD = ["measure", "ours", "peer, in the same run", "ratio", "goal", ""]


def rows_of(results):
    """Those with a goal; of one measure at several sizes the largest, which comes last."""
    found = {}
    for name in ORDER:
        path = results / f"{name}.csv"
        with open(path, newline="", encoding="utf-8") if path.exists() else open("/dev/null") as file:
            for row in csv.DictReader(file):
                if row["goal"]:
                    found[name, row["measure"], row["peer is"]] = row
    return found.values()


def line_of(row):
    unit = row["unit"]
    peer = f"{row['peer is']}: {row['peer']} {unit}" if row["peer"] else "-"
    ratio = row["ours / peer"] or "-"
    goal = row["goal"] + ("" if row["peer"] else f" {unit}")
    return [f"{row['measure']}, {row['size']}", f"{row['ours']} {unit}", peer, ratio, goal, row["verdict"]]


def table(root):
    results = root / "bench/results"
    lines = [HEAD, ["---"] * len(HEAD)] + [line_of(row) for row in rows_of(results)]
    text = "".join("| " + " | ".join(cells) + " |\n" for cells in lines)
    about = results / "about.txt"
    if about.exists():
        text += "\nIn one run, medians of 5: " + "; ".join(about.read_text().splitlines()[:2]) + ".\n"
    return text


def wanted(root):
    before, rest = (root / "README.md").read_text().split(BEGIN)
    return before + BEGIN + "\n" + table(root) + "\n" + END + rest.split(END, 1)[1]


def write(root):
    (root / "README.md").write_text(wanted(root))


def main():
    root = pathlib.Path(sys.argv[-1])
    if sys.argv[1] != "--check":
        write(root)
    elif (root / "README.md").read_text() != wanted(root):
        sys.exit("README.md shows other figures than bench/results: bench/measured.py ROOT")


if __name__ == "__main__":
    main()
