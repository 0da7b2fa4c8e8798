#!/usr/bin/env python3
"""run.py BUILD [MEASURE...]: every measure, or those named, side by side with its peer, in one run.

Prints a table, and writes it and the plots to bench/results. Peers that are not there are skipped with the reason.
All of it runs on this machine, over loopback and on one disk; wall time is noisy where others build, so that CPU time
is preferred, turns alternate, and a ratio is the median of the rounds' own ratios.
"""
import datetime
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

import kit
import measured
import measures
import measures_data
import measures_verify

ALL = measures.ALL | measures_data.ALL | measures_verify.ALL


def machine():
    model = "an unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, load {os.getloadavg()[0]:.1f} at the start"


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    wanted = sys.argv[2:] or list(ALL)
    results = kit.HERE / "results"
    results.mkdir(exist_ok=True)
    subprocess.run(["ninja", "-C", build, "bench_programs", "mesateed", "mesatee"], check=True,
                   stdout=subprocess.DEVNULL)
    about = [f"{datetime.date.today()}: make bench", machine()]
    rows, skipped = [], []
    for name in wanted:
        print(f"-- {name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="mesatee-bench-", dir="/var/tmp") as work:  # a disk, where /tmp may be none
            os.chmod(work, 0o711)
            try:
                found, plots = ALL[name](build, pathlib.Path(work))
            except kit.Skipped as why:
                skipped.append(f"{name}: skipped: {why}")
                print(skipped[-1], flush=True)
                continue
        kit.save_table(results / f"{name}.csv", found)
        for plot in plots:
            plot.save(results)
        kit.print_table(found)
        rows += found
    print("\n== all measures: medians of", kit.ROUNDS, "rounds, ours and the peer's in turns")
    kit.print_table(rows)
    print("\n".join(about + skipped))
    if not sys.argv[2:]:
        kit.save_table(results / "all.csv", rows)
        (results / "about.txt").write_text("\n".join(about + skipped) + "\n")
    measured.write(kit.HERE.parent)


if __name__ == "__main__":
    main()
