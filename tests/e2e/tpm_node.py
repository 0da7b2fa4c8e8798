#!/usr/bin/env python3
"""tpm_node.py BUILD: a node whose machine has a TPM (swtpm stands for it): known by its maker, level 3, and no other for it."""
import hashlib
import os
import shutil
import subprocess

import world
from swtpm import Failing, Tpm, host, start

REFUSED, NOT_GENUINE = 2, 3


def enrol(w, node, who, maker):
    return w.cli(who, "--json", "platform", "enrol", f"127.0.0.1:{node.public['port']}", "--identity", who, "--root", maker,
                 check=False)


def policy(w, node, who, name, *words):
    path = w.dir / f"{name}.policy"
    w.cli(who, "policy", "new", path, "--identity", who, "--name", name, "--measurement", node.public["measurement"], *words)
    return path


def add(w, node, who, context, path):
    return w.cli(who, "context", "add", context, "--address", f"127.0.0.1:{node.public['port']}", "--identity", who, "--policy", path,
                 check=False)


def judge(w, tap, node, tpm, other):
    done = enrol(w, node, "admin", tpm.maker)
    tap.ok(done.returncode == 0 and node.public["platform"] in done.stdout, "a TPM proves whose it is, and the node names the same key",
           done.stdout + done.stderr)
    done = enrol(w, node, "admin", other.maker)
    tap.ok(done.returncode == NOT_GENUINE and "endorsement-certificate" in done.stderr, "a TPM of another maker is not enrolled", done.stderr)
    known = ("--platform", node.public["platform"])
    node.join("admin", policy=policy(w, node, "admin", "three", *known, "--kind", "tpm", "--level", "3", "--allow", "unclean-stop"))
    status = w.json("admin", "status")
    told = w.cli("admin", "verify").stdout
    tap.ok(status["level"] == 3 and status["hardware_root"] is True and "level 3, hardware_root=true, host_in_tcb=true: a TPM" in told,
           "the node is level 3, and says what that means", f"{status} {told}")
    done = add(w, node, "admin", "two", policy(w, node, "admin", "two", *known))
    tap.ok(done.returncode == REFUSED and "kind-unnamed" in done.stderr, "a policy that does not name TPMs refuses it", done.stderr)
    done = add(w, node, "admin", "unknown", policy(w, node, "admin", "unknown", "--platform", "00" * 32, "--kind", "tpm", "--level", "3"))
    tap.ok(done.returncode == NOT_GENUINE and "platform-unknown" in done.stderr, "a TPM that nobody enrolled is refused", done.stderr)


def relay(w, tap, node):
    """Somebody between client and node shows what the node has shown."""
    between, good = host.Host(w.dir / "host"), w.dir / "three.policy"
    kept = between.ask(node.public["port"])
    for answer, what in ((lambda _: kept, "a quote of before, shown to another client, is refused"),
                         (lambda question: between.ask(node.public["port"], question), "and so is a quote about the client's own question")):
        done = w.cli("admin", "context", "add", "between", "--address", f"127.0.0.1:{between.pose(answer)}", "--identity", "admin", "--policy",
                     good, check=False)
        tap.ok(done.returncode == NOT_GENUINE and "report-data" in done.stderr, what, done.stderr)


def use(w, tap, node):
    (w.dir / "base.csv").write_text("a\n1\n")
    w.cli("admin", "data", "put", "base", w.dir / "base.csv")
    receipt = w.cli("admin", "data", "show", "base", check=False)
    tap.ok(receipt.returncode == 0, "data goes in", receipt.stderr)
    node.stop()


def disks(w, tap, node, tpm, other):
    old = w.dir / "old"
    subprocess.run(["cp", "-a", node.state, old], check=True)
    start(node, tpm).start()
    done = w.cli("admin", "data", "show", "base", check=False)
    tap.ok(done.returncode == 0, "and is there after the machine was off", done.stderr)
    node.stop()
    new = w.dir / "new"
    subprocess.run(["cp", "-a", node.state, new], check=True)
    shutil.rmtree(node.state)
    subprocess.run(["cp", "-a", old, node.state], check=True)
    status, said = start(node, tpm).run_to_end()
    tap.ok(status == 1 and "put back" in said, "a disk of before is refused: the TPM has counted on", said[-400:])
    marked_as_new(w, tap, node, tpm, old)
    marked_as_restored(w, tap, node, tpm, old)
    shutil.rmtree(node.state)
    subprocess.run(["cp", "-a", new, node.state], check=True)
    status, said = start(node, other).run_to_end()
    tap.ok(status == 1 and "counter" in said, "a disk beside another TPM is refused", said[-400:])


