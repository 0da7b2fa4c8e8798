#!/usr/bin/env python3
"""The measured machine, as a function of its parts: build.py BUILD OUT [ARGUMENT...]

Of BUILD's mesateed and mesatee-init, the kernel in OUT/kernel (kernel.sh) and systemd's stub this makes, in OUT:
mesatee.efi, a unified kernel image, and mesatee.img, a disk that boots it (level 3: TPM); and vmlinuz, initrd and cmdline, the
same parts for a machine that is started from them with their hashes (level 4: SEV-SNP). ARGUMENTs go to the end of the
kernel's command line. Nothing else goes in: no time, no name of this machine, no order of a folder.
"""
import hashlib
import pathlib
import stat
import subprocess
import sys

import cpio
import disk

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tools/measuring"))
import pe  # noqa: E402

STUB = pathlib.Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub")
FOLDERS = ["proc", "sys", "dev", "data"]  # where init mounts
PROGRAM, DATA = stat.S_IFREG | 0o755, stat.S_IFREG | 0o644


def lines(name):
    words = (line.split("#")[0].strip() for line in (HERE / name).read_text().splitlines())
    return [w for w in words if w]


def libraries(program):
    """{path: file} of what the loader maps, and of the loader."""
    out = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    paths = [word for line in out.splitlines() for word in line.split() if word.startswith("/")]
    return {path.lstrip("/"): (PROGRAM, pathlib.Path(path).read_bytes()) for path in paths}


def initramfs(build, kernel):
    files = {"init": (PROGRAM, (build / "mesatee-init").read_bytes()),
             "sbin/mesateed": (PROGRAM, (build / "mesateed").read_bytes())}
    for program in ("mesatee-init", "mesateed"):
        files.update(libraries(build / program))
    for n, name in enumerate(lines("modules.txt")):
        [module] = kernel.glob(f"lib/modules/*/kernel/**/{name}.ko")
        files[f"lib/modules/{n:02}.ko"] = (DATA, module.read_bytes())
    return cpio.archive(FOLDERS, files)


def main(build, out, arguments):
    kernel = out / "kernel"
    [vmlinuz] = kernel.glob("boot/vmlinuz-*")
    parts = {
        "vmlinuz": vmlinuz.read_bytes(),
        "initrd": initramfs(build, kernel),
        "cmdline": " ".join(lines("kernel.txt") + arguments).encode(),
    }
    stub = pe.Program(STUB.read_bytes())
    about = f"ID=mesatee\nNAME=MesaTEE\nBUILD_ID={(kernel / 'package').read_text().split()[1]}\n".encode()
    parts["mesatee.efi"] = stub.with_sections([(".osrel", about), (".cmdline", parts["cmdline"] + b"\0"),
                                               (".initrd", parts["initrd"]), (".linux", parts["vmlinuz"])])
    parts["mesatee.img"] = disk.image(parts["mesatee.efi"])
    for name, content in parts.items():
        (out / name).write_bytes(content)
        print(f"{hashlib.sha256(content).hexdigest()}  {name} ({len(content):,} bytes)")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:])
