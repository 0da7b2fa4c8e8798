#!/usr/bin/env python3
"""demo.py BUILD: three owners compute on the measured machine, and its data outlives a restart; then the machine is started with
something else, twice, and its TPM tells. `make image` comes first. QEMU, OVMF and swtpm stand for hardware; every step of MesaTEE
is the real one.

What the node shows to its owners is evidence of level 2 still: what the TPM holds is read from the TPM's own log, here, and not
from a quote that the node hands over.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT, BUILD = pathlib.Path(__file__).resolve().parents[2], pathlib.Path(sys.argv[1]).resolve()
IMAGE = BUILD / "image"
sys.path[:0] = [str(ROOT / part) for part in ("tests/vm", "tools/measuring", "host/image")]
import disk  # noqa: E402
import machine  # noqa: E402
import pcrs  # noqa: E402

OWNERS = "alice", "bob", "carol"
ROWS = 5000
CONFIGURATION = "listen = 0.0.0.0:7700\nstate = /data/state\nkeyfile = /data/keyfile\nadministrator = {}\n"
TASK = {
    "function": {"name": "private-join-and-compute", "version": 1},
    "arguments": {
        "inputs": [
            {"name": "shop", "key": "email", "canonical": "trim-lower-ascii", "duplicates": "refuse",
             "columns": [{"name": "spend", "type": "decimal", "scale": 2}]},
            {"name": "segments", "key": "email", "canonical": "trim-lower-ascii", "duplicates": "refuse"},
            {"name": "site", "key": "email", "canonical": "trim-lower-ascii", "duplicates": "refuse",
             "columns": [{"name": "visits", "type": "integer"}]}],
        "join": "inner", "group_by": {"input": "segments", "column": "segment"}, "minimum_group_size": 20,
        "outputs": [
            {"name": "for-alice", "columns": [{"group": True, "as": "segment"}, {"count": True, "as": "people"},
                                              {"average": "site.visits", "as": "visits"}]},
            {"name": "for-bob", "columns": [{"group": True, "as": "segment"}, {"sum": "shop.spend", "as": "spend"}]},
            {"name": "for-carol", "columns": [{"group": True, "as": "segment"}, {"average": "shop.spend", "as": "spend"}]}]},
    "inputs": [{"name": "shop", "data": "table"}, {"name": "segments", "data": "bob/table"}, {"name": "site", "data": "carol/table"}],
    "outputs": [{"name": f"for-{who}", "receivers": [who]} for who in OWNERS],
    "runs": 1,
}


class Refused(Exception):
    pass


class People:
    """Everybody's mesatee, each with a home of its own."""

    def __init__(self, work):
        self.work = work

    def run(self, who, *words):
        done = subprocess.run([BUILD / "mesatee", "--home", self.work / who, *map(str, words)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=300)
        if done.returncode != 0:
            raise Refused((done.stderr or done.stdout).strip())
        return done.stdout

    def ask(self, who, *words):
        return json.loads(self.run(who, "--json", *words))


def tell(words):
    print(f"\n== {words}", flush=True)


def tables(work):
    """{owner: file}, of a seed."""
    rng = random.Random(1)
    heads = {"alice": ("spend", 3, lambda: f"{rng.randrange(50000) / 100:.2f}"), "bob": ("segment", 2, lambda: f"segment-{rng.randrange(8)}"),
             "carol": ("visits", 5, lambda: str(rng.randrange(40)))}
    for who, (column, step, value) in heads.items():
        lines = [f"email,{column}"] + [f"user{n * step:06}@example.org,{value()}" for n in range(ROWS)]
        (work / f"{who}.csv").write_text("\n".join(lines) + "\n")


def compute(people):
    """The whole way from data to results; returns the task."""
    for who in OWNERS:
        people.run(who, "data", "put", "table", people.work / f"{who}.csv")
    for who in OWNERS[1:]:
        people.run(who, "data", "grant", "table", "alice", "--function", "private-join-and-compute")
    (people.work / "task.json").write_text(json.dumps(TASK))
    task = people.ask("alice", "task", "create", people.work / "task.json")["task"]
    for who in OWNERS:
        people.run(who, "task", "approve", task, "--digest", people.ask(who, "task", "show", task)["digest"])
    people.run("alice", "task", "run", task)
    return task


def results(people, task):
    count = 0
    for who in OWNERS:
        file = people.work / f"for-{who}.csv"
        file.unlink(missing_ok=True)
        people.run(who, "task", "result", task, f"for-{who}", file)
        count += len(file.read_text().splitlines()) == 9  # a head and eight segments
    return count


def on_disk(data, name):
    """A file of the data disk, as the host sees it, once the machine has written it there."""
    for _ in range(120):
        said = subprocess.run(["debugfs", "-R", f"cat {name}", data], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        if said:
            return said
        time.sleep(1)
    raise machine.Failed(f"the data disk never had {name}")


def join(people, port, *names):
    for who in names:
        people.run(who, "context", "add", "vm", "--address", f"127.0.0.1:{port}", "--identity", who, "--policy", people.work / f"{who}.policy")


def welcome(people, port, keys, public):
    """Everybody gets a policy of its own and joins."""
    for who in ("operator", *OWNERS):
        people.run(who, "policy", "new", people.work / f"{who}.policy", "--identity", who, "--name", "vm", "--platform",
                   public["platform"], "--measurement", public["measurement"])
    join(people, port, "operator")
    for who in OWNERS:
        people.run("operator", "user", "add", who, keys[who]["public_key"])
    join(people, port, *OWNERS)


def measured(image):
    """Without booting."""
    code = machine.FIRMWARE.read_bytes()
    return pcrs.measurement(pcrs.values(pcrs.events(image, code, machine.MEMORY_MIB, machine.CPUS))).hex()


def held(m):
    """By the TPM."""
    return pcrs.measurement(pcrs.values(m.extended())).hex()


def one_byte_changed(image):
    """In the initramfs, of a program that is in it: where the text of a usage message is, so that everything still runs."""
    at = image.index(b"Runs a MesaTEE node.")
    return image[:at] + b"r" + image[at + 1:]


def other_command_line(image):
    """The same, but for one argument that lets the kernel's memory be read."""
    old = b"lockdown=confidentiality"
    return image.replace(old, b"lockdown=none".ljust(len(old)))


def main():
    began, refused = time.monotonic(), 0
    image = (IMAGE / "mesatee.efi").read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        people = People(work)
        tables(work)
        keys = {who: people.ask(who, "identity", "new", who) for who in ("operator", *OWNERS)}
        tell("What the machine will be, computed from its image without starting it")
        want = measured(image)
        print(f"measurement {want}")
        machine.make_tpm(work / "tpm")
        machine.make_data_disk(work / "data.img", {
            "mesateed.conf": CONFIGURATION.format(keys["operator"]["subject"]).encode(), "keyfile": os.urandom(32)})
        m = machine.Machine(work / "machine", IMAGE / "mesatee.img", work / "data.img", work / "tpm")
        try:
            tell("It starts: firmware, stub, kernel, init, and the node as its one service")
            port = m.start()
            m.wait_for('"event":"ready"')
            got = held(m)
            print(f"its TPM has {got}")
            if got != want:
                raise machine.Failed("that is not what was computed")
            tell("Three owners compute on it")
            welcome(people, port, keys, json.loads(on_disk(work / "data.img", "/state/public.json")))
            task = compute(people)
            count = results(people, task)
            print(f"{count} results\n\n" + (work / "for-alice.csv").read_text(), end="")
            tell("The power button is pressed, and the machine starts again")
            m.press_power()
            port = m.start()
            m.wait_for('"event":"ready"')
            join(people, port, *OWNERS)
            kept = results(people, task)
            people.run("alice", "data", "get", "table", work / "back.csv")
            if held(m) != want or (work / "back.csv").read_bytes() != (work / "alice.csv").read_bytes():
                raise machine.Failed("the second start is not as the first")
            print(f"{kept} results, and alice's table, are there")
            m.press_power()
            tell("Two attacks")
            for number, (what, change) in enumerate([("one byte of the node's program is changed in the image", one_byte_changed),
                                                     ("the kernel gets another command line", other_command_line)], 1):
                (work / "other.img").write_bytes(disk.image(change(image)))
                m.image = work / "other.img"
                m.start()
                m.wait_for('"event":"ready"')
                got = held(m)
                m.press_power()
                refused += got != want and got == measured(change(image))
                print(f"{number}. {what}: it starts, and its TPM has\n   {got}")
        finally:
            m.kill()
    if (count, kept, refused) != (3, 3, 2):
        raise machine.Failed(f"{count} results, {kept} after a restart, {refused} attacks told")
    print(f"\ndemo-vm passed: measured boot as computed, 3 results, data kept, 2 attacks told in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    try:
        main()
    except (machine.Failed, Refused) as e:
        sys.exit(f"demo-vm failed: {e}")
