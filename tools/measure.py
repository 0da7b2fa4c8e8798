#!/usr/bin/env python3
"""What evidence of the measured machine will say, computed from its files alone, without starting it.

measure.py IMAGE [--firmware OVMF] [--memory MIB] [--cpus N] [--entry NAME | --pcrs]
measure.py IMAGE --snp OVMF [--processor milan|genoa|turin] [--policy N] [--cpus N] [--entry NAME]

IMAGE is the folder that `make image` fills. Level 3: the PCRs of a TPM (SHA-256 bank) after OVMF, systemd's stub and the kernel
have started mesatee.efi on a q35 machine of QEMU, and the measurement that claims and auditors name; `make vm` boots one and
compares. Level 4, with --snp and a firmware that checks kernel, initramfs and command line by their hashes (OvmfPkg/AmdSev; Debian
12 has none): the launch digest of an SEV-SNP guest, computed only. TDX is left out: Debian 12's kernel is no TDX guest.
--entry prints the measurement alone, as `mesatee auditor new --measurement` takes it; --pcrs the values alone, as `mesatee platform
approve` does.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "measuring"))
import pcrs  # noqa: E402
import snp  # noqa: E402


def tpm(a):
    events = pcrs.events((a.image / "mesatee.efi").read_bytes(), a.firmware.read_bytes(), a.memory, a.cpus)
    values = pcrs.values(events)
    lines = ["level 3, TPM: confirmed by booting (make vm)"]
    lines += [f"  event {n:2} {digest.hex()} {what}" for n, digest, what in events]
    lines += [f"  pcr   {n:2} {value.hex()}" for n, value in values.items()]
    if a.pcrs:
        lines = [f"{n} {value.hex()}" for n, value in values.items()]
    return lines, pcrs.measurement(values)


def sev_snp(a):
    parts = [(a.image / name).read_bytes() for name in ("vmlinuz", "initrd", "cmdline")]
    digest = snp.launch_digest(a.snp.read_bytes(), *parts, a.cpus, a.processor)
    lines = ["level 4, SEV-SNP: computed only", f"  launch digest {digest.hex()}", f"  policy {a.policy:#x}"]
    return lines, snp.measurement(digest, a.policy)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("image", type=pathlib.Path)
    p.add_argument("--firmware", type=pathlib.Path, default=pathlib.Path("/usr/share/OVMF/OVMF_CODE_4M.fd"))
    p.add_argument("--memory", type=int, default=768, help="MiB")
    p.add_argument("--cpus", type=int, default=2)
    p.add_argument("--entry", metavar="NAME")
    p.add_argument("--pcrs", action="store_true")
    p.add_argument("--snp", type=pathlib.Path, metavar="OVMF")
    p.add_argument("--processor", choices=sorted(snp.PROCESSORS), default="milan")
    p.add_argument("--policy", type=lambda word: int(word, 0), default=0x30000)
    a = p.parse_args()
    try:
        lines, measurement = sev_snp(a) if a.snp else tpm(a)
    except (OSError, ValueError) as e:
        sys.exit(f"measure.py: {e}")
    lines += [] if a.pcrs else [f"  measurement {measurement.hex()}"]
    print(f"{measurement.hex()}={a.entry}" if a.entry else "\n".join(lines))


if __name__ == "__main__":
    main()
