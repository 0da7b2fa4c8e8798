#!/usr/bin/env python3
"""demo.py BUILD: three owners compute on the measured machine, which each of them knew before it ran: by the maker of its TPM, and by
a measurement that is computed from its image. Its data outlives a restart, under a key that its TPM alone opens; then seven attacks,
each refused by name. `make image`
comes first. QEMU, OVMF and swtpm stand for hardware; every step of MesaTEE is the real one.
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
CONFIGURATION = "listen = 0.0.0.0:7700\nstate = /data/state\ndevice = tpm\nroot_key = device\nadministrator = {}\n"
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


# What a node says whose disk does not open.
OTHERWISE, OTHER_MACHINE, NO_SLOT = "what runs was measured otherwise", "it is of another machine", "no key slot opens"


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


def rewrite(data, name, text, work):
    """A file of the data disk, changed by the host, who owns the disk."""
    new = work / "rewritten"
    new.write_text(text)
    for request in (f"rm {name}", f"write {new} {name}"):
        subprocess.run(["debugfs", "-w", "-R", request, data], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env=os.environ | {"PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"})


def join(people, port, *names):
    for who in names:
        people.run(who, "context", "add", "vm", "--address", f"127.0.0.1:{port}", "--identity", who, "--policy", people.work / f"{who}.policy")


def welcome(people, port, keys, maker, measurement):
    """Everybody has the TPM prove itself, writes a policy and joins."""
    for who in ("operator", *OWNERS):
        platform = people.ask(who, "platform", "enrol", f"127.0.0.1:{port}", "--identity", who, "--root", maker)["platform"]
        people.run(who, "policy", "new", people.work / f"{who}.policy", "--identity", who, "--name", "vm", "--level", "3", "--kind", "tpm",
                   "--allow", "unclean-stop", "--platform", platform, "--measurement", measurement)
    join(people, port, "operator")
    for who in OWNERS:
        people.run("operator", "user", "add", who, keys[who]["public_key"])
    join(people, port, *OWNERS)


def refused(people, port, rule):
    """By what rule alice's policy refuses what is at this port."""
    try:
        join(people, port, "alice")
    except Refused as e:
        return rule in str(e)
    return False


def measured(image):
    """Without booting."""
    code = machine.FIRMWARE.read_bytes()
    return pcrs.measurement(pcrs.values(pcrs.events(image, code, machine.MEMORY_MIB, machine.CPUS))).hex()


def one_byte_changed(image):
    """In the initramfs, of a program that is in it: where the text of a usage message is, so that everything still runs."""
    at = image.index(b"Runs a MesaTEE node.")
    return image[:at] + b"r" + image[at + 1:]


def other_command_line(image):
    """The same, but for one argument that lets the kernel's memory be read."""
    old = b"lockdown=confidentiality"
    return image.replace(old, b"lockdown=none".ljust(len(old)))


def start(m):
    port = m.start()
    m.wait_for('"event":"ready"')
    return port


def stops(m, words):
    """The node does not come up, and says why."""
    m.start()
    m.wait_for('"event":"stopped"')
    m.kill()
    return words in m.said()


def changed_images(people, m, image, configuration):
    """On a disk of its own each shows what it is; the owners' disk stays closed to it."""
    own = m.data
    empty = people.work / "empty.img"
    machine.make_data_disk(empty, {"mesateed.conf": configuration.encode()})
    for what, change in (("one byte of the node's program is changed in the image", one_byte_changed),
                         ("the kernel gets another command line", other_command_line)):
        (people.work / "other.img").write_bytes(disk.image(change(image)))
        m.image, m.data = people.work / "other.img", people.work / "changed.img"
        m.data.write_bytes(empty.read_bytes())
        yield what, "measurement-unknown", refused(people, start(m), "measurement-unknown")
        m.press_power()
    m.data = own
    yield "and that image is started on the owners' disk", OTHERWISE, stops(m, OTHERWISE)
    m.image = IMAGE / "mesatee.img"


def other_disks(people, m, old):
    """The disk as it was before the second start; and the newest disk beside another TPM."""
    new = m.data.read_bytes()
    for what, data, tpm, words in (("the data disk is put back to an earlier state", old, m.tpm, "it was put back"),
                                   ("the disk is copied to a machine with another TPM", new, people.work / "tpm2", OTHER_MACHINE)):
        own, m.tpm = m.tpm, tpm
        m.data.write_bytes(data)
        yield what, words, stops(m, words)
        m.tpm = own
    m.data.write_bytes(new)


def soft_instead(people, m, configuration):
    soft = configuration.replace("device = tpm\nroot_key = device", "device = none\nkeyfile = /data/keyfile")
    rewrite(m.data, "/mesateed.conf", soft, people.work)
    rewrite(m.data, "/keyfile", "k" * 32, people.work)
    yield "the host names a key file of its own", NO_SLOT, stops(m, NO_SLOT)
    m.data = people.work / "soft.img"
    machine.make_data_disk(m.data, {"mesateed.conf": soft.encode(), "keyfile": os.urandom(32)})
    yield "the node shows soft evidence instead", "platform-unknown", refused(people, start(m), "platform-unknown")
    m.press_power()


def main():
    began = time.monotonic()
    image = (IMAGE / "mesatee.efi").read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        people = People(work)
        tables(work)
        keys = {who: people.ask(who, "identity", "new", who) for who in ("operator", *OWNERS)}
        configuration = CONFIGURATION.format(keys["operator"]["subject"])
        tell("What the machine will be, computed from its image without starting it")
        want = measured(image)
        print(f"measurement {want}")
        maker = machine.make_tpm(work / "tpm")
        machine.make_tpm(work / "tpm2")
        machine.make_data_disk(work / "data.img", {"mesateed.conf": configuration.encode()})
        m = machine.Machine(work / "machine", IMAGE / "mesatee.img", work / "data.img", work / "tpm")
        try:
            tell("It starts: firmware, stub, kernel, init, and the node as its one service")
            port = start(m)
            tell("Its TPM proves whose it is, and everybody's policy names that machine and that measurement alone")
            welcome(people, port, keys, maker, want)
            print(people.run("alice", "verify", f"127.0.0.1:{port}", "--explain"))
            tell("Three owners compute on it")
            task = compute(people)
            count = results(people, task)
            print(f"{count} results\n\n" + (work / "for-alice.csv").read_text(), end="")
            m.press_power()
            old = (work / "data.img").read_bytes()
            tell("The machine was switched off, and starts again")
            join(people, start(m), *OWNERS)
            kept = results(people, task)
            people.run("alice", "data", "get", "table", work / "back.csv")
            if (work / "back.csv").read_bytes() != (work / "alice.csv").read_bytes():
                raise machine.Failed("alice's table is not as it was")
            print(f"{kept} results, and alice's table, are there")
            m.press_power()
            tell("Attacks")
            told = 0
            for attacks in (changed_images(people, m, image, configuration), other_disks(people, m, old), soft_instead(people, m, configuration)):
                for number, (what, words, is_refused) in enumerate(attacks, told + 1):
                    told += is_refused
                    print(f"{number}. {what}: {'refused: ' + words if is_refused else 'NOT REFUSED'}", flush=True)
        finally:
            m.kill()
    if (count, kept, told) != (3, 3, 7):
        raise machine.Failed(f"{count} results, {kept} after a restart, {told} attacks refused")
    print(f"\ndemo-vm passed: level 3, 3 results, {told} attacks refused in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    try:
        main()
    except (machine.Failed, Refused) as e:
        sys.exit(f"demo-vm failed: {e}")