def put_back(w, node, old, plant):
    """The host's copy of before, with a file of his own, and without what names the counter."""
    shutil.rmtree(node.state)
    subprocess.run(["cp", "-a", old, node.state], check=True)
    (node.state / "fresh.mts").unlink()
    (node.state / plant).touch()
    shutil.chown(node.state / plant, (node.state / "slots").owner())


def marked_as_new(w, tap, node, tpm, old):
    put_back(w, node, old, "unfinished")
    status, said = start(node, tpm).run_to_end()
    (node.state / "unfinished").unlink()
    again, more = start(node, tpm).run_to_end()
    tap.ok(status == again == 1 and "marked as new" in said and "is gone" in more,
           "nor does it help to mark a disk of before as new, then or later", said[-400:] + more[-400:])


def marked_as_restored(w, tap, node, tpm, old):
    put_back(w, node, old, "restored")
    start(node, tpm).start()
    done = w.cli("admin", "data", "show", "base", check=False)
    node.stop()
    (node.state / "restored").unlink()
    status, said = start(node, tpm).run_to_end()
    tap.ok(done.returncode != 0 and status == 1 and "is gone" in said,
           "nor as restored, and to take that back without a recovery epoch", done.stdout + said[-400:])


def pretend(w, tap, node):
    node.conf.write_text(node.conf.read_text().replace("device = tpm", "device = none"))
    node.start()
    done = w.cli("admin", "status", check=False)
    tap.ok(done.returncode in (REFUSED, NOT_GENUINE), "soft evidence in place of a TPM's is refused", done.stdout + done.stderr)
    done = enrol(w, node, "admin", "/dev/null")
    tap.ok(done.returncode != 0, "and a node without a TPM enrols nothing", done.stderr)
    node.stop()
    node.conf.write_text(node.conf.read_text().replace("device = none", "device = tpm").replace("swtpm:path=", "swtpm:path=/nowhere"))
    status, said = node.run_to_end()
    tap.ok(status == 1 and "device-refused" in said, "without its TPM the node does not start", said[-400:])


def extend(tpm):
    """What the next image measures."""
    tpm.run("tpm2_pcrextend", f"11:sha256={'5a' * 32}")


def kinds(w):
    return [slot["kind"] for slot in w.json("admin", "keyslot", "list")["keyslots"]]


def accept(w, node, name):
    """The administrator's policy names what runs now."""
    (w.dir / "admin" / "contexts" / f"{node.name}.json").unlink(missing_ok=True)
    node.join("admin", policy=policy(w, node, "admin", name, "--platform", node.public["platform"], "--kind", "tpm", "--level", "3"))


def device_alone(w, tap, node, tpm, other):
    accept(w, node, "first")
    (w.dir / "kept.csv").write_text("a\n1\n")
    w.cli("admin", "data", "put", "kept", w.dir / "kept.csv")
    tap.ok(kinds(w) == ["device-tpm"] and "device-slot-alone" in node.log.read_text(),
           "the TPM alone opens the disk, and the node warns that nothing else does", kinds(w))
    done = w.cli("admin", "keyslot", "remove", "0", check=False)
    tap.ok(done.returncode != 0 and kinds(w) == ["device-tpm"], "the last slot is not removed", done.stderr)
    node.stop()
    start(node, tpm).start()
    done = w.cli("admin", "data", "show", "kept", check=False)
    tap.ok(done.returncode == 0, "a disk with no key file opens with its TPM", done.stderr)
    node.stop()
    status, said = start(node, other).run_to_end()
    tap.ok(status == 1 and "on the machine whose device made the slot" in said, "a disk with no key file opens with no other TPM", said[-400:])
    whole = node.conf.read_text()
    node.conf.write_text(whole.replace("device = tpm", "device = none").replace("root_key = device", "root_key = keyfile")
                         .replace(str(w.dir / "recovery"), str(w.keyfile)))
    status, said = node.run_to_end()
    tap.ok(status == 1 and "slots" in said, "nor with a key file of the host's", said[-400:])
    node.conf.write_text(whole)


