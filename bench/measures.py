"""The measures. Each takes the build folder and a folder to work in, and gives rows and plots."""
import subprocess

from kit import ROUNDS, Plot, Row, median


def lines_of(command):
    done = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True)
    return [[float(word) for word in line.split()] for line in done.stdout.splitlines()]


def handshake(build, _):
    """Both ends in one process, so that its CPU time is that of both."""
    plot = Plot("handshake", "One connection, from nothing to open: CPU time of both ends", "handshakes in a row",
                "microseconds")
    rows = []
    for count in (10, 100, 1000):
        found = lines_of([build / "bench/handshake", ROUNDS, count])
        ours, pinned, authority = ([line[i] for line in found] for i in range(3))
        plot.add("attested", count, median(ours))
        plot.add("mutual TLS, pinned keys", count, median(pinned))
        plot.add("mutual TLS, authority", count, median(authority))
    size = "1,000 in a row"
    rows.append(Row("attested handshake, CPU of both ends", size, "us", ours, pinned,
                    "mutual TLS 1.3, same settings, pinned keys", "<= 1.6"))
    rows.append(Row("attested handshake, CPU of both ends", size, "us", ours, authority,
                    "mutual TLS 1.3, certificates of one authority", "<= 1.6"))
    return rows, [plot]


ALL = {"handshake": handshake}
