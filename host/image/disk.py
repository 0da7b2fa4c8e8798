"""A disk with one EFI system partition (GPT, FAT16) that holds one program, as a function of that program."""
import struct
import uuid
import zlib

SECTOR, FIRST, ENTRIES = 512, 2048, 128
CLUSTER = 8  # sectors
ROOT_ENTRIES, RESERVED = 512, 1
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
DISK, PARTITION = uuid.UUID(int=0x6d65736174656501 << 64 | 1), uuid.UUID(int=0x6d65736174656501 << 64 | 2)
MIDNIGHT = struct.pack("<HH", 0, 0x21)  # 1980-01-01, the first that there is


def directory_entry(name, attribute, cluster, size):
    return name.ljust(11) + bytes([attribute, 0, 0]) + MIDNIGHT + MIDNIGHT[2:] + b"\0\0" + MIDNIGHT + struct.pack("<HI", cluster, size)


def folder(cluster, parent, entry):
    dots = directory_entry(b".", 0x10, cluster, 0) + directory_entry(b"..", 0x10, parent, 0)
    return (dots + entry).ljust(CLUSTER * SECTOR, b"\0")


def fat(program):
    """EFI/BOOT/BOOTX64.EFI, which every firmware looks for."""
    size = CLUSTER * SECTOR
    used = 2 + -(-len(program) // size)
    clusters = max(used, 4200)  # fewer would be another kind of FAT
    fat_sectors = -(-(clusters + 2) * 2 // SECTOR)
    total = RESERVED + 2 * fat_sectors + ROOT_ENTRIES * 32 // SECTOR + clusters * CLUSTER
    if clusters > 65000:
        raise ValueError("the program is too large for FAT16")
    boot = struct.pack("<3s8sHBHBHHBHHHII", b"\xeb\x3c\x90", b"MESATEE ", SECTOR, CLUSTER, RESERVED, 2, ROOT_ENTRIES, 0,
                       0xf8, fat_sectors, 63, 255, FIRST, total)
    boot += struct.pack("<BBBI11s8s", 0x80, 0, 0x29, 0x4d455341, b"MESATEE    ", b"FAT16   ")
    boot = boot.ljust(510, b"\0") + b"\x55\xaa"
    last = 2 + used - 1
    chain = [0xfff8, 0xffff, 0xffff, 0xffff] + [*range(5, last + 1), 0xffff]
    table = struct.pack(f"<{len(chain)}H", *chain).ljust(fat_sectors * SECTOR, b"\0")
    root = directory_entry(b"EFI", 0x10, 2, 0).ljust(ROOT_ENTRIES * 32, b"\0")
    data = folder(2, 0, directory_entry(b"BOOT", 0x10, 3, 0))
    data += folder(3, 2, directory_entry(b"BOOTX64 EFI", 0x20, 4, len(program))) + program
    return (boot + table * 2 + root + data).ljust(total * SECTOR, b"\0")


def gpt_head(here, there, table_at, table_crc, last):
    head = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, here, there, 34, last, DISK.bytes_le, table_at,
                       ENTRIES, 128, table_crc)
    return (head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]).ljust(SECTOR, b"\0")


def image(program):
    partition = fat(program)
    end = FIRST + len(partition) // SECTOR - 1
    total = end + 1 + 33
    entry = ESP.bytes_le + PARTITION.bytes_le + struct.pack("<QQQ", FIRST, end, 0) + "MesaTEE".encode("utf-16-le").ljust(72, b"\0")
    table = entry.ljust(ENTRIES * 128, b"\0")
    crc = zlib.crc32(table)
    protective = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xee, b"\xff\xff\xff", 1, total - 1)
    mbr = (b"\0" * 446 + protective).ljust(510, b"\0") + b"\x55\xaa"
    front = mbr + gpt_head(1, total - 1, 2, crc, total - 34) + table
    return front.ljust(FIRST * SECTOR, b"\0") + partition + table + gpt_head(total - 1, 1, total - 33, crc, total - 34)
