#!/usr/bin/env python3
"""What evidence of the measured machine will say, computed from its files alone, without starting it.

measure.py IMAGE [--firmware OVMF] [--memory MIB] [--cpus N] [--entry NAME]

IMAGE is the folder that `make image` fills. Level 3: the PCRs of a TPM (SHA-256 bank) after OVMF, systemd's stub and the kernel
have started mesatee.efi on a q35 machine of QEMU, and the measurement that claims and auditors name; `make vm` boots one and
compares. --entry prints that alone, as `mesatee auditor new --measurement` takes it.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "measuring"))
import pcrs  # noqa: E402


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("image", type=pathlib.Path)
    p.add_argument("--firmware", type=pathlib.Path, default=pathlib.Path("/usr/share/OVMF/OVMF_CODE_4M.fd"))
    p.add_argument("--memory", type=int, default=768, help="MiB")
    p.add_argument("--cpus", type=int, default=2)
    p.add_argument("--entry", metavar="NAME")
    a = p.parse_args()
    events = pcrs.events((a.image / "mesatee.efi").read_bytes(), a.firmware.read_bytes(), a.memory, a.cpus)
    values = pcrs.values(events)
    measurement = pcrs.measurement(values).hex()
    if a.entry:
        print(f"{measurement}={a.entry}")
        return
    print("level 3, TPM: confirmed by booting (make vm)")
    for n, digest, what in events:
        print(f"  event {n:2} {digest.hex()} {what}")
    for n, value in values.items():
        print(f"  pcr   {n:2} {value.hex()}")
    print(f"  measurement {measurement}")


if __name__ == "__main__":
    main()
