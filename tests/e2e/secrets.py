#!/usr/bin/env python3
"""secrets.py BUILD: keys, passphrases and rows that are looked for, in every form, wherever a node and its clients write:
after an orderly end, after errors, after crashes; TAP."""
import base64
import json
import os
import pathlib
import signal
import socket
import subprocess

import world as the_world
from world import IS_ROOT, PATIENCE_S, Node, until

UNLIMITED = ("sh", "-c", 'cd "$0" && ulimit -c unlimited && exec "$@"')


class Canaries:
    """What must be nowhere. Each is looked for as it is, backwards (so lie numbers), in hexadecimal and in base64."""

    def __init__(self):
        self.planted, self.forms = {}, {}

    def plant(self, name, secret):
        secret = secret if isinstance(secret, bytes) else secret.encode()
        hexadecimal = secret.hex().encode()
        pieces = {secret, secret[::-1], hexadecimal, hexadecimal.upper()}
        for shift in range(3):  # wherever it stands in what is encoded
            whole = base64.b64encode(b"\0" * shift + secret)
            pieces.add(whole[4:-4])
            pieces.add(whole[4:-4].replace(b"+", b"-").replace(b"/", b"_"))
        self.planted[name], self.forms[name] = secret, pieces

    def in_bytes(self, content):
        return sorted(name for name, pieces in self.forms.items() if any(p in content for p in pieces))

    def in_files(self, *folders):
        """(file, canary) of all that is found."""
        found = []
        for folder in folders:
            for path in [folder] if folder.is_file() else sorted(p for p in folder.rglob("*") if p.is_file()):
                found += [(str(path), name) for name in self.in_bytes(path.read_bytes())]
        return found


def private_of(w, who):
    """The private half of an identity, from its owner's own file."""
    return bytes.fromhex((w.dir / who / "identities" / f"{who}.key").read_text().split()[1])


def set_up(w, node, canaries):
    node.join("admin")
    node.welcome("alice", "bob")
    for who in ("admin", "alice", "bob"):
        canaries.plant(f"the private key of {who}", private_of(w, who))
    for name in ("row", "cell", "number", "quoted", "passphrase", "backup secret"):
        canaries.plant(name, f"canary-{name.replace(' ', '-')}-{os.urandom(12).hex()}")
    canaries.plant("key file", w.keyfile.read_bytes())


def low_entropy(w):
    """What programs may print to who may see it, and no disk holds in clear: names, roles' keys, hashes of subjects."""
    walter = w.identity("walter")
    w.cli("admin", "user", "add", "walter-of-accounting", walter["public_key"])
    w.cli("alice", "data", "put", "payroll-of-november", w.dir / "alice.csv")
    return {"a user's name": b"walter-of-accounting", "the name of data": b"payroll-of-november",
            "a user's key": bytes.fromhex(walter["public_key"]), "a user's hash": bytes.fromhex(walter["subject"])}


def text(canaries, name):
    return canaries.planted[name].decode()


def task(w, name, function, arguments, inputs, output):
    path = w.dir / "task.json"
    path.write_text(json.dumps({
        "function": {"name": function, "version": 1}, "arguments": arguments,
        "inputs": [{"name": n, "data": d} for n, d in inputs], "outputs": [{"name": output, "receivers": ["alice"]}]}))
    made = w.json("alice", "task", "create", path)["task"]
    w.cli("alice", "task", "approve", made)
    if any(d.startswith("bob/") for _, d in inputs):
        w.cli("bob", "task", "approve", made)
    return made


