"""The measures of sealed objects and of functions over data, beside those of measures.py: same form."""
import csv
import decimal
import os
import shutil
import subprocess
import sys

from kit import HERE, ROUNDS, Plot, Row, Skipped, Talk, Timed, median, memory_mib, user_s

sys.path.append(str(HERE.parent / "tests/e2e"))
import world as e2e

JOIN_ROWS = (100_000, 1_000_000, 3_000_000, 10_000_000)
JOIN_MEMORY_MIB = 2048  # the job's limit, whatever the rows
SEALED_MIB = (64, 256, 1024)


def has_duckdb(python):
    return python.exists() and subprocess.run([python, "-c", "import duckdb"], check=False).returncode == 0


def duckdb_python(build):
    """An environment of its own for DuckDB, kept in the build folder."""
    folder = build / "duckdb"
    python = folder / "bin/python"
    if not has_duckdb(python):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=False)
        subprocess.run([python, "-m", "pip", "install", "-q", "duckdb"], check=False)
        if not has_duckdb(python):
            raise Skipped("DuckDB does not install from PyPI")
    return python


def compare_joins(work):
    """Counts, sums and extremes are equal; averages as exact as ours, and to nine digits with the peer's doubles."""
    read = lambda name: list(csv.reader(open(work / name, newline="", encoding="utf-8")))
    ours, peer = read("totals.csv")[1:], read("peer.csv")
    if len(ours) != 12 or len(ours) != len(peer):
        raise RuntimeError(f"{len(ours)} groups of ours, {len(peer)} of the peer's")
    for a, b in zip(ours, peer):
        mean = decimal.Decimal(a[2]) / int(a[1])
        exact = mean.quantize(decimal.Decimal("1e-8"), decimal.ROUND_HALF_EVEN)
        if a[:3] + a[4:] != b[:3] + b[4:] or decimal.Decimal(a[3]) != exact or abs(float(a[3]) / float(b[3]) - 1) > 1e-9:
            raise RuntimeError(f"ours {a}, the peer's {b}")


class Joins:
    """Both programs over the same files, turn by turn."""

    def __init__(self, build, python, work, rows):
        ours = Talk([build / "bench/join", work, rows, JOIN_MEMORY_MIB])
        peer = Talk([python, HERE / "duckdb_join.py", work])
        ours.turn(), peer.turn()  # the files are in memory now, and what each sets up once is there
        self.ours, self.peer = [], []
        for _ in range(ROUNDS):
            self.ours.append(ours.turn())
            self.peer.append(peer.turn())
        compare_joins(work)
        self.rows = rows
        self.peak = [memory_mib(ours.process.pid, "VmHWM")], [memory_mib(peer.process.pid, "VmHWM")]
        ours.close()
        peer.close()

    def speeds(self):
        return tuple([3e-3 * self.rows / (line[0] / 1e3) for line in lines] for lines in (self.ours, self.peer))

    def cpus(self):
        return tuple([line[1] for line in lines] for lines in (self.ours, self.peer))


