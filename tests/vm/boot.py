#!/usr/bin/env python3
"""The measured machine, booted: boot.py BUILD. What its TPM then holds is what tools/measure.py said before; power is
switched off and on; and its image is a function of its parts. Reports in TAP. `make image` comes first."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT, BUILD = pathlib.Path(__file__).resolve().parents[2], pathlib.Path(sys.argv[1]).resolve()
IMAGE = BUILD / "image"
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


def built_again(work):
    """Another build, at another path, by somebody with other habits."""
    out = work / "some/other/place"
    shutil.copytree(IMAGE / "kernel", out / "kernel", copy_function=os.link)
    arguments = [w for w in (IMAGE / "cmdline").read_text().split() if w.startswith("mesatee.")]
    subprocess.run([ROOT / "host/image/build.py", BUILD, out, *arguments], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C"}, umask=0o077)
    return out


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
    print("1..5", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        again = built_again(work)
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
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
