"""What a TPM holds after OVMF, systemd's stub and the kernel have started an image: SHA-256 bank, no Secure Boot."""
import hashlib
import struct
import uuid

import firmware
import pe

MEASURED = (0, 2, 4, 7, 9, 11, 12, 13)  # spec/evidence-tpm.md
GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
SECURITY = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
# Of a firmware without keys.
VARIABLES = [(GLOBAL, "SecureBoot", b"\0"), (GLOBAL, "PK", b""), (GLOBAL, "KEK", b""), (SECURITY, "db", b""), (SECURITY, "dbx", b"")]
SEPARATOR = bytes(4)
VERSION = b"\0\0"  # Debian's OVMF gives itself none
BOOT = b"Calling EFI Application from Boot Option"
STUB_ORDER = (".linux", ".osrel", ".cmdline", ".initrd")  # in which the stub measures, whatever stands in the file


def sha256(data):
    return hashlib.sha256(data).digest()


def variable(guid, name, value):
    return guid.bytes_le + struct.pack("<QQ", len(name), len(value)) + name.encode("utf-16-le") + value


def events(image, code, memory_mib, cpus):
    """[(PCR, digest, what it is)] in the order of the boot."""
    uki = pe.Program(image)
    cmdline = uki.section(".cmdline").rstrip(b"\0").decode()
    out = [(0, sha256(VERSION), "version of the firmware")]
    out += [(0, sha256(volume), f"firmware volume of {len(volume)} bytes") for volume in firmware.measured_volumes(code, memory_mib, cpus)]
    out += [(7, sha256(variable(*v)), f"variable {v[1]}") for v in VARIABLES]
    out += [(7, sha256(SEPARATOR), "separator")]
    out += [(4, sha256(BOOT), "boot from a disk")]
    out += [(n, sha256(SEPARATOR), "separator") for n in (0, 2, 4)]
    out += [(4, uki.authenticode(), "the image")]
    for name in STUB_ORDER:
        out += [(11, sha256(name.encode() + b"\0"), name), (11, sha256(uki.section(name)), f"content of {name}")]
    out += [(4, pe.Program(uki.section(".linux")).authenticode(), "the kernel in the image")]
    out += [(9, sha256(cmdline.encode("utf-16-le") + b"\0\0"), "command line")]
    out += [(9, sha256(uki.section(".initrd")), "initramfs")]
    return out


def values(extended):
    """{PCR: value} of those that count into the measurement, from (PCR, digest, ...) in order."""
    out = {n: bytes(32) for n in MEASURED}
    for n, digest, *_ in extended:
        if n in out:
            out[n] = sha256(out[n] + digest)
    return out


def measurement(of):
    """The claim: spec/evidence-tpm.md."""
    label = b"mesatee-tpm-measurement-v1"
    listed = b"".join(n.to_bytes(4, "big") + value for n, value in sorted(of.items()))
    return sha256(bytes([len(label)]) + label + len(of).to_bytes(4, "big") + listed)
