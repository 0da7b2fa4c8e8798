#!/usr/bin/env python3
"""tools/measuring and host/image on small parts of their own making; the real ones are booted by tests/vm. Reports in TAP. The
argument is the source root.

The launch digests are what sev-snp-measure 0.0.13 (github.com/virtee/sev-snp-measure, Apache-2.0) computed for the firmware below.
"""
import stat
import struct
import sys

from cases import ROOT, report, sentences

sys.path[:0] = [str(ROOT / "tools/measuring"), str(ROOT / "host/image")]
import cpio  # noqa: E402
import disk  # noqa: E402
import firmware  # noqa: E402
import pe  # noqa: E402
import pcrs  # noqa: E402
import snp  # noqa: E402

PARTS = b"kernel" * 1000, b"initramfs" * 2000, b"quiet panic=-1"
DIGESTS = {
    ("milan", 1): "c51a8b09e14e9f45356ae086e4051dbd43a8f9ec598dd3315b84a5d74bf0cd0cc8aa676d037c11639d6722ab3408ada9",
    ("milan", 4): "9cf3bb091eb61b32b2e9c077c08083775022c6ef80e037985a54b3a4ecac64baf27ff270333f7d538c068532c1f53e5e",
    ("genoa", 1): "27c41cd1497e254d0fb51602ce621e83950f7cdc2eb9f6732ae2b4765ae8debd730718b9459d7a2c4abdbbc5adf6ea0f",
    ("genoa", 4): "abdc76151a84fea49d563c4a3a035ec5dcd06deb9f6964b8b945b5f1a51a98f088e6f666b72e8aa01a06067f31929c30",
    ("turin", 1): "f13438399df78dd9c888a0d53fc0a9cf1b62acfd54a292313d3708d52bcd34fbab7f677641924553c87d3d82f83ff130",
    ("turin", 4): "b6ae449cbd98aad8a7277e387ce6789cbb2975d09433c09426a8a0589033deb324473dc4a804d8a2e9a32a2087296c2e",
}


