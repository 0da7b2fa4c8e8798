"""The launch digest of an SEV-SNP guest that QEMU starts from kernel, initramfs and command line with their hashes.

As AMD has it (56860, SNP_LAUNCH_UPDATE and SNP_LAUNCH_FINISH): each page goes into a chain of SHA-384. Which pages there are, and
where, the firmware says in its metadata; it has to be a build that checks the hashes (OvmfPkg/AmdSev). Computed only: no such
processor has been asked.
"""
import hashlib
import struct
import uuid

PAGE = 4096
FOUR_GIB = 1 << 32
NORMAL, VMSA, ZERO, SECRETS, CPUID = 1, 2, 3, 5, 6
VMSA_AT = 0xfffffffff000
# Sections of the metadata, and the kind of page that each becomes; kernel hashes are a page of their own making.
KINDS = {1: ZERO, 2: SECRETS, 3: CPUID, 4: ZERO}
KERNEL_HASHES = 0x10
PROCESSORS = {"milan": (25, 1, 1), "genoa": (25, 17, 0), "turin": (26, 0, 0)}

FOOTER = uuid.UUID("96b582de-1fb2-45f7-baea-a366c55a082d")
METADATA = uuid.UUID("dc886566-984a-4798-a75e-5585a7bf67cc")
RESET = uuid.UUID("00f771de-1a7e-4fcb-890e-68c77e2fb44e")
HASHES_AT = uuid.UUID("7255371f-3a3b-4b04-927b-1da6efa8d454")
HASHES = uuid.UUID("9438d606-4f22-4cc9-b479-a793d411fd21")
CMDLINE = uuid.UUID("97d02dd8-bd20-4c94-aa78-e7714d36ab2a")
INITRD = uuid.UUID("44baf731-3a2f-4bd7-9af1-41e29169781d")
KERNEL = uuid.UUID("4de79437-abd2-427f-b835-d5b172d2045b")


def table_of(code):
    """{GUID: content} of the table that ends 32 bytes before the firmware does, read from its end."""
    end = len(code) - 32
    length, guid = struct.unpack_from("<H16s", code, end - 18)
    if guid != FOOTER.bytes_le or not 18 <= length <= end:
        raise ValueError("the firmware has no table of GUIDs")
    start, at, out = end - length, end - 18, {}
    while at - 18 >= start:
        length, guid = struct.unpack_from("<H16s", code, at - 18)
        if not 18 <= length <= at - start:
            raise ValueError("the firmware's table of GUIDs is broken")
        out[uuid.UUID(bytes_le=guid)] = code[at - length:at - 18]
        at -= length
    return out


def metadata_of(code, table):
    """[(address, length, kind)]"""
    if METADATA not in table:
        raise ValueError("the firmware was not built for SEV-SNP")
    at = len(code) - struct.unpack_from("<I", table[METADATA])[0]
    signature, _, version, count = struct.unpack_from("<4sIII", code, at)
    if (signature, version) != (b"ASEV", 1):
        raise ValueError("the firmware's metadata is of another version")
    return [struct.unpack_from("<III", code, at + 16 + 12 * n) for n in range(count)]


def hashes_page(table, kernel, initrd, cmdline):
    """What QEMU writes for the firmware to check kernel, initramfs and command line by."""
    if HASHES_AT not in table or struct.unpack_from("<I", table[HASHES_AT])[0] == 0:
        raise ValueError("the firmware does not check kernel, initramfs and command line (OvmfPkg/AmdSev does)")
    entries = [(CMDLINE, cmdline + b"\0"), (INITRD, initrd), (KERNEL, kernel)]
    body = b"".join(guid.bytes_le + struct.pack("<H", 50) + hashlib.sha256(data).digest() for guid, data in entries)
    whole = HASHES.bytes_le + struct.pack("<H", 18 + len(body)) + body
    offset = struct.unpack_from("<I", table[HASHES_AT])[0] % PAGE
    return (b"\0" * offset + whole).ljust(PAGE, b"\0")


def signature_of(family, model, stepping):
    """CPUID 1, EAX: what the processor's reset puts into RDX."""
    return (family - 15) << 20 | (model >> 4) << 16 | 15 << 8 | (model & 15) << 4 | stepping


def vmsa_page(eip, signature, features=1):
    """The registers of a processor at reset (AMD64 manual, volume 2, table B-4), as KVM and QEMU set them."""
    page = bytearray(PAGE)
    for at, selector, attributes, base in [
            (0x00, 0, 0x93, 0), (0x10, 0xf000, 0x9b, eip & 0xffff0000), (0x20, 0, 0x93, 0), (0x30, 0, 0x93, 0), (0x40, 0, 0x93, 0),
            (0x50, 0, 0x93, 0), (0x60, 0, 0, 0), (0x70, 0, 0x82, 0), (0x80, 0, 0, 0), (0x90, 0, 0x8b, 0)]:
        struct.pack_into("<HHIQ", page, at, selector, attributes, 0xffff, base)
    for at, value in [(0xd0, 0x1000),        # EFER: SVME
                      (0x148, 0x40),         # CR4: MCE
                      (0x158, 0x10),         # CR0: ET
                      (0x160, 0x400), (0x168, 0xffff0ff0), (0x170, 2), (0x178, eip & 0xffff),  # DR7, DR6, RFLAGS, RIP
                      (0x268, 0x7040600070406),  # PAT
                      (0x310, signature),    # RDX
                      (0x3b0, features), (0x3e8, 1)]:  # SEV features: SNP; XCR0
        struct.pack_into("<Q", page, at, value)
    struct.pack_into("<I", page, 0x408, 0x1f80)  # MXCSR
    struct.pack_into("<H", page, 0x410, 0x37f)   # FCW
    return bytes(page)


def launch_digest(code, kernel, initrd, cmdline, cpus, processor):
    digest = bytes(48)

    def add(kind, address, content=None):
        nonlocal digest
        of_page = hashlib.sha384(content).digest() if content is not None else bytes(48)
        digest = hashlib.sha384(digest + of_page + struct.pack("<HBBBBBBQ", 0x70, kind, 0, 0, 0, 0, 0, address)).digest()

    table = table_of(code)
    for at in range(0, len(code), PAGE):
        add(NORMAL, FOUR_GIB - len(code) + at, code[at:at + PAGE])
    for address, length, kind in metadata_of(code, table):
        if kind == KERNEL_HASHES:
            add(NORMAL, address, hashes_page(table, kernel, initrd, cmdline))
            continue
        for at in range(0, length, PAGE):
            add(KINDS[kind], address + at)
    signature = signature_of(*PROCESSORS[processor])
    for cpu in range(cpus):
        eip = 0xfffffff0 if cpu == 0 else struct.unpack_from("<I", table[RESET])[0]
        add(VMSA, VMSA_AT, vmsa_page(eip, signature))
    return digest


def measurement(digest, policy):
    """The claim: spec/evidence-snp.md."""
    label = b"mesatee-snp-measurement-v1"
    return hashlib.sha256(bytes([len(label)]) + label + digest + struct.pack("<Q", policy)).digest()