def join(build, work):
    python = duckdb_python(build)
    version = subprocess.run([python, "-c", "import duckdb; print(duckdb.__version__)"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout.strip()
    name = f"DuckDB {version}, 2 threads; ours 1"
    plot = Plot("join", "private-join-and-compute, three CSV files: wall time for each row", "rows of each file",
                "nanoseconds")
    rows = []
    for count in JOIN_ROWS:
        found = Joins(build, python, work, count)
        size = f"3 x {count:,} rows"
        for series, speeds in zip(("MesaTEE, 1 thread", f"DuckDB {version}, 2 threads"), found.speeds()):
            plot.add(series, count, 1e6 / median(speeds))
        rows.append(Row("private-join-and-compute", size, "1,000 rows/s", *found.speeds(), name, ">= 0.7"))
        rows.append(Row("private-join-and-compute, CPU", size, "ms", *found.cpus(), name))
        rows.append(Row("private-join-and-compute, peak memory", size, "MiB", *found.peak, name))
        rows.append(Row("private-join-and-compute, peak counted by the job", size, "MiB",
                        [line[2] for line in found.ours], goal=f"<= {JOIN_MEMORY_MIB}"))
    return rows, [plot]


class Sealed:
    """One file through a node and back, and through age and back, turn by turn. Both ends are durable when they say so:
    the node syncs what is put, the client what is got, and age's output is synced."""

    def __init__(self, build, work, size_mib):
        self.put, self.get, self.age_put, self.age_get = [], [], [], []
        self.work, self.plain, self.rss_mib = work, work / "plain", []
        self.world = e2e.World(build, where=work)
        subprocess.run(["openssl", "rand", "-out", self.plain, str(size_mib << 20)], check=True)
        try:
            self.run()
        finally:
            self.world.close()

    def run(self):
        node = e2e.Node(self.world).start()
        node.join("admin")
        subprocess.run(["age-keygen", "-o", self.work / "key"], check=True, stderr=subprocess.DEVNULL)
        recipient = (self.work / "key").read_text().split("# public key: ")[1].split()[0]
        for turn in range(ROUNDS):
            name, back, sealed = f"d{turn}", self.work / "back", self.work / "sealed"
            self.put.append(self.ours(node, "put", name, self.plain))
            self.age_put.append(self.peer("-r", recipient, "-o", sealed, self.plain))
            self.get.append(self.ours(node, "get", name, back))
            self.compare(back)
            self.age_get.append(self.peer("-d", "-i", self.work / "key", "-o", back, sealed))
            self.compare(back)
            sealed.unlink()
            self.rss_mib.append(memory_mib(node.process.pid, "VmHWM"))
            self.world.cli("admin", "data", "delete", name, "--now")
            node.stop()
            node.start()  # which gives back the room of what was deleted, as the peer's has been
        node.stop()
        (self.work / "key").unlink()

    def compare(self, back):
        subprocess.run(["cmp", self.plain, back], check=True)
        back.unlink()

    def ours(self, node, *words):
        os.sync()  # the disk is idle when the turn begins
        before = user_s(node.process.pid)
        done = Timed([self.world.build / "mesatee", "--home", self.world.dir / "admin", "data", *words],
                     stdout=subprocess.DEVNULL)
        return done.wall_s, done.user_s + user_s(node.process.pid) - before

    def peer(self, *words):
        os.sync()
        done = Timed(["age", *words])
        sync = Timed(["sync", words[words.index("-o") + 1]])
        return done.wall_s + sync.wall_s, done.user_s + sync.user_s


def sealed(build, work):
    for program in ("age", "openssl"):
        if shutil.which(program) is None:
            raise Skipped(f"there is no {program}")
    plot = Plot("sealed", "Sealed put and get, durable at the end: throughput", "MiB", "MiB/s")
    rows = []
    for mib in SEALED_MIB:
        found = Sealed(build, work, mib)
        for verb, ours, peer in (("put", found.put, found.age_put), ("get", found.get, found.age_get)):
            speeds = [[mib / wall for wall, _ in lines] for lines in (ours, peer)]
            plot.add(f"MesaTEE {verb}", mib, median(speeds[0]))
            plot.add(f"age {verb}", mib, median(speeds[1]))
            rows.append(Row(f"sealed {verb}", f"{mib:,} MiB", "MiB/s", *speeds, "age and sync",
                            ">= 1" if mib == SEALED_MIB[-1] else ""))
            rows.append(Row(f"sealed {verb}, user CPU of both ends", f"{mib:,} MiB", "s",
                            *[[user for _, user in lines] for lines in (ours, peer)], "age and sync"))
        rows.append(Row("sealed put and get, peak memory of the node", f"{mib:,} MiB", "MiB", found.rss_mib,
                        goal="<= 64"))
    return rows, [plot]


ALL = {"join": join, "sealed": sealed}
