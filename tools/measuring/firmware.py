"""OVMF: the firmware volumes that it measures of itself, and its metadata for confidential machines."""
import lzma
import struct
import uuid

LZMA = uuid.UUID("ee4e5898-3914-4259-9d6e-dc7bd79403cf")
GUIDED, VOLUME = 0x02, 0x17


def volume_length(data, at):
    """Of a firmware volume at this place; 0 if there is none."""
    return struct.unpack_from("<Q", data, at + 32)[0] if data[at + 40:at + 44] == b"_FVH" else 0


def files(volume):
    """The content of each file of a volume (PI specification, volume 3)."""
    at, extended = struct.unpack_from("<HxxH", volume, 48)
    if extended:
        at = extended + struct.unpack_from("<I", volume, extended + 16)[0]
    while (at := -(-at // 8) * 8) + 24 <= len(volume):
        size, head = int.from_bytes(volume[at + 20:at + 23], "little"), 24
        if volume[at + 19] & 1:  # a large file
            size, head = struct.unpack_from("<Q", volume, at + 24)[0], 32
        if size in (0, 0xffffff):
            return
        yield volume[at + head:at + size]
        at += size


def sections(data):
    """(type, content with what stands before it) of each section of a file."""
    at = 0
    while (at := -(-at // 4) * 4) + 4 <= len(data):
        size, head = int.from_bytes(data[at:at + 3], "little"), 4
        if size == 0xffffff:
            size, head = struct.unpack_from("<I", data, at + 4)[0], 8
        if size < head:
            return
        yield data[at + 3], data[at + head:at + size]
        at += size


def volumes(code):
    """PEIFV and DXEFV, unpacked, in the order in which the firmware measures them into PCR 0."""
    found = []
    for file in files(code[:volume_length(code, 0)]) if volume_length(code, 0) else []:
        for kind, content in sections(file):
            if kind == GUIDED and content[:16] == LZMA.bytes_le:
                start = struct.unpack_from("<H", content, 16)[0] - 4
                inner = lzma.decompress(content[start:], format=lzma.FORMAT_ALONE)
                found += [c[:volume_length(c, 0)] for k, c in sections(inner) if k == VOLUME]
    if len(found) != 2:
        raise ValueError("not a firmware with two volumes, as OVMF has")
    return found


# What stands before the platform module's variables: the last constant of its own, the GUID of memory type information.
BEFORE = uuid.UUID("4c19049f-4137-4dd3-9c10-8b97a83ffdfa").bytes_le
# EFI_HOB_PLATFORM_INFO (OvmfPkg/Include/Library/PlatformInitLib.h), packed, and the module's few variables behind it.
PLATFORM = struct.Struct("<24x H QB IB BBH Q B II B QQQ II QQ Q III II BB")


def platform_info(memory_mib, cpus):
    """What the module has found out about a q35 machine of QEMU with 40 bits of physical address."""
    if not 64 <= memory_mib <= 24 * 1024 or not 1 <= cpus <= 64:
        raise ValueError("only machines of 64 MiB to 24 GiB and of 1 to 64 processors are known")
    low = memory_mib << 20 if memory_mib < 2816 else 2 << 30
    reserved = (512 << 10) + cpus * (32 << 10)  # for S3: stacks of the processors
    return PLATFORM.pack(0x29c0, 0, 0, 0, 1, 0, 0, 0, 64 << 30, 40, 2 << 30, 0, 0, 0, 0xe0 << 32, 128 << 30, 0xc0000000,
                         0x3c000000, 0x6000, 0xa000, 0, cpus, cpus, 64, low - reserved, reserved, 1, 1)


def measured_volumes(code, memory_mib, cpus):
    """The volumes as they are when they are measured: PEIFV runs where it was unpacked to, and its platform module has
    written down what it found before the module that measures comes."""
    pei, dxe = volumes(code)
    info = platform_info(memory_mib, cpus)
    at = pei.find(BEFORE + bytes(len(info)))
    if at < 0 or pei.find(BEFORE + bytes(len(info)), at + 1) >= 0:
        raise ValueError("not a firmware whose platform module is known")
    at += len(BEFORE)
    return [pei[:at] + info + pei[at + len(info):], dxe]