def snp_firmware(checks_hashes=True):
    """64 KiB with the table and the metadata of OvmfPkg/AmdSev, and a pattern for code."""
    size, at = 64 * 1024, 0x8000
    code = bytearray((7 * n + n // 256) & 0xff for n in range(size))
    sections = [(0x800000, 0x9000, 1), (0x80a000, 0x3000, 1), (0x80d000, 0x1000, 2), (0x80e000, 0x1000, 3),
                (0x80f000, 0x1000, 4), (0x810000, 0x1000, 0x10), (0x811000, 0xf000, 1)]
    metadata = struct.pack("<4sIII", b"ASEV", 16 + 12 * len(sections), 1, len(sections))
    metadata += b"".join(struct.pack("<III", *s) for s in sections)
    code[at:at + len(metadata)] = metadata
    hashes = 0x810c00 if checks_hashes else 0
    entries = [(snp.METADATA, struct.pack("<I", size - at)), (snp.HASHES_AT, struct.pack("<II", hashes, 0x400)),
               (snp.RESET, struct.pack("<I", 0x80b004))]
    table = b"".join(data + struct.pack("<H", 18 + len(data)) + guid.bytes_le for guid, data in entries)
    table += struct.pack("<H", 18 + len(table)) + snp.FOOTER.bytes_le
    code[size - 32 - len(table):size - 32] = table
    return bytes(code)


def small_program():
    """A UEFI program of a head and one section."""
    optional = bytearray(240)
    struct.pack_into("<H", optional, 0, 0x20b)
    struct.pack_into("<II", optional, 32, 512, 512)
    struct.pack_into("<III", optional, 56, 0x2000, 0x400, 0x1234)
    struct.pack_into("<I", optional, 108, 16)
    head = b"MZ".ljust(0x3c, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x206)
    head += bytes(optional) + pe.SECTION.pack(b".text", 512, 0x1000, 512, 0x400, 0, 0, 0, 0, 0x60000020)
    return head.ljust(0x400, b"\0") + b"\xc3" * 512


def refuses(function, *arguments):
    try:
        function(*arguments)
    except ValueError:
        return True
    return False


def launch_digests_are_those_of_the_reference():
    code = snp_firmware()
    for (processor, cpus), want in DIGESTS.items():
        assert snp.launch_digest(code, *PARTS, cpus, processor).hex() == want, (processor, cpus)


def a_launch_digest_tells_every_part():
    code = snp_firmware()
    changed = [snp.launch_digest(code, *(p + b"x" * (i == n) for i, p in enumerate(PARTS)), 1, "milan") for n in range(3)]
    changed.append(snp.launch_digest(b"x" + code[1:], *PARTS, 1, "milan"))
    assert len({*changed, bytes.fromhex(DIGESTS["milan", 1])}) == 5


def a_firmware_that_checks_no_hashes_is_refused():
    assert refuses(snp.launch_digest, snp_firmware(False), *PARTS, 1, "milan")
    assert refuses(snp.launch_digest, bytes(64 * 1024), *PARTS, 1, "milan")


def sections_of_a_program_are_read_as_they_were_added():
    sections = [(".one", b"1" * 700), (".two", b""), (".three", b"3")]
    whole = pe.Program(pe.Program(small_program()).with_sections(sections))
    assert [whole.section(name) for name, _ in sections] == [content for _, content in sections]
    assert whole.section(".four") is None and whole.section(".text") == b"\xc3" * 512
    addresses = [(s[2], s[2] + s[1]) for s in whole.sections]
    assert all(a[1] <= b[0] for a, b in zip(addresses, addresses[1:])), addresses
    assert refuses(pe.Program(small_program()).with_sections, [(".s", b"")] * 20)


def the_hash_of_a_program_covers_all_but_checksum_and_signatures():
    data = small_program()
    optional = pe.Program(data).optional
    passed = {*range(optional + 64, optional + 68), *range(optional + 144, optional + 152)}
    same = {n for n in range(len(data)) if n not in passed and n > optional + 152 and
            pe.Program(data[:n] + bytes([data[n] ^ 1]) + data[n + 1:]).authenticode() == pe.Program(data).authenticode()}
    assert not same, sorted(same)[:9]
    n = optional + 65
    assert pe.Program(data[:n] + b"x" + data[n + 1:]).authenticode() == pe.Program(data).authenticode()


def an_initramfs_does_not_know_the_order_of_its_files():
    file = stat.S_IFREG | 0o644
    one = cpio.archive(["proc", "sys"], {"a/b/c": (file, b"1"), "a/d": (file, b"22")})
    assert one == cpio.archive(["sys", "proc"], {"a/d": (file, b"22"), "a/b/c": (file, b"1")})
    names = b"a", b"a/b", b"a/b/c", b"a/d", b"proc", b"sys", b"TRAILER!!!"
    at = [one.index(n + b"\0") for n in names]
    assert at == sorted(at) and len(one) % 512 == 0


def a_disk_holds_the_program_in_one_piece():
    program = bytes(range(256)) * 100
    whole = disk.image(program)
    assert whole == disk.image(program) and program in whole
    assert whole[512:520] == b"EFI PART" == whole[-512:-504] and whole[510:512] == b"\x55\xaa"
    assert refuses(disk.image, bytes(300 << 20))


def a_register_tells_its_events_and_their_order():
    events = [(4, b"a" * 32), (4, b"b" * 32), (9, b"c" * 32), (1, b"d" * 32)]
    values = pcrs.values(events)
    assert sorted(values) == list(pcrs.MEASURED) and values[2] == bytes(32)
    assert pcrs.values(events[1::-1])[4] != values[4] == pcrs.sha256(pcrs.sha256(bytes(32) + b"a" * 32) + b"b" * 32)
    assert pcrs.measurement(values) != pcrs.measurement({**values, 13: b"x" * 32})


def a_machine_that_is_not_known_is_refused():
    assert refuses(firmware.platform_info, 32 << 10, 2) and refuses(firmware.platform_info, 768, 0)
    assert refuses(firmware.volumes, bytes(1 << 16))


if __name__ == "__main__":
    sys.exit(report(sentences(
        launch_digests_are_those_of_the_reference, a_launch_digest_tells_every_part, a_firmware_that_checks_no_hashes_is_refused,
        sections_of_a_program_are_read_as_they_were_added, the_hash_of_a_program_covers_all_but_checksum_and_signatures,
        an_initramfs_does_not_know_the_order_of_its_files, a_disk_holds_the_program_in_one_piece,
        a_register_tells_its_events_and_their_order, a_machine_that_is_not_known_is_refused)))