def recovery(w, tap, node, tpm):
    start(node, tpm).start()
    (w.dir / "offline").write_bytes(bytes(range(32)))
    w.cli("admin", "keyslot", "add", "file", w.dir / "offline")
    w.cli("admin", "keyslot", "add", "--device")
    tap.ok(kinds(w) == ["device-tpm", "file", "device-tpm"], "a key file for recovery is added, and one more slot of the TPM", kinds(w))
    node.stop()
    start(node, tpm)
    extend(tpm)
    status, said = node.run_to_end()
    tap.ok(status == 1 and "what its operator has signed" in said, "an image that measures otherwise does not open it", said[-400:])
    shutil.copy(w.dir / "offline", w.dir / "recovery")
    node.start()
    accept(w, node, "next")
    done = w.cli("admin", "data", "show", "kept", check=False)
    tap.ok(done.returncode == 0 and "device-slot-renewed" in node.log.read_text(), "the key file opens it after such an update", done.stderr)
    tap.ok(sorted(kinds(w)) == ["device-tpm", "file"], "and the slots of the image before are gone", kinds(w))
    node.stop()
    (w.dir / "recovery").unlink()
    start(node, tpm)
    extend(tpm)
    node.start()
    tap.ok(w.cli("admin", "data", "show", "kept", check=False).returncode == 0, "from then on the TPM opens it again, without a key file")
    node.stop()
    status, said = start(node, tpm).run_to_end()
    tap.ok(status == 1 and "disk-refused" in said, "and the image before is shut out", said[-400:])


