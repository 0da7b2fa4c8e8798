"""The measure of verifiers of hardware evidence: same form as measures.py."""
import os
import pathlib
import shutil
import subprocess
import sys

import kit
from kit import ROUNDS, Plot, Row, median

sys.path.insert(0, str(kit.HERE.parent / "tools"))
import tcb  # noqa: E402 (found by the line above)

VECTORS = kit.HERE.parent / "tests/vectors"
TURN = 100
CODE_KIB = 64


def built(command, source, program, **more):
    """The program, made anew if its source is newer; or why not."""
    words = " ".join(map(str, command))
    tool = shutil.which(command[0], path=os.environ["PATH"] + ":/usr/local/go/bin")
    if tool is None:
        raise kit.Skipped(f"there is no {command[0]} to build a peer with")
    done = subprocess.run([tool, *map(str, command[1:])], cwd=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode != 0:
        raise kit.Skipped(f"{words} does not succeed here: " + done.stdout.strip().splitlines()[-1])
    return program


def go_peer(build):
    program = build / "bench-verify/go"
    return built(["go", "build", "-trimpath", "-o", program, "."], kit.HERE / "verify", program)


def rust_peer(build):
    folder = build / "bench-verify/rust"
    return built(["cargo", "build", "--quiet", "--release", "--locked", "--target-dir", folder], kit.HERE / "verify/rust",
                 folder / "release/verify")


def turns(program, name):
    talk = kit.Talk([program, "bench", VECTORS, name], stderr=subprocess.DEVNULL)
    talk.turn(10)
    return talk


def code_kib(build):
    """Our own code in a program that verifies: of lib/attest, lib/wire and lib/base, without data and unwinding tables."""
    text = (build / "bench/verify.map").read_text()
    kept = {"lib/libattest.a.p", "lib/libwire.a.p", "lib/libbase.a.p"}
    text = tcb.re.sub(r"^( \.\S+)\n\s+(0x)", r"\1 \2", text.split("Linker script and memory map", 1)[1], flags=tcb.re.M)
    return sum(int(size, 16) for section, size, origin in tcb.SECTION.findall(text)
               if section.startswith(".text") and str(pathlib.Path(origin).parent) in kept) / 1024


def verify(build, _):
    """One set of real evidence, from its bytes to its claims; turn by turn with each peer that can be had."""
    ours, rows = build / "bench/verify", []
    plot = Plot("verify", "Verifying one set of evidence: CPU time", "set: 1 TDX, 2 SGX, 3 SNP", "microseconds")
    peers, missing = {}, []
    for name, make in (("dcap-qvl 0.7.1, ring", rust_peer), ("go 1.26, Google's verifiers", go_peer)):
        try:
            peers[name] = make(build)
        except kit.Skipped as why:
            missing.append(str(why))
    if not peers:
        raise kit.Skipped("; ".join(missing))
    rust, go = list(peers.get(n) for n in ("dcap-qvl 0.7.1, ring", "go 1.26, Google's verifiers"))
    pairs = [(1, "TDX quote", "dcap/tdx_v4_uptodate", rust, "dcap-qvl 0.7.1, ring", True),
             (2, "SGX quote", "dcap/sgx_v3_processor", rust, "dcap-qvl 0.7.1, ring", True),
             (1, "TDX quote", "dcap/tdx_v4_uptodate", go, "go-tdx-guest 0.3.1, of the quote alone, no collateral", False),
             (3, "SNP report", "snp/milan_v2", go, "go-sev-guest 0.15.0", True)]
    for at, what, name, peer, peer_name, is_whole in pairs:
        if peer is None:
            continue
        us, them = turns(ours, name), turns(peer, name)
        found = [(us.turn(TURN), them.turn(TURN)) for _ in range(ROUNDS)]
        us.close()
        them.close()
        cold, once, peak = ([a[i] for a, _ in found] for i in range(3))
        theirs, their_peak = ([b[i] for _, b in found] for i in range(2))
        plot.add(peer_name, at, median(theirs))
        rows.append(Row(f"{what}, collateral parsed each time, CPU", name, "us", cold, theirs, peer_name, "<= 0.83" if is_whole else ""))
        if once[0] > 0:
            rows.append(Row(f"{what}, collateral believed once, CPU", name, "us", once, theirs, peer_name, "<= 0.1" if is_whole else ""))
        rows.append(Row(f"{what}, peak memory", name, "MiB", [k / 1024 for k in peak], [k / 1024 for k in their_peak], peer_name))
        if is_whole:
            plot.add("ours, all anew", at, median(cold))
            plot.add("ours, believed once", at, median(once) or median(cold))
    rows.append(Row("a verifier's own code, without OpenSSL, jansson and the C library", "lib/attest, lib/wire, lib/base", "KiB",
                    [code_kib(build)], goal=f"<= {CODE_KIB}"))
    for why in missing:
        print(f"verify: a peer is skipped: {why}", flush=True)
    return rows, [plot]


ALL = {"verify": verify}
