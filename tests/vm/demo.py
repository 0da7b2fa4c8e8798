#!/usr/bin/env python3
"""demo.py BUILD: three owners compute on the measured machine, which each of them knew before it ran: by the maker of its TPM, and by
a measurement that is computed from its image. Its data outlives a restart, under a key that its TPM alone opens; attacks are refused,
each by name; and an update opens that disk once the operator has approved it. `make image` comes first. QEMU, OVMF and swtpm stand for
hardware; every step of MesaTEE is the real one.
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
import host  # noqa: E402
import machine  # noqa: E402
import pcrs  # noqa: E402

OWNERS = "alice", "bob", "carol"
ROWS = 5000
CONFIGURATION = "listen = 0.0.0.0:7700\nstate = /data/state\ndevice = tpm\nroot_key = device\napprovals = /data/approvals\nadministrator = {}\n"
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
REPLACED = "what the TPM sealed was replaced since"


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


def image_of(people, operator):
    """The machine's image, whose measured command line names the operator."""
    out = people.work / "image"
    out.mkdir()
    (out / "kernel").symlink_to(IMAGE / "kernel")
    words = [w for w in (IMAGE / "cmdline").read_text().split() if w.startswith("mesatee.")]
    subprocess.run([ROOT / "host/image/build.py", BUILD, out, *words, f"mesatee.operator={operator}"], check=True, stdout=subprocess.DEVNULL)
    return out


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


def rewrite(data, name, content, work):
    """A file of the data disk, changed by the host, who owns the disk."""
    new = work / "rewritten"
    new.write_bytes(content)
    for request in (f"rm {name}", f"write {new} {name}"):
        subprocess.run(["debugfs", "-w", "-R", request, data], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env=os.environ | {"PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"})


def join(people, port, *names):
    for who in names:
        people.run(who, "context", "add", "vm", "--address", f"127.0.0.1:{port}", "--identity", who, "--policy", people.work / f"{who}.policy")


def trust(people, who, platform, measurement):
    """One machine, and one image on it."""
    people.run(who, "policy", "new", people.work / f"{who}.policy", "--identity", who, "--name", "vm", "--level", "3", "--kind", "tpm",
               "--allow", "unclean-stop", "--platform", platform, "--measurement", measurement)


def welcome(people, port, keys, maker, measurement):
    """Everybody has the TPM prove itself, writes a policy and joins; the TPM's name."""
    for who in ("operator", *OWNERS):
        platform = people.ask(who, "platform", "enrol", f"127.0.0.1:{port}", "--identity", who, "--root", maker)["platform"]
        trust(people, who, platform, measurement)
    join(people, port, "operator")
    for who in OWNERS:
        people.run("operator", "user", "add", who, keys[who]["public_key"])
    join(people, port, *OWNERS)
    return platform


def refused(people, port, rule):
    """By what rule alice's policy refuses what is at this port."""
    try:
        join(people, port, "alice")
    except Refused as e:
        return rule in str(e)
    return False


def measured(image):
    """{PCR: value}, without booting."""
    return pcrs.values(pcrs.events(image, machine.FIRMWARE.read_bytes(), machine.MEMORY_MIB, machine.CPUS))


def next_release(image):
    """The same machine with another program: it says of itself that it is one."""
    return image.replace(b"Runs a MesaTEE node.", b"Runs MesaTEE's node.")


def one_byte_changed(image):
    """In the initramfs, of a program that is in it: where the text of a usage message is, so that everything still runs."""
    at = image.index(b"Runs MesaTEE's node.")
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
    m.wait_for_end()
    return words in m.said()


def shown_elsewhere(people, between, kept, port):
    """By a host between alice and the machine, which runs: what it has shown before, and what it shows to her own question."""
    for what, answer in (("an old quote of the machine is shown to a new client", lambda _: kept),
                         ("her own question is passed to the machine, and its quote to her", lambda question: between.ask(port, question))):
        yield what, "report-data", refused(people, between.pose(answer), "report-data")


def log_swapped(people, receipt):
    """The quote is genuine; the firmware's log that explains it is not."""
    people.run("alice", "receipt", "verify", receipt)
    receipt.write_bytes(host.with_events_swapped(receipt.read_bytes()))
    try:
        people.run("alice", "receipt", "verify", receipt)
        why = ""
    except Refused as e:
        why = str(e)
    yield "two entries of the event log change places in a receipt", "event-log", "event-log" in why.split()


def changed_images(people, m, image, configuration):
    """Each on a disk of its own: the owners' is closed to it. It steps the TPM's counter, so the owners' would be behind from then on."""
    m.image, m.data = people.work / "other.img", people.work / "changed.img"
    empty = people.work / "empty.img"
    machine.make_data_disk(empty, {"mesateed.conf": configuration.encode(), "approvals": b""})
    for what, change in (("one byte of the node's program is changed in the image", one_byte_changed),
                         ("the kernel gets another command line", other_command_line)):
        m.image.write_bytes(disk.image(change(image)))
        m.data.write_bytes(empty.read_bytes())
        yield what, "measurement-unknown", refused(people, start(m), "measurement-unknown")
        m.press_power()


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
    soft = configuration.replace("device = tpm\nroot_key = device", "device = none\nkeyfile = /data/keyfile").encode()
    own = m.data
    m.data = people.work / "soft.img"
    m.data.write_bytes(own.read_bytes())
    rewrite(m.data, "/mesateed.conf", soft, people.work)
    rewrite(m.data, "/keyfile", b"k" * 32, people.work)
    yield "the host names a key file of its own", NO_SLOT, stops(m, NO_SLOT)
    machine.make_data_disk(m.data, {"mesateed.conf": soft, "keyfile": os.urandom(32), "approvals": b""})
    yield "the node shows soft evidence instead", "platform-unknown", refused(people, start(m), "platform-unknown")
    m.press_power()
    m.data = own


