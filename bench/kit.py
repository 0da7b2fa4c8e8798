"""What every measure needs: clocks of other processes, medians, the table and the plots. No dependencies."""
import csv
import html
import os
import pathlib
import statistics
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = 5
TICK = os.sysconf("SC_CLK_TCK")


class Skipped(Exception):
    """A peer that is not there, and why."""


def cpu_s(pid):
    """User and system time that a process (all its threads, also those that ended) has taken, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)


def user_s(pid):
    """User time alone, to the tick; with that of children that were waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[13])) / TICK


def memory_mib(pid, field):
    """field: VmRSS (now) or VmHWM (at most)."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise KeyError(field)


class Timed:
    """One command to its end: wall, user and system time."""

    def __init__(self, command, **more):
        began = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], **more)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.wall_s = time.monotonic() - began
        self.user_s, self.cpu_s = usage.ru_utime, usage.ru_utime + usage.ru_stime
        self.peak_mib = usage.ru_maxrss / 1024
        if process.returncode != 0:
            raise RuntimeError(f"{command}: {process.returncode}")


class Talk:
    """A program that says a line, waits for one, and says its figures: so that its turns alternate with a peer's."""

    def __init__(self, command, **more):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, **more)
        self.expect_line()

    def expect_line(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[0]} ended with {self.process.wait()}")
        return line

    def turn(self, word=""):
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return [float(word) for word in self.expect_line().split()]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def median(values):
    return statistics.median(values)


def spread(values):
    """Smallest and largest, as the table shows them."""
    return f"{figure(min(values))} to {figure(max(values))}"


def figure(value):
    """Three digits that count."""
    if value is None:
        return ""
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


class Row:
    """One line of the table. `goal` is of the form '<= 1.6' or '>= 3' and is about the ratio ours / peer, or about
    ours where there is no peer."""

    def __init__(self, measure, size, unit, ours, peer=None, peer_name="", goal=""):
        self.measure, self.size, self.unit, self.peer_name, self.goal = measure, size, unit, peer_name, goal
        self.all_ours, self.all_peer = list(ours), list(peer or [])
        self.ours = median(self.all_ours)
        self.peer = median(self.all_peer) if self.all_peer else None
        # Rounds alternate, so that a noisy minute falls on both: the median of the rounds' own ratios.
        pairs = list(zip(self.all_ours, self.all_peer))
        self.ratio = median([a / b for a, b in pairs]) if pairs else None

    def verdict(self):
        if not self.goal:
            return ""
        sign, bound = self.goal.split()
        value = self.ratio if self.all_peer else self.ours
        return "met" if (value <= float(bound) if sign == "<=" else value >= float(bound)) else "missed"

    def cells(self):
        return [self.measure, self.size, self.unit, figure(self.ours), spread(self.all_ours), figure(self.peer),
                spread(self.all_peer) if self.all_peer else "", self.peer_name, figure(self.ratio), self.goal,
                self.verdict()]


HEADER = ["measure", "size", "unit", "ours", "ours, all rounds", "peer", "peer, all rounds", "peer is", "ours / peer",
          "goal", "verdict"]
SHOWN = [0, 1, 2, 3, 5, 7, 8, 9, 10]


def print_table(rows):
    lines = [HEADER] + [row.cells() for row in rows]
    lines = [[line[i] for i in SHOWN] for line in lines]
    widths = [max(len(line[i]) for line in lines) for i in range(len(SHOWN))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def save_table(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(row.cells() for row in rows)


COLOURS = ["#1f6f8b", "#d1495b", "#8a8d91", "#66a182", "#edae49"]


class Plot:
    """Cost as the work grows: one line for each series, over a logarithmic axis of sizes."""

    def __init__(self, name, title, x, y):
        self.name, self.title, self.x, self.y, self.series = name, title, x, y, {}

    def add(self, series, x, y):
        self.series.setdefault(series, []).append((x, y))

    def svg(self):
        width, height, left, right, top, bottom = 640, 380, 70, 20, 70, 50
        points = [p for line in self.series.values() for p in line]
        sizes = sorted({x for x, _ in points})
        most = max(y for _, y in points) * 1.1
        step = (width - left - right) / max(1, len(sizes) - 1)

        def at(x, y):
            return left + sizes.index(x) * step, height - bottom - y / most * (height - top - bottom)

        out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
               f'font-size="12">', f'<rect width="{width}" height="{height}" fill="white"/>',
               f'<text x="{left}" y="20" font-size="15">{html.escape(self.title)}</text>']
        for i in range(6):
            value = most * i / 5
            _, y = at(sizes[0], value)
            out.append(f'<path d="M{left} {y:.1f}H{width - right}" stroke="#e3e3e3"/>'
                       f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{figure(value)}</text>')
        for size in sizes:
            x, _ = at(size, 0)
            out.append(f'<text x="{x:.1f}" y="{height - bottom + 18}" text-anchor="middle">{size:,}</text>')
        out.append(f'<text x="{(left + width - right) / 2}" y="{height - 10}" text-anchor="middle">'
                   f'{html.escape(self.x)}</text><text x="{left}" y="60">{html.escape(self.y)}</text>')
        legend = left
        for colour, (name, line) in zip(COLOURS, self.series.items()):
            path = "L".join("{:.1f} {:.1f}".format(*at(x, y)) for x, y in sorted(line))
            out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
            out += ['<circle cx="{:.1f}" cy="{:.1f}" r="3.5" fill="{}"/>'.format(*at(x, y), colour) for x, y in line]
            out.append(f'<rect x="{legend}" y="32" width="12" height="12" fill="{colour}"/>'
                       f'<text x="{legend + 17}" y="42">{html.escape(name)}</text>')
            legend += 40 + 6.6 * len(name)
        return "\n".join(out + ["</svg>"]) + "\n"

    def save(self, folder):
        (folder / f"{self.name}.svg").write_text(self.svg())
