#!/usr/bin/env python3
"""azure_node.py BUILD: a node in a confidential virtual machine on Azure. swtpm stands for the vTPM, a maker of our own (azure_maker.c)
for AMD and the paravisor; node and client are the programs as they are, but for whose roots they believe (own_amd.c). TAP."""
import os
import shutil
import subprocess

import world
from swtpm import Tpm, host, start

FAILED, REFUSED, NOT_GENUINE = 1, 2, 3
KEY, REPORT = "0x81000003", "0x01400001"


class Machine:
    """A vTPM with the key that a paravisor makes, and what the hardware says of that key."""

    def __init__(self, w, name):
        self.tpm, self.folder = Tpm(is_told=True, is_certified=False), w.dir / name
        self.folder.mkdir()
        self.tpm.start()
        context, key = self.folder / "ak.ctx", self.folder / "ak.der"
        self.tpm.run("tpm2_createprimary", "-Q", "-C", "e", "-G", "rsa2048:rsassa-sha256:null", "-c", context, "-a",
                     "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign")
        self.tpm.run("tpm2_evictcontrol", "-Q", "-C", "o", "-c", context, KEY)
        self.tpm.run("tpm2_flushcontext", "-t")
        self.tpm.run("tpm2_readpublic", "-Q", "-c", KEY, "-f", "der", "-o", key)
        vouch(w, key, self.folder)
        self.collateral = self.folder / "collateral"
        self.collateral.mkdir()
        shutil.copy(self.folder / "vcek.der", self.collateral)
        (self.collateral / "vcek.der").chmod(0o644)

    def keep(self, report):
        """In the vTPM, as a paravisor would: nobody above it can write there. A vTPM has room for 2600 bytes; swtpm has not."""
        content = report.read_bytes()
        self.tpm.run("tpm2_nvdefine", "-Q", "-C", "p", "-s", str(len(content)), "-a", "platformcreate|ppwrite|ppread|ownerread|no_da", REPORT)
        self.tpm.run("tpm2_nvwrite", "-Q", "-C", "p", "-i", report, REPORT)

    def forget(self):
        self.tpm.run("tpm2_nvundefine", "-Q", "-C", "p", REPORT)


def vouch(w, key, folder):
    subprocess.run([w.build / "tests/azure_machine", key, folder], check=True)