def moves(w, tap, node, tpm, other):
    """To another machine goes a backup, and that machine's TPM opens what becomes of it."""
    start(node, tpm)
    extend(tpm)
    node.start()
    w.cli("admin", "backup", w.dir / "all.mtb", "--secret", w.dir / "offline")
    node.stop()
    moved = world.Node(w, name="moved", device="tpm", root_key="device", keyfile=w.dir / "recovery")
    start(moved, other)
    done = subprocess.run([w.build / "mesateed", "--config", moved.conf, "--restore", w.dir / "all.mtb", "--secret", w.dir / "offline"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=world.PATIENCE_S)
    start(moved, other).start()
    moved.stop()
    said = moved.log.read_text()
    tap.ok(done.returncode == 0 and "awaits-recovery" in said and "device-slot-alone" in said,
           "a backup that is restored on another machine opens with the TPM of that one", done.stdout + said[-400:])


def key_slots(w, tap, tpm, other):
    node = world.Node(w, name="slots", device="tpm", root_key="device", keyfile=w.dir / "recovery")
    device_alone(w, tap, start(node, tpm).start(), tpm, other)
    recovery(w, tap, node, tpm)
    moves(w, tap, node, tpm, other)


def approve(w, who, path):
    """What extend() makes of a TPM without firmware, signed without one."""
    after = hashlib.sha256(bytes(32) + b"\x5a" * 32).hexdigest()
    (w.dir / "values").write_text("".join(f"{n} {after if n == 11 else '0' * 64}\n" for n in (0, 2, 4, 7, 9, 11, 12, 13)))
    return w.json(who, "platform", "approve", w.dir / "values", path, "--identity", who)


def update(w, tap, tpm):
    approvals = w.dir / "approvals"
    approvals.write_bytes(b"")
    node = world.Node(w, name="update", device="tpm", root_key="device", keyfile=w.dir / "nowhere", approvals=approvals)
    node.arguments = ["--operator", w.identity("operator")["public_key"]]
    start(node, tpm).start()
    accept(w, node, "before")
    w.cli("admin", "data", "put", "owned", w.dir / "kept.csv")
    node.stop()
    start(node, tpm)
    extend(tpm)
    status, said = node.run_to_end()
    tap.ok(status == 1 and "what its operator has signed" in said, "an update that the operator did not approve stays locked out", said[-400:])
    w.identity("mallory")
    approve(w, "mallory", approvals)
    status, said = node.run_to_end()
    tap.ok(status == 1, "and so does one that somebody else approved", said[-400:])
    node.conf.write_text(node.conf.read_text() + f"operator = {w.json('mallory', 'identity', 'show', 'mallory')['public_key']}\n")
    status, said = node.run_to_end()
    tap.ok(status == 64, "the host's configuration names no operator", said[-400:])
    node.conf.write_text("".join(line for line in node.conf.read_text().splitlines(True) if not line.startswith("operator =")))
    old = (node.state / "slots/slot-0.mtk").read_bytes()  # of which the host keeps a copy
    told = approve(w, "operator", approvals)
    approvals.write_bytes(approvals.read_bytes() * 2)  # files are joined
    node.start()
    accept(w, node, "after")
    done = w.cli("admin", "data", "show", "owned", check=False)
    tap.ok(done.returncode == 0 and told["measurement"] == node.public["measurement"],
           "an update that the operator approved opens the disk, and measures what he was told", f"{told} {node.public} {done.stderr}")
    tap.ok("device-slot-renewed" in node.log.read_text(), "and has its own slot from then on", node.last_words())
    node.stop()
    withdrawn(w, tap, node, tpm, approvals, old)


def withdrawn(w, tap, node, tpm, approvals, old):
    """The image of before had a hole."""
    approvals.write_bytes(b"")
    slot = node.state / "slots/slot-0.mtk"
    new = slot.read_bytes()
    start(node, tpm)
    extend(tpm)
    node.start()
    done = w.cli("admin", "data", "show", "owned", check=False)
    tap.ok(done.returncode == 0, "the next start of the new image needs nobody's word", done.stderr)
    node.stop()
    status, said = start(node, tpm).run_to_end()
    tap.ok(status == 1 and "disk-refused" in said, "and the image before it opens the disk no more", said[-400:])
    slot.write_bytes(old)
    status, said = node.run_to_end()
    tap.ok(status == 1 and "replaced since" in said, "nor with the slot that it had made itself", said[-400:])
    slot.write_bytes(new)


def replaced(w, tap, tpm, other):
    """The machine dies, its disk lives: holders of shares open it beside another TPM."""
    node = world.Node(w, name="held", device="tpm", root_key="device", keyfile=w.dir / "nowhere")
    start(node, tpm).start()
    accept(w, node, "held")
    w.cli("admin", "data", "put", "shared", w.dir / "kept.csv")
    shares = w.json("admin", "keyslot", "add", "--shares", "2/3", "--out", w.dir / "holders")["shares"]
    node.stop()
    tpm.stop()
    status, said = start(node, other).run_to_end()
    tap.ok(status == 1 and "on the machine whose device made the slot" in said, "another machine does not open the disk by itself", said[-400:])
    done = subprocess.run([w.build / "mesateed", "--config", node.conf, "--recover", shares[0]], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=world.PATIENCE_S)
    tap.ok(done.returncode == 1 and node.run_to_end()[0] == 1, "nor with fewer shares than it takes", done.stdout)
    done = subprocess.run([w.build / "mesateed", "--config", node.conf, "--recover", shares[2], shares[0]], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=world.PATIENCE_S)
    tap.ok(done.returncode == 0 and "counter-taken-up" in done.stdout and '"recovered"' in done.stdout,
           "two of three holders open it there, and the node says that its counter knows nothing of before", done.stdout)
    found = []
    for _ in range(2):
        start(node, other).start()
        accept(w, node, "held again")
        w.cli("admin", "data", "show", "shared")
        found.append(sorted(kinds(w)))
        node.stop()
    tap.ok(found == [["device-tpm", "device-tpm", "shares"]] * 2, "from then on that machine's TPM opens it, without a share", found)


def handed_over(w, tap, tpm):
    """An update that no operator signed into the TPM: another node judges it, by what the administrator told that one."""
    keeper = world.Node(w, name="keeper").start()
    keeper.join("admin")
    node = world.Node(w, name="hosted", device="tpm", root_key="device", keyfile=w.dir / "nowhere",
                      peer=f"127.0.0.1:{keeper.public['port']}", peer_policy=w.dir / "admin.keeper.policy")
    start(node, tpm).start()
    accept(w, node, "hosted-before")
    after = approve(w, "operator", w.dir / "unused")["measurement"]
    named = policy(w, node, "admin", "handed", "--measurement", after, "--platform", node.public["platform"], "--machine",
                   node.public["platform"], "--kind", "tpm", "--level", "3", "--allow", "unclean-stop")
    w.cli("admin", "keyslot", "add", "--peer", "keeper", "--policy", named)
    w.cli("admin", "data", "put", "handed", w.dir / "kept.csv")
    tap.ok(kinds(w) == ["device-tpm", "peer"], "a node with a TPM gets a slot for a peer, which has seen its quote", kinds(w))
    node.stop()
    start(node, tpm)
    extend(tpm)
    node.start()
    accept(w, node, "hosted-after")
    done = w.cli("admin", "data", "show", "handed", check=False)
    tap.ok(done.returncode == 0 and "opened-by-peer" in node.log.read_text(), "what its TPM denies, the peer opens for the image that it was told",
           done.stderr)
    node.stop()
    start(node, tpm)
    extend(tpm)
    extend(tpm)
    status, said = node.run_to_end()
    tap.ok(status == 1 and "measurement-unknown" in said, "and for no other, by the rule", said[-600:])
    failing(w, tap, node, tpm, keeper)


def failing(w, tap, node, tpm, keeper):
    """A TPM that says neither yes nor no."""
    start(node, tpm)
    extend(tpm)
    whole = node.conf.read_text()
    through = whole[:whole.rindex("tpm = ")] + "tpm = {}\n"
    node.conf.write_text(through.format(Failing(tpm, is_mute=False).path))
    before = len(node.log.read_text())
    node.start()
    done = w.cli("admin", "data", "show", "handed", check=False)
    said = node.log.read_text()[before:]
    tap.ok(done.returncode == 0 and "the TPM is broken" in said and "opened-by-peer" in said,
           "a TPM that fails keeps the peer from opening no more than one that denies", done.stderr + said[-600:])
    node.stop()
    keeper.stop()
    shutil.copy(w.dir / "kept.csv", w.dir / "nowhere")  # a key file, which is not the one
    node.conf.write_text(through.format(Failing(tpm, is_mute=True).path))
    status, said = node.run_to_end()
    reasons = ("device-slot-refused", "recovery-slot-refused", "peer-unreachable", "look after the device")
    tap.ok(status == 1 and all(r in said for r in reasons) and "does not answer any more" in said.splitlines()[-2],
           "if nothing opens, each that was tried says why, and the device is what stops the node", said[-900:])
    (w.dir / "nowhere").unlink()


def run(w, tap):
    if any(shutil.which(p) is None for p in ("swtpm", "swtpm_setup", "tpm2_pcrextend")):
        tap.skip("a node with a TPM", "swtpm or tpm2-tools is not installed")
        return
    if world.is_sanitized(w.build / "mesateed"):
        tap.skip("a node with a TPM", "the TPM's library brings its own libcrypto, and AddressSanitizer knows one alone")
        return
    tpm, other, third, fourth, fifth = Tpm(), Tpm(), Tpm(is_told=True), Tpm(is_told=True), Tpm(is_told=True)
    try:
        node = start(world.Node(w, device="tpm"), tpm).start(env=dict(os.environ, TSS2_LOG="all+TRACE"))
        said = node.log.read_text()
        tap.ok("ready" in said and "trace:" not in said, "the environment makes no library print what runs over the bus", said[-400:])
        judge(w, tap, node, tpm, other)
        relay(w, tap, node)
        use(w, tap, node)
        disks(w, tap, node, tpm, other)
        tpm.stop()
        pretend(w, tap, node)
        key_slots(w, tap, third, fourth)
        third.stop()
        fourth.stop()
        update(w, tap, fifth)
        replaced(w, tap, third, fourth)
        handed_over(w, tap, fifth)
    finally:
        for t in (tpm, other, third, fourth, fifth):
            t.close()


world.main(run)
