#!/usr/bin/env python3
"""The measured machine, booted: boot.py BUILD PROBE. What its TPM then holds is what tools/measure.py said before; power is
switched off and on; its image is a function of its parts; and PROBE, in the place of mesateed, tells what the one service of it sees.
Reports in TAP. `make image` comes first."""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT, BUILD = pathlib.Path(__file__).resolve().parents[2], pathlib.Path(sys.argv[1]).resolve()
PROBE, IMAGE = pathlib.Path(sys.argv[2]).resolve(), BUILD / "image"
sys.path[:0] = [str(ROOT / "tools/measuring"), str(ROOT / "tests/vm")]
import machine  # noqa: E402
import pcrs  # noqa: E402

CONFIGURATION = b"listen = 0.0.0.0:7700\nstate = /data/state\ndevice = tpm\nroot_key = device\n"


def boots(work, image):
    """(console, what was extended) of the first and the second start of one machine."""
    machine.make_tpm(work / "tpm")
    machine.make_data_disk(work / "data.img", {"mesateed.conf": CONFIGURATION})
    m = machine.Machine(work / "machine", image, work / "data.img", work / "tpm")
    for _ in range(2):
        try:
            m.start()
            m.wait_for('"event":"ready"')
            m.press_power()
        finally:
            m.kill()
        yield m.said(), m.extended()


def build(programs, out):
    """As somebody with other habits would."""
    out.mkdir(parents=True)
    (out / "kernel").symlink_to(IMAGE / "kernel")
    arguments = [w for w in (IMAGE / "cmdline").read_text().split() if w.startswith("mesatee.")]
    subprocess.run([ROOT / "host/image/build.py", programs, out, *arguments], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C"}, umask=0o077)
    return out


def probed(work):
    """{name: value} of what the probe told, the machine, and the image that it was in."""
    programs = work / "programs"
    programs.mkdir()
    shutil.copyfile(PROBE, programs / "mesateed")
    shutil.copyfile(BUILD / "mesatee-init", programs / "mesatee-init")
    for program in programs.iterdir():
        program.chmod(0o755)
    image = build(programs, work / "probe")
    machine.make_data_disk(work / "probe.img", {})
    m = machine.Machine(work / "probed", image / "mesatee.img", work / "probe.img", work / "tpm")
    try:
        m.start()
        m.wait_for_end()
    finally:
        m.kill()
    return dict(re.findall(r"^probe (\S+) (.*)$", m.said(), re.M)), image


def text(told, name):
    return bytes.fromhex(told[name]).decode()


def is_quoted(told, values):
    """The PCRs that the TPM signed are those values, and what it signed is about the 64 bytes that it was asked for."""
    quote, held = bytes.fromhex(told["quote"]), bytes.fromhex(told["pcrs"])
    order = [n for n in range(16) if n != 10]  # spec: all but that of IMA
    shown = {n: held[32 * i:32 * i + 32] for i, n in enumerate(order)}
    about = hashlib.sha256(bytes([1, 2, 3]).ljust(64, b"\0")).digest()
    return {n: shown[n] for n in values} == values and about in quote and quote.endswith(hashlib.sha256(held).digest())


def check(number, sentence, holds, why=""):
    print(f"{'ok' if holds else 'not ok'} {number} - {sentence}", flush=True)
    if not holds:
        print("".join(f"# {line}\n" for line in why.splitlines()), end="")
    return holds


def main():
    why = machine.missing() or (None if (IMAGE / "mesatee.efi").exists() else "there is no image: make image")
    if why:
        print(f"1..0 # skip {why}")
        return 0
    print("1..10", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        again = build(BUILD, work / "some/other/place")
        names = ["mesatee.efi", "mesatee.img", "initrd", "cmdline", "vmlinuz"]
        differ = [n for n in names if (again / n).read_bytes() != (IMAGE / n).read_bytes()]
        good = [check(1, "two builds give one image", not differ, " ".join(differ))]
        computed = pcrs.events((IMAGE / "mesatee.efi").read_bytes(), machine.FIRMWARE.read_bytes(), machine.MEMORY_MIB, machine.CPUS)
        want = pcrs.values(computed)
        (first, by_first), (second, by_second) = boots(work, IMAGE / "mesatee.img")
        got = pcrs.values(by_first)
        good.append(check(2, "the TPM holds what was computed without booting", got == want,
                          "\n".join(f"{n}: {want[n].hex()}, was {got[n].hex()}" for n in want if got[n] != want[n])))
        good.append(check(3, "a second boot is the same measurement", pcrs.values(by_second) == want))
        good.append(check(4, "the power button ends the node before the machine", '"event":"ended"' in first and
                          "Power down" in first, first[-1000:]))
        good.append(check(5, "and its disk, on which no key file lies, opens with its TPM when it starts again", '"event":"root-key-made"' in first and
                          '"event":"root-key-made"' not in second, second[-1000:]))
        told, image = probed(work)
        computed = pcrs.events((image / "mesatee.efi").read_bytes(), machine.FIRMWARE.read_bytes(), machine.MEMORY_MIB, machine.CPUS)
        good.append(check(6, "the one service runs beside init and nothing else, as a user of its own",
                          (told["user"], told["processes"]) == ("990", "2"), str(told)[:2000]))
        good.append(check(7, "nothing listens but what the service opens",
                          [len(text(told, name).splitlines()) for name in ("tcp", "udp", "unix")] == [1, 1, 1], str(told)[:2000]))
        good.append(check(8, "the kernel is locked and takes no module",
                          "[confidentiality]" in text(told, "lockdown") and text(told, "modules_disabled") == "1\n"))
        good.append(check(9, "it writes on its data disk and nowhere else",
                          [told[name] for name in ("data", "root", "disk", "memory")] == ["1", "0", "0", "0"],
                          str([told[name] for name in ("data", "root", "disk", "memory")])))
        good.append(check(10, "it has the TPM: a quote of what was computed, its log, endorsement and counter",
                          told["tpm"] == "told" and is_quoted(told, pcrs.values(computed)) and len(told["log"]) > 2000 and
                          told["endorsement"].startswith("3082") and int(told["counter"]) > 0, told["tpm"]))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
