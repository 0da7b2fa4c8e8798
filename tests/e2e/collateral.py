#!/usr/bin/env python3
"""collateral.py BUILD: getting, showing and checking collateral, from a server of the makers' paths and from servers that lie; TAP."""
import http.server
import json
import pathlib
import socket
import subprocess
import sys
import threading
import urllib.parse

import evidence
import world as the_world

DONE, FAILED, NOT_GENUINE, USAGE, UNREACHABLE, IO = 0, 1, 3, 64, 69, 74
HTML = b"<html>Sign in</html>"


def quoted(path):
    return urllib.parse.quote(path.read_text(), safe="")


def intel_paths(folder, said):
    """{path: (type, body, headers)} as Intel's service has them, of one set of vectors."""
    tee, fields = said["kind"], said["says"]["fields"]

    def signed(name, member):
        value, sig = (folder / f"{name}.json").read_bytes(), (folder / f"{name}.sig").read_bytes()
        return b'{"' + member + b'":' + value + b',"signature":"' + sig.hex().encode() + b'"}'

    return {
        f"/{tee}/certification/v4/tcb?fmspc={fields['FMSPC'].upper()}":
            ("application/json", signed("tcb_info", b"tcbInfo"), {"TCB-Info-Issuer-Chain": quoted(folder / "tcb_info_chain.pem")}),
        f"/{tee}/certification/v4/qe/identity":
            ("application/json", signed("qe_identity", b"enclaveIdentity"),
             {"SGX-Enclave-Identity-Issuer-Chain": quoted(folder / "qe_identity_chain.pem")}),
        f"/sgx/certification/v4/pckcrl?ca={fields['pck_ca']}&encoding=der":
            ("application/pkix-crl", (folder / "pck_crl.der").read_bytes(), {}),
        "/sgx/certification/v4/rootcacrl": ("text/plain", (folder / "root_ca_crl.der").read_bytes().hex().encode(), {}),
    }


def amd_paths(folder, said, product):
    fields = said["says"]["fields"]
    chip = fields["chip_id"][:16] if product == "Turin" else fields["chip_id"]
    parts = [("fmcSPL", "tcb_fmc"), ("blSPL", "tcb_boot_loader"), ("teeSPL", "tcb_tee"), ("snpSPL", "tcb_snp"), ("ucodeSPL", "tcb_microcode")]
    query = "&".join(f"{name}={fields[field]:02d}" for name, field in parts if field in fields)
    vek = next(p for p in sorted(folder.iterdir()) if p.name in ("vcek.der", "vcek.pem")).read_bytes()
    return {f"/vcek/v1/{product}/{chip}?{query}": ("application/octet-stream", vek, {})}


