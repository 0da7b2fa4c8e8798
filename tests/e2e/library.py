#!/usr/bin/env python3
"""library.py BUILD EXAMPLE [plain]: the public library as a program of somebody else meets it; TAP. With `plain` also as it is
installed: what is there, compiled by pkg-config alone."""
import os
import pathlib
import shutil
import subprocess
import sys

import world as the_world
from world import PATIENCE_S, Node

ROOT = pathlib.Path(__file__).resolve().parents[2]
TWO = "email,v\na@x,1\nb@x,2\nc@x,3\n", "email,w\nb@x,5\nc@x,6\nd@x,7\n"


def run(*words, **more):
    return subprocess.run([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S, **more)


def two_owners(w, node, name):
    """A home with the contexts alice and bob, who are known to the node, and a table of each."""
    data = w.dir / f"{name}.data"
    data.mkdir()
    for who, rows in zip(("alice", "bob"), TWO):
        key = w.identity(who)["public_key"] if not (w.dir / who).is_dir() else None
        if key:
            w.cli("admin", "user", "add", who, key)
            node.introduce(who)
        (data / f"{who}.csv").write_text(rows)
    home = w.dir / name
    home.mkdir(mode=0o700)
    for part in "identities", "contexts":
        (home / part).mkdir(mode=0o700)
        for who in "alice", "bob":
            for path in (w.dir / who / part).iterdir():
                shutil.copy(path, home / part / (who + path.suffix))
    return home, data


def result(data, who):
    return (data / f"both-for-{who}.csv").read_text().split()


def runs(w, tap, node, program, name, env=None):
    home, data = two_owners(w, node, name)
    done = run(program, home, data, env=env)
    good = done.returncode == 0 and result(data, "alice") == result(data, "bob") == ["email", "b@x", "c@x"]
    tap.ok(good, f"the example runs, {name}, and both owners have the intersection", done.stdout)
    shown = w.cli("alice", "receipt", "verify", data / "alice.receipt", check=False)
    tap.ok(shown.returncode == 0 and "Output    both, readable by these and nobody else" in done.stdout,
           f"what was signed stood there in prose, and the receipt is good for the command too, {name}",
           shown.stderr + done.stdout)
    return home, data


def refusals(w, tap, node, program, home, data):
    (data / "alice.csv").unlink()
    done = run(program, home, data)
    tap.ok(done.returncode == 74 and "no such file" in done.stdout, "a missing file is 74", done.stdout)
    (data / "alice.csv").write_text(TWO[0])
    policy = w.dir / "wrong.policy"
    w.cli("alice", "policy", "new", policy, "--identity", "alice", "--name", "wrong", "--platform", node.public["platform"],
          "--measurement", "0" * 64)
    kept = (home / "contexts/alice.policy").read_bytes()
    shutil.copy(policy, home / "contexts/alice.policy")
    done = run(program, home, data)
    tap.ok(done.returncode == 2 and "measurement-unknown" in done.stdout and "mend: the node runs other code" in done.stdout,
           "a node that the policy refuses is 2, with rule and mend", done.stdout)
    shutil.copy(w.dir / "bob.node.policy", home / "contexts/alice.policy")
    done = run(program, home, data)
    tap.ok(done.returncode == 3 and "policy-signer" in done.stdout, "a policy of somebody else is 3", done.stdout)
    (home / "contexts/alice.policy").write_bytes(kept)
    shutil.rmtree(home / "contexts")
    done = run(program, home, data)
    tap.ok(done.returncode == 74 and "there is no context of this name" in done.stdout, "no context is 74", done.stdout)


def installed(w, tap, node):
    root = w.dir / "root"
    done = run("meson", "install", "-C", w.build, "--no-rebuild", "--destdir", root)
    prefix = run("meson", "introspect", w.build, "--buildoptions")
    wanted = ["bin/mesatee", "sbin/mesateed", "include/mesatee.h", "share/man/man1/mesatee.1", "share/man/man8/mesateed.8",
              "lib/systemd/system/mesateed.service"]
    there = {str(p).split("/usr/local/")[-1] for p in root.rglob("*") if not p.is_dir()}
    missing = [p for p in wanted if p not in there]
    pc = next(iter(root.rglob("mesatee.pc")), None)
    library = next(iter(root.rglob("libmesatee.so")), None)
    tap.ok(done.returncode == 0 and not missing and pc and library,
           "make install brings programs, header, library, pages and unit",
           f"{missing} {sorted(there)} {done.stdout[-600:]} {len(prefix.stdout)}")
    unit = next(root.rglob("mesateed.service")).read_text()
    tap.ok("@" not in unit.replace("@system-service", "").replace("@privileged", "").replace("@resources", "")
           and "/sbin/mesateed --config /etc/mesatee/mesateed.conf" in unit, "the unit starts the node that was installed",
           unit)
    env = {**os.environ, "PKG_CONFIG_PATH": str(pc.parent), "PKG_CONFIG_SYSROOT_DIR": str(root),
           "LD_LIBRARY_PATH": str(library.parent)}
    flags = run("pkg-config", "--cflags", "--libs", "mesatee", env=env).stdout.split()
    program = w.dir / "two_owners"
    done = run("cc", "-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", ROOT / "examples/two_owners.c", "-o", program,
               *flags)
    if tap.ok(done.returncode == 0, "the example compiles with what pkg-config says, and nothing else", done.stdout):
        runs(w, tap, node, program, "installed", env=env)


def test(w, tap):
    node = Node(w).start()
    node.join("admin")
    lines = len((ROOT / "examples/two_owners.c").read_text().splitlines())
    tap.ok(lines <= 60, f"the example has at most 60 lines: {lines}")
    home, data = runs(w, tap, node, sys.argv[2], "built")
    refusals(w, tap, node, sys.argv[2], home, data)
    if "plain" in sys.argv[3:]:
        installed(w, tap, node)
    node.kill()
    (home / "contexts").mkdir(exist_ok=True)
    for who in "alice", "bob":
        for path in (w.dir / who / "contexts").iterdir():
            shutil.copy(path, home / "contexts" / (who + path.suffix))
    done = run(sys.argv[2], home, data)
    tap.ok(done.returncode == 69 and "cannot be reached" in done.stdout, "a node that is gone is 69", done.stdout)


the_world.main(test)
