"""UEFI programs (PE/COFF): sections added, sections read, and the hash that firmware measures."""
import hashlib
import struct

SECTION = struct.Struct("<8sIIIIIIHHI")
READ_DATA = 0x40000040
PAGE = 4096


class Program:
    def __init__(self, data):
        self.data = bytes(data)
        pe = struct.unpack_from("<I", data, 0x3c)[0]
        if data[pe:pe + 4] != b"PE\0\0":
            raise ValueError("not a UEFI program")
        self.count, optional = struct.unpack_from("<H12xH", data, pe + 6)
        self.optional, self.count_at = pe + 24, pe + 6
        if struct.unpack_from("<H", data, self.optional)[0] != 0x20b:
            raise ValueError("not a 64-bit UEFI program")
        self.table = self.optional + optional
        self.image_size, self.head_size = struct.unpack_from("<II", data, self.optional + 56)
        self.sections = [SECTION.unpack_from(data, self.table + SECTION.size * n) for n in range(self.count)]

    def section(self, name):
        """Its content, as it stands in memory."""
        for s in self.sections:
            if s[0].rstrip(b"\0") == name.encode():
                return self.data[s[4]:s[4] + min(s[1], s[3])].ljust(s[1], b"\0")
        return None

    def with_sections(self, added):
        """The program with (name, content) appended, page by page in memory."""
        data, address = bytearray(self.data), self.image_size
        at = self.table + SECTION.size * self.count
        if at + SECTION.size * len(added) > self.head_size:
            raise ValueError("no room for more sections")
        file_alignment = struct.unpack_from("<I", data, self.optional + 36)[0]
        for name, content in added:
            address = -(-address // PAGE) * PAGE
            data += b"\0" * (-len(data) % file_alignment)
            raw = -(-len(content) // file_alignment) * file_alignment
            SECTION.pack_into(data, at, name.encode(), len(content), address, raw, len(data), 0, 0, 0, 0, READ_DATA)
            data += content.ljust(raw, b"\0")
            address, at = address + len(content), at + SECTION.size
        struct.pack_into("<H", data, self.count_at, self.count + len(added))
        struct.pack_into("<I", data, self.optional + 56, -(-address // PAGE) * PAGE)
        struct.pack_into("<I", data, self.optional + 64, 0)  # the checksum, which nobody reads
        return bytes(data)

    def authenticode(self):
        """SHA-256 of "Windows Authenticode Portable Executable Signature Format": all but checksum and signatures."""
        certificates = self.optional + 112 + 4 * 8
        h = hashlib.sha256()
        h.update(self.data[:self.optional + 64])
        h.update(self.data[self.optional + 68:certificates])
        h.update(self.data[certificates + 8:self.head_size])
        end = self.head_size
        for s in sorted((s for s in self.sections if s[3]), key=lambda s: s[4]):
            h.update(self.data[s[4]:s[4] + s[3]])
            end += s[3]
        signatures = struct.unpack_from("<I", self.data, certificates + 4)[0]
        h.update(self.data[end:len(self.data) - signatures])
        return h.digest()