def work(w, canaries):
    """Rows that are joined, and rows in which there is something wrong with what stands beside a canary."""
    good = f"email,v\n{text(canaries, 'row')}@x,1\nb@x,2\n"
    for who, content in (("alice", good), ("bob", good)):
        path = w.dir / f"{who}.csv"
        path.write_text(content)
        w.cli(who, "data", "put", "rows", path)
    w.cli("bob", "data", "grant", "rows", "alice")
    inputs = [{"name": n, "key": "email", "canonical": "none", "duplicates": "refuse"} for n in "ab"]
    both = {"inputs": inputs, "outputs": [{"name": "both", "columns": [{"key": True, "as": "email"}]}]}
    made = task(w, "good", "psi", both, [("a", "rows"), ("b", "bob/rows")], "both")
    assert w.cli("alice", "task", "run", made).returncode == 0
    w.cli("alice", "task", "result", made, "both", w.dir / "both.csv")
    w.cli("alice", "receipt", "get", made, w.dir / "run.receipt")
    failed = []
    with_sum = json.loads(json.dumps({**both, "join": "inner", "minimum_group_size": 1}))
    with_sum["inputs"][0]["columns"] = [{"name": "v", "type": "integer"}]
    with_sum["outputs"] = [{"name": "both", "columns": [{"sum": "a.v", "as": "total"}]}]
    for name, rows, function, arguments in (
            ("cell", "{0}@x,1,{0}\n", "psi", both), ("quoted", '"{0}@x"{0},1\n', "psi", both),
            ("number", "b@x,{0}\n", "private-join-and-compute", with_sum), ("row", "{0}@x,1\n{0}@x,2\n", "psi", both)):
        path = w.dir / "bad.csv"
        path.write_text("email,v\n" + rows.format(text(canaries, name)))
        w.cli("alice", "data", "put", f"bad-{name}", path)
        made = task(w, name, function, arguments, [("a", f"bad-{name}"), ("b", "bob/rows")], "both")
        failed.append(w.cli("alice", "task", "run", made, check=False))
    return failed


def administer(w, canaries):
    for name in ("passphrase", "backup secret"):
        (w.dir / name).write_text(text(canaries, name))
    w.cli("admin", "keyslot", "add", "passphrase", w.dir / "passphrase")
    w.cli("admin", "backup", w.dir / "node.mtb", "--secret", w.dir / "backup secret", "--passphrase")
    wrong = w.dir / "wrong"
    wrong.write_text(text(canaries, "passphrase") + "x")
    w.cli("admin", "keyslot", "add", "nonsense", wrong, check=False)
    for body in ({"kind": "passphrase", "secret": 1}, {"kind": "file", "secret": text(canaries, "passphrase")},
                 {"kind": text(canaries, "passphrase"), "secret": "00"}, {text(canaries, "passphrase"): 1}):
        w.ask("admin", "POST", "/keyslots", body)


def metrics_of(node, path):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE_S)
        s.connect(str(path))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = b""
        while piece := s.recv(65536):
            got += piece
    return got


def cores_of(folder):
    return sorted(p for p in folder.iterdir() if "core" in p.name)


def leaves_cores(folder):
    """Whether a program that does not mind would leave one here."""
    subprocess.run([*UNLIMITED, folder, "sh", "-c", "kill -SEGV $$"], check=False, stderr=subprocess.DEVNULL)
    cores = cores_of(folder)
    for core in cores:
        core.unlink()
    return bool(cores)


def is_readable(pid):
    """Whether another process of the same user, without any privilege, can read the memory of this one."""
    uid = int(pathlib.Path(f"/proc/{pid}/status").read_text().split("Uid:")[1].split()[0])
    words = ["dd", f"if=/proc/{pid}/mem", "of=/dev/null", "bs=1", "count=0"]
    if IS_ROOT:
        words = ["setpriv", f"--reuid={uid}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", *words]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return "Permission denied" not in done.stderr