def image_before(people, m, image, data):
    """The image that was replaced, perhaps for a hole, with all that its disk held when it was still the one."""
    own, m.image, m.data = m.data, people.work / "before.img", people.work / "before.data"
    m.image.write_bytes(disk.image(image))
    m.data.write_bytes(data)
    yield "the image before starts again, with its disk of before", REPLACED, stops(m, REPLACED)
    m.data = own


class Attacks:
    """Told one by one, as they are tried."""

    def __init__(self):
        self.tried, self.refused = 0, 0

    def make(self, attacks):
        for what, words, is_refused in attacks:
            self.tried += 1
            self.refused += is_refused
            print(f"{self.tried}. {what}: {'refused: ' + words if is_refused else 'NOT REFUSED'}", flush=True)


def update(people, m, image, platform):
    """Without the operator's word the new image does not open the disk; with it, everything is there. Returns the measurement."""
    new = next_release(image)
    values = measured(new)
    m.image = people.work / "next.img"
    m.image.write_bytes(disk.image(new))
    if not stops(m, OTHERWISE):
        raise machine.Failed("an image that nobody approved opens the disk")
    print(f"not approved: the disk stays closed: {OTHERWISE}", flush=True)
    (people.work / "values").write_text("".join(f"{n} {value.hex()}\n" for n, value in values.items()))
    approval = people.work / "next.approval"
    told = people.ask("operator", "platform", "approve", people.work / "values", approval, "--identity", "operator")["measurement"]
    rewrite(m.data, "/approvals", approval.read_bytes(), people.work)
    port = start(m)
    if not refused(people, port, "measurement-unknown"):
        raise machine.Failed("alice uses an image that she has not accepted")
    print("approved by the operator: it starts, and no owner uses it before her own policy names it", flush=True)
    for who in OWNERS:
        trust(people, who, platform, told)
    join(people, port, *OWNERS)
    return told


def kept(people, task):
    """How many results are there still; alice's table is."""
    count = results(people, task)
    people.run("alice", "data", "get", "table", people.work / "back.csv")
    if (people.work / "back.csv").read_bytes() != (people.work / "alice.csv").read_bytes():
        raise machine.Failed("alice's table is not as it was")
    return count


def demonstrate(people, m, image, configuration, keys, maker):
    work, attacks = people.work, Attacks()
    tell("It starts: firmware, stub, kernel, init, and the node as its one service")
    port = start(m)
    tell("Its TPM proves whose it is, and everybody's policy names that machine and that measurement alone")
    platform = welcome(people, port, keys, maker, pcrs.measurement(measured(image)).hex())
    print(people.run("alice", "verify", f"127.0.0.1:{port}", "--explain"))
    tell("Three owners compute on it")
    task = compute(people)
    counts = [results(people, task)]
    print(f"{counts[0]} results\n\n" + (work / "for-alice.csv").read_text(), end="")
    people.run("alice", "receipt", "get", task, work / "receipt")
    tell("Attacks on the evidence, between owners and machine")
    between = host.Host(work / "host")
    attacks.make(shown_elsewhere(people, between, between.ask(port), port))
    attacks.make(log_swapped(people, work / "receipt"))
    m.press_power()
    old = m.data.read_bytes()
    tell("The machine was switched off, and starts again")
    join(people, start(m), *OWNERS)
    counts.append(kept(people, task))
    print(f"{counts[-1]} results, and alice's table, are there")
    m.press_power()
    tell("Attacks on its disk")
    attacks.make(other_disks(people, m, old))
    attacks.make(soft_instead(people, m, configuration))
    tell("Update: a new image on the same machine and the same disk")
    before = m.data.read_bytes()
    print(f"measurement {update(people, m, image, platform)}")
    counts.append(kept(people, task))
    print(f"{counts[-1]} results, and alice's table, are there")
    m.press_power()
    tell("Attacks on what it starts")
    attacks.make(image_before(people, m, image, before))
    attacks.make(changed_images(people, m, next_release(image), configuration))
    return counts, attacks


def main():
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        people = People(work)
        tables(work)
        keys = {who: people.ask(who, "identity", "new", who) for who in ("operator", *OWNERS)}
        configuration = CONFIGURATION.format(keys["operator"]["subject"])
        tell("What the machine will be, computed from its image without starting it; the image names its operator")
        files = image_of(people, keys["operator"]["public_key"])
        image = (files / "mesatee.efi").read_bytes()
        print(f"measurement {pcrs.measurement(measured(image)).hex()}")
        maker = machine.make_tpm(work / "tpm")
        machine.make_tpm(work / "tpm2")
        machine.make_data_disk(work / "data.img", {"mesateed.conf": configuration.encode(), "approvals": b""})
        m = machine.Machine(work / "machine", files / "mesatee.img", work / "data.img", work / "tpm")
        try:
            counts, attacks = demonstrate(people, m, image, configuration, keys, maker)
        finally:
            m.kill()
    if counts != [3, 3, 3] or attacks.refused != attacks.tried:
        raise machine.Failed(f"results {counts}, {attacks.refused} of {attacks.tried} attacks refused")
    print(f"\ndemo-vm passed: level 3, 3 results, {attacks.refused} attacks refused, updated, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    try:
        main()
    except (machine.Failed, Refused) as e:
        sys.exit(f"demo-vm failed: {e}")