class Server:
    """Serves what it is given, on a port of the kernel's choice, and lies as it is told: {path: a function of the handler}."""

    def __init__(self):
        self.paths, self.lies, self.asked = {}, {}, []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                owner.asked.append(self.path)
                if self.path in owner.lies:
                    owner.lies[self.path](self)
                elif self.path in owner.paths:
                    self.answer(200, *owner.paths[self.path])
                else:
                    self.answer(404, "text/plain", b"no", {})

            def answer(self, status, kind, body, headers, length=None):
                self.send_response(status)
                for name, value in {"Content-Type": kind, "Content-Length": length or len(body), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.close_connection = True
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # who had enough hangs up

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Getter:
    def __init__(self, w, server):
        self.w, self.server = w, server

    def said(self, folder):
        """What the evidence alone says, without the collateral beside it."""
        return json.loads(self.w.cli("auditor", "--json", "evidence", "show", self.alone(folder)).stdout)

    def alone(self, folder):
        if folder.parent.name == "azure":  # more than one file, and its collateral is not among them
            alone = self.w.dir / f"alone-{folder.name}"
            alone.mkdir(exist_ok=True)
            for path in folder.glob("*"):
                if not path.name.startswith("vcek"):
                    (alone / path.name).write_bytes(path.read_bytes())
            return alone
        return next(p for p in (folder / "quote.bin", folder / "report.bin") if p.exists())

    def get(self, folder, expected, into, *more, source=None):
        words = ["--json", "collateral", "get", self.alone(folder), into, "--at", evidence.at(expected)]
        return self.w.cli("auditor", *words, "--from", source or self.server.base, *more, check=False)

    def verify(self, folder, expected, collateral):
        words = ["--report-data", expected["report_data"], "--at", evidence.at(expected), "--collateral", collateral]
        done = self.w.cli("auditor", "--json", "verify", self.alone(folder), *words, check=False)
        return json.loads(done.stdout)["genuine"]


def content(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()} if folder.exists() else None


def paths_of(g, folder):
    said = g.said(folder)
    if not evidence.is_amd(folder):
        return intel_paths(folder, said)
    return amd_paths(folder, said, said["says"]["fields"].get("product", "Genoa" if "genoa" in folder.name else "Milan"))


def fetched(w, tap, g, sets):
    """From a server and, of what came, from a folder: it verifies, and is what the makers signed."""
    bad = []
    for folder, expected in sets:
        g.server.paths = paths_of(g, folder)
        out, carried = w.dir / f"c-{folder.name}", w.dir / f"d-{folder.name}"
        done = g.get(folder, expected, out)
        again = g.get(folder, expected, carried, source=out)
        if done.returncode != DONE or again.returncode != DONE or not json.loads(done.stdout)["verified"] \
                or not g.verify(folder, expected, out) or content(out) != content(carried) \
                or any((folder / name).exists() and (folder / name).read_bytes() != b for name, b in content(out).items()):
            bad.append((folder.name, done, again))
    tap.ok(len(sets) > 0 and not bad, "collateral of every set of vectors comes from a server of the makers' paths, and from a folder that was "
           "carried over, byte for byte, and the evidence is genuine by it", bad)


def refused(w, tap, g, folder, expected):
    """Whatever a server does on whichever path: an exit code, a word, and the folder as it was."""
    g.server.paths = paths_of(g, folder)
    out = w.dir / "kept"
    assert g.get(folder, expected, out).returncode == DONE
    before, elsewhere = content(out), w.dir / "stolen"
    elsewhere.write_bytes(b"secret")
    lies = {
        "404": (lambda h, k, b, x: h.answer(404, k, b, x), IO, "has no such thing"),
        "500": (lambda h, k, b, x: h.answer(500, k, b, x), FAILED, "refuses"),
        "cut": (lambda h, k, b, x: h.answer(200, k, b[:-9], x, len(b)), UNREACHABLE, "cut short"),
        "a page": (lambda h, k, b, x: h.answer(200, "text/html", HTML, x), FAILED, "another type"),
        "empty": (lambda h, k, b, x: h.answer(200, k, b"", x), FAILED, "empty"),
        "redirect to http": (lambda h, k, b, x: h.answer(302, k, b, x | {"Location": g.server.base + "/elsewhere"}), FAILED, "sends elsewhere"),
        "redirect to a file": (lambda h, k, b, x: h.answer(301, k, b"", x | {"Location": f"file://{elsewhere}"}), FAILED, "sends elsewhere"),
        "oversized": (lambda h, k, b, x: h.answer(200, k, b + b" " * (1 << 20), x), FAILED, "more than such an answer"),
        "endless": (lambda h, k, b, x: endless(h), FAILED, "more than such an answer"),
    }
    bad = []
    for path, (kind, body, headers) in g.server.paths.items():
        for name, (lie, code, says) in lies.items():
            g.server.lies = {path: lambda h, lie=lie: lie(h, kind, body, headers)}
            g.server.asked = []
            done = g.get(folder, expected, out)
            if done.returncode != code or says not in done.stderr or content(out) != before or "/elsewhere" in g.server.asked:
                bad.append((path, name, done))
    g.server.lies = {}
    left = [p.name for p in w.dir.iterdir() if p.name.startswith("kept.")]
    tap.ok(not bad and not left, "no answer, an error, one that is cut, empty, endless, oversized or of another type, and a redirect to a page or a "
           "file are refused on every path, by name, and what was there stays", f"{bad} {left}")


def endless(h):
    h.send_response(200)
    h.send_header("Content-Type", "application/json")
    h.send_header("Connection", "close")
    h.end_headers()
    h.close_connection = True
    try:
        for _ in range(100):
            h.wfile.write(b" " * 65536)
    except OSError:
        pass


def flipped(b, at):
    return b[:at] + bytes([b[at] ^ 1]) + b[at + 1:]


def forged(w, tap, g, folder, expected, others):
    """What is not the maker's, not of this platform or not of this time is never written."""
    honest = paths_of(g, folder)
    out, bad = w.dir / "unwritten", []
    for path, (kind, body, headers) in honest.items():
        for where in (len(body) // 3, len(body) // 2, len(body) - 30):
            is_hex = kind == "text/plain"
            changed = flipped(bytes.fromhex(body.decode()), where // 2).hex().encode() if is_hex else flipped(body, where)
            g.server.paths = honest | {path: (kind, changed, headers)}
            done = g.get(folder, expected, out)
            if done.returncode not in (FAILED, NOT_GENUINE) or out.exists():
                bad.append((path, where, done))
        for name, value in headers.items():
            g.server.paths = honest | {path: (kind, body, {name: value.replace("MI", "MJ", 1)})}
            done = g.get(folder, expected, out)
            if done.returncode != NOT_GENUINE or out.exists():
                bad.append((path, name, done))
    tap.ok(not bad, "a byte of collateral that is not the maker's keeps all of it from being written", bad)
    g.server.paths = honest
    late = [w.cli("auditor", "--json", "collateral", "get", g.alone(folder), out, "--from", g.server.base, "--at", evidence.at(expected, days),
                  check=False) for days in (-400, 400)]
    bad = [done for done in late if done.returncode != NOT_GENUINE or out.exists()]
    for other, _ in others:
        done = g.get(folder, expected, out, source=other)
        if done.returncode != NOT_GENUINE or out.exists():
            bad.append((other.name, done))
    tap.ok(not bad, "nor is collateral of another time, or of another platform", bad)


def placed(w, tap, g, folder, expected):
    """The folder is replaced as a whole, and only if it holds nothing else."""
    g.server.paths = paths_of(g, folder)
    mine = w.dir / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    (mine / "tcb_info.json").write_text("old")
    before = content(mine)
    done = g.get(folder, expected, mine)
    (w.dir / "no").write_text("a file")
    codes = [g.get(folder, expected, w.dir / "no").returncode, g.get(folder, expected, w.dir / "none/such").returncode]
    tap.ok(done.returncode == FAILED and "other things" in done.stderr and content(mine) == before and codes == [IO, IO],
           "a folder with other things in it is left alone, and so is what is no folder", f"{done} {codes}")
    part = w.dir / "part"
    part.mkdir()
    (part / "tcb_info.json").write_text("old")
    words = [w.build / "mesatee", "--home", w.dir / "auditor", "collateral", "get", g.alone(folder), part, "--from", g.server.base, "--at",
             evidence.at(expected)]
    bad = []
    for call in ("fsync", "rename", "renameat2"):
        for when in range(1, 12):
            subprocess.run(["strace", "-qq", "-e", f"trace={call}", "-e", f"inject={call}:error=ENOSPC:when={when}", "-o", "/dev/null", *map(str, words)],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            now = content(part)
            if now == {"tcb_info.json": b"old"}:
                continue
            if set(now) != {p.name for p in folder.iterdir() if p.name not in ("quote.bin", "expected.json")}:
                bad.append((call, when, sorted(now)))
            for p in part.iterdir():
                p.unlink()
            (part / "tcb_info.json").write_text("old")
    left = [p.name for p in w.dir.iterdir() if p.name.startswith("part.")]
    tap.ok(not bad and not left, "a disk that fails at any call leaves the old folder or the new one, and nothing beside it", f"{bad} {left}")


def checked(w, tap, g, folder, expected, amd):
    out = w.dir / "kept"
    words = ["--json", "collateral", "check", g.alone(folder), "--collateral", out, "--at"]
    good = w.cli("auditor", *words, evidence.at(expected), check=False)
    answer = json.loads(good.stdout)
    untils = [p["until"] for p in answer["parts"]]
    shown = json.loads(w.cli("auditor", "--json", "collateral", "show", out).stdout)
    tap.ok(good.returncode == DONE and answer["verified"] and answer["first_to_expire"]["until"] == min(untils) and len(untils) == 6
           and not shown["verified"] and shown["parts"] == answer["parts"] and "FMSPC" in shown["parts"][0]["about"],
           "check verifies all of it and names what expires first; show says the same and verifies nothing", f"{good} {shown}")
    later = w.cli("auditor", *words, "2049-01-01T00:00:00Z", check=False)
    plain = w.cli("auditor", *words[1:], "2049-01-01T00:00:00Z", check=False)
    (out / "pck_crl.der").unlink()
    missing = w.cli("auditor", *words, evidence.at(expected), check=False)
    rules = [json.loads(d.stdout)["failed"][-1]["rule"] for d in (later, missing)]
    tap.ok(later.returncode == missing.returncode == NOT_GENUINE
           and rules[0] in ("crl-expired", "certificate-expired", "tcb-info-date") and rules[1] == "crl-missing"
           and "and has; fetch all of it again" in plain.stdout and "mend:" in plain.stderr,
           "what has expired and what is missing is 3, with the rule and its mend", f"{later} {missing} {plain}")
    snp = [w.cli("auditor", "collateral", "check", amd[0], "--at", evidence.at(amd[1], days), check=False).returncode for days in (0, 9000)]
    nothing = [w.cli("auditor", "collateral", *verb, check=False).returncode for verb in
               (["show", w.dir / "nowhere"], ["show", w.dir / "mine/none"], ["check", w.dir / "nowhere"], ["check", g.alone(folder), "--at", "noon"])]
    tap.ok(snp == [DONE, NOT_GENUINE] and nothing == [IO, IO, IO, USAGE], "an SNP certificate is checked for its report; what is not there is 74", f"{snp} {nothing}")


def unreachable(w, tap, g, folder, expected):
    with socket.socket() as kept:  # so that nobody else gets the port, and listens
        kept.bind(("127.0.0.1", 0))
        done = g.get(folder, expected, w.dir / "gone", source=f"http://127.0.0.1:{kept.getsockname()[1]}")
    words = [w.build / "mesatee", "--home", w.dir / "auditor", "collateral", "get", g.alone(folder), w.dir / "gone", "--from", g.server.base]
    lone = subprocess.run([str(x) for x in words], env={"PATH": "/nowhere"}, text=True, capture_output=True)
    bad = [g.get(folder, expected, w.dir / "gone", source=source).returncode for source in ("http://a b", "https://x/?q", "ftp://127.0.0.1", "file:///etc")]
    tap.ok(done.returncode == UNREACHABLE and lone.returncode == IO and "curl is not on this machine" in lone.stderr and "--from FOLDER" in lone.stderr
           and bad == [USAGE, USAGE, IO, IO] and not (w.dir / "gone").exists(),
           "a server that is not there is 69, a machine without curl 74 with the way around it, and no other kind of address is taken",
           f"{done} {lone} {bad}")


def test(w, tap):
    w.identity("auditor")
    sets = [s for s in evidence.sets() if s[0].name != "tdx"]  # of Azure; its lists lie with the other TDs
    server = Server()
    g = Getter(w, server)
    try:
        folder, expected = next(s for s in sets if s[0].name == "tdx_v4_uptodate")
        fetched(w, tap, g, [s for s in sets if g.said(s[0])["says"]["fields"].get("signing_key") != "VLEK"])
        refused(w, tap, g, folder, expected)
        others = [s for s in sets if s[0].name in ("sgx_v3_processor", "tdx_v4_gcp", "milan_v3")]
        forged(w, tap, g, folder, expected, others)
        placed(w, tap, g, folder, expected)
        checked(w, tap, g, folder, expected, next(s for s in sets if s[0].name == "milan_v3"))
        unreachable(w, tap, g, folder, expected)
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(the_world.main(test))