def other_report(w):
    """Of another machine, whose vTPM has another key."""
    folder = w.dir / "other"
    folder.mkdir()
    made = subprocess.run(["openssl", "genrsa", "2048"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER", "-out", folder / "ak.der"], input=made, stderr=subprocess.DEVNULL, check=True)
    vouch(w, folder / "ak.der", folder)
    return folder / "hcl_report.bin"


def own_programs(w):
    """In the places of the real ones, which believe AMD alone."""
    real, w.build = w.build, w.dir / "build"
    w.build.mkdir()
    (w.build / "tests").symlink_to(real / "tests")
    for program in ("mesateed", "mesatee"):
        shutil.copy(real / "tests" / f"{program}_own", w.build / program)
    return real


def policy(w, node, name, *words):
    path = w.dir / f"{name}.policy"
    w.cli("admin", "policy", "new", path, "--identity", "admin", "--name", name, "--measurement", node.public["measurement"],
          "--level", "4", *words)
    return path


def add(w, node, context, path):
    return w.cli("admin", "context", "add", context, "--address", f"127.0.0.1:{node.public['port']}", "--identity", "admin", "--policy", path,
                 check=False)


def is_refused(done, code, rule):
    return done.returncode == code and rule in done.stderr


def probe(w, tap, node, mine):
    status, said = node.run_to_end()
    tap.ok(status == 1 and "device-refused" in said, "a TPM that no paravisor keeps is not taken for one", said[-400:])
    mine.keep(other_report(w))
    status, said = node.run_to_end()
    tap.ok(status == 1 and "vouches for another key than this vTPM has" in said, "nor one beside another machine's report", said[-400:])
    mine.forget()
    mine.keep(mine.folder / "hcl_report.bin")


def judge(w, tap, node, mine, real):
    shown, kept = (node.state / "quote.bin").read_bytes(), (mine.folder / "hcl_report.bin").read_bytes()
    tap.ok(shown == kept[32:1216], "the report that a certificate is to be fetched for lies with the node")
    good = policy(w, node, "good", "--kind", "azure", "--machine", node.public["platform"])
    node.join("admin", policy=good)
    status = w.json("admin", "status")
    told = w.cli("admin", "verify").stdout
    tap.ok(status["level"] == 4 and status["hardware_root"] is True and "level 4, hardware_root=true, host_in_tcb=false" in told,
           "the node is level 4: the hardware vouches for the vTPM, and the host is not trusted", f"{status} {told}")
    for name, words, rule in (("kind", ("--kind", "snp", "--kind", "tpm"), "kind-unnamed"),
                              ("machine", ("--kind", "azure", "--machine", "00" * 32), "platform-foreign"),
                              ("version", ("--kind", "azure", "--minimum", "tcb_snp=4"), "minimum-version")):
        done = add(w, node, name, policy(w, node, name, *words))
        tap.ok(is_refused(done, REFUSED, rule), f"a policy that wants another {name} refuses it: {rule}", done.stderr)
    w.build, own = real, w.build
    done = add(w, node, "real", good)
    tap.ok(is_refused(done, NOT_GENUINE, "vek-chain"), "and the program that believes AMD alone refuses the maker: vek-chain", done.stderr)
    w.build = own
    between = host.Host(w.dir / "host")
    kept = between.ask(node.public["port"])
    done = w.cli("admin", "context", "add", "between", "--address", f"127.0.0.1:{between.pose(lambda _: kept)}", "--identity", "admin",
                 "--policy", good, check=False)
    tap.ok(is_refused(done, NOT_GENUINE, "report-data"), "what it showed to somebody else is refused", done.stderr)
    return good


def move(node, state):
    """The same machine, a disk of its own."""
    node.conf.write_text(node.conf.read_text().replace(f"state = {node.state}\n", f"state = {state}\n"))
    node.state = state
    return node


def use(w, tap, node, mine, good):
    (w.dir / "base.csv").write_text("a\n1\n")
    w.cli("admin", "data", "put", "base", w.dir / "base.csv")
    kinds = [slot["kind"] for slot in w.json("admin", "keyslot", "list")["keyslots"]]
    node.stop()
    start(node, mine.tpm).start()
    done = w.cli("admin", "data", "show", "base", check=False)
    tap.ok(done.returncode == 0 and kinds == ["device-tpm"], "data that its vTPM seals is there after it was off", f"{kinds} {done.stderr}")
    node.stop()
    start(node, mine.tpm)
    mine.tpm.run("tpm2_pcrextend", f"11:sha256={'5a' * 32}")
    status, said = node.run_to_end()
    tap.ok(status == 1 and "measured otherwise" in said, "another image does not open it", said[-400:])
    node.conf.write_text(node.conf.read_text().replace("root_key = device\n", "").replace(str(w.dir / "nowhere"), str(w.keyfile)))
    move(node, w.dir / "next").start()
    done = add(w, node, "next", good)
    tap.ok(is_refused(done, REFUSED, "measurement-unknown"), "nor is it taken for the one that was measured", done.stderr)
    node.stop()


def without_certificate(w, tap, node, mine):
    start(node, mine.tpm)
    node.conf.write_text("".join(line for line in node.conf.read_text().splitlines(True) if not line.startswith("collateral =")))
    move(node, w.dir / "bare").start()
    done = add(w, node, "bare", policy(w, node, "bare", "--kind", "azure"))
    tap.ok(is_refused(done, FAILED, "vek-format"), "a node that was not given its chip's certificate is refused, by that name", done.stderr)
    node.stop()


def run(w, tap):
    if any(shutil.which(p) is None for p in ("swtpm", "swtpm_setup", "tpm2_nvdefine")):
        tap.skip("a node on Azure", "swtpm or tpm2-tools is not installed")
        return
    mine = Machine(w, "mine")
    try:
        os.chdir(mine.folder)
        real = own_programs(w)
        node = world.Node(w, device="auto", root_key="device", keyfile=w.dir / "nowhere", collateral=mine.collateral,
                          tpm=f"swtpm:path={mine.tpm.dir}/tpm")
        probe(w, tap, node, mine)
        node.start()
        good = judge(w, tap, node, mine, real)
        use(w, tap, node, mine, good)
        without_certificate(w, tap, node, mine)
    finally:
        mine.tpm.close()


if __name__ == "__main__":
    world.main(run)