def crash_node(w, tap, node, canaries, folder):
    sentence = "a node that crashes leaves no core, whatever its limits are, and no secret"
    if not leaves_cores(folder):
        tap.skip(sentence, "this kernel gives cores to somebody else: core_pattern")
        node.start()
    else:
        left = []
        for number in (signal.SIGSEGV, signal.SIGABRT):
            node.start(*UNLIMITED, folder)
            work_a_little(w)
            node.process.send_signal(number)
            node.process.wait()
            node.process = None
            left += [str(p) for p in cores_of(folder)]
        found = canaries.in_files(node.state, node.log, folder)
        tap.ok(not left and not found, sentence, f"{left}, {found}")
        node.start()
    tap.ok(not is_readable(node.process.pid), "nor does it let another process of its user read its memory")


def work_a_little(w):
    w.cli("alice", "data", "put", "rows", w.dir / "alice.csv")
    w.cli("alice", "data", "get", "rows", w.dir / "back")


def connections_to(port):
    """How many clients the kernel has connected; each has read its key before."""
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[2].endswith(f":{port:04X}") and line.split()[3] == "01" for line in lines)


def core_bytes_max(pid):
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    return next(line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size"))


def crash_client(w, tap, node, canaries, folder):
    sentence = "nor does a client that crashes with a private key in its memory"
    node.process.send_signal(signal.SIGSTOP)  # so that it waits for an answer
    can_leave, before = leaves_cores(folder), connections_to(node.public["port"])
    client = subprocess.Popen([*UNLIMITED, folder, w.build / "mesatee", "--home", w.dir / "alice", "data", "list"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: connections_to(node.public["port"]) != before)
    limits = [core_bytes_max(p.pid) for p in (client, node.process)]
    client.send_signal(signal.SIGSEGV)
    status = client.wait()
    node.process.send_signal(signal.SIGCONT)
    tap.ok(limits == [["0", "0"]] * 2, "neither may leave one, whatever the kernel would do with it", limits)
    if not can_leave:
        tap.skip(sentence, "this kernel gives cores to somebody else: core_pattern")
        return
    left = [str(p) for p in cores_of(folder)]
    tap.ok(status != 0 and not left, sentence, f"{status}, {left}, {canaries.in_files(folder)}")


def test(w, tap):
    canaries = Canaries()
    socket_at = w.dir / "node.state" / "metrics"
    node = Node(w, metrics=socket_at).start()
    set_up(w, node, canaries)
    failed = work(w, canaries)
    administer(w, canaries)
    names_of = low_entropy(w)
    own = canaries.in_files(w.dir)
    tap.ok({name for _, name in own} >= set(canaries.forms) - {"cell", "number", "quoted"}, "every secret is found where its "
           "owner keeps it", own)
    metrics = metrics_of(node, socket_at)
    said = [name for text_ in w.said for name in canaries.in_bytes(text_.encode())]
    names = [d.returncode == 1 and ("row" in d.stdout or "row" in d.stderr) for d in failed]
    tap.ok(all(names) and not said, "what is wrong with data, keys and passphrases is said without showing them",
           f"{said}, {[d.stdout + d.stderr for d in failed]}")
    tap.ok(b"mesatee_" in metrics and not canaries.in_bytes(metrics), "nor are they among the metrics", metrics)
    status = node.stop()
    found = canaries.in_files(node.state, node.log, w.dir / "node.mtb")
    tap.ok(status == 0 and not found and not list((node.state / "staging").iterdir()), "after an orderly end no secret is on "
           "the node's disk, in its log or in a backup, and nothing is in staging", found)
    disk = [p.read_bytes() for p in node.state.rglob("*") if p.is_file()]
    clear = [name for name, content in names_of.items() if any(content in piece for piece in disk)]
    tap.ok(not clear, "who the users are and how data is called is not on the disk either", clear)
    folder = w.dir / "cores"
    folder.mkdir()
    folder.chmod(0o777)
    crash_node(w, tap, node, canaries, folder)
    crash_client(w, tap, node, canaries, folder)
    said = [name for text_ in w.said for name in canaries.in_bytes(text_.encode())]
    tap.ok(not said, "all the while no program has printed one", said)


if __name__ == "__main__":
    the_world.main(test)
