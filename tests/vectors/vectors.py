# SPDX-FileCopyrightText: The MesaTEE authors
# SPDX-License-Identifier: Apache-2.0
"""What the programs beside this one share: an encoder that knows nothing of ours, and where vectors must stand.

A program defines messages by their meaning and calls run(). With --check ROOT it compares what it makes with the C
header beside it, with the hexadecimal blocks in spec/ and with the committed corpora; with --write ROOT it writes
header and corpora (the pages are written by hand).
"""
import pathlib
import re
import sys


class Tag:
    def __init__(self, number, value):
        self.number, self.value = number, value


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 1 << 8 * size:
            return bytes([major << 5 | info]) + n.to_bytes(size, "big")
    raise ValueError(n)


def cbor(v):
    """RFC 8949, 4.2.1: shortest heads, definite lengths, keys in bytewise order of their encoding."""
    if v is None or isinstance(v, bool):
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[v]
    if isinstance(v, int):
        return head(0, v) if v >= 0 else head(1, -1 - v)
    if isinstance(v, bytes):
        return head(2, len(v)) + v
    if isinstance(v, str):
        return head(3, len(v.encode())) + v.encode()
    if isinstance(v, list):
        return head(4, len(v)) + b"".join(cbor(i) for i in v)
    if isinstance(v, dict):
        members = sorted((cbor(k), cbor(i)) for k, i in v.items())
        return head(5, len(members)) + b"".join(k + i for k, i in members)
    if isinstance(v, Tag):
        return head(6, v.number) + cbor(v.value)
    raise TypeError(type(v))


def c_header(name, program, vectors):
    guard = f"MT_VECTORS_{name.upper()}_H"
    out = ["/* SPDX-FileCopyrightText: The MesaTEE authors */", "/* SPDX-License-Identifier: Apache-2.0 */",
           f"#ifndef {guard}", f"#define {guard}", "",
           f"/* Made by tests/vectors/{program}, which shares nothing with lib/: hexadecimal. */", "",
           "/* clang-format off */"]
    if any(len(v.hex()) > 4095 for v in vectors.values()):
        out.append('#pragma GCC diagnostic ignored "-Woverlength-strings" /* C promises 4095; both compilers take more */')
    for key, value in vectors.items():
        digits = value.hex()
        lines = [digits[i:i + 80] for i in range(0, len(digits), 80)]
        out.append(f"#define MT_VECTOR_{key.upper()} \\")
        out += [f'    "{line}"' + (" \\" if line is not lines[-1] else "") for line in lines]
    return "\n".join(out + ["/* clang-format on */", "", "#endif", ""])


def shown(page):
    """The hexadecimal blocks of a page: lines indented by four blanks that hold nothing but digits."""
    blocks, block = set(), ""
    for line in page.splitlines() + [""]:
        m = re.fullmatch(r"    ([0-9a-f]+)", line)
        blocks, block = (blocks, block + m[1]) if m else (blocks | {block}, "")
    return blocks


def faults(root, header, text, pages, corpora):
    if (root / header).read_text() != text:
        yield f"{header} is not what this program makes"
    for page, vectors in pages.items():
        blocks = shown((root / page).read_text())
        yield from (f"{page} does not show {n}: {v.hex()}" for n, v in vectors.items() if v.hex() not in blocks)
    for file, value in corpora.items():
        if not (root / file).is_file() or (root / file).read_bytes() != value:
            yield f"{file} is not what this program makes"


def run(name, program, vectors, pages, corpora):
    """vectors: for the C tests; pages: {page: [names]}; corpora: {file: bytes}."""
    if len(sys.argv) != 3 or sys.argv[1] not in ("--check", "--write"):
        sys.exit(f"usage: {program} --check|--write ROOT")
    root, header = pathlib.Path(sys.argv[2]), f"tests/vectors/{name}.h"
    text = c_header(name, program, vectors)
    if sys.argv[1] == "--write":
        (root / header).write_text(text)
        for file, value in corpora.items():
            (root / file).parent.mkdir(exist_ok=True)
            (root / file).write_bytes(value)
    wanted = {page: {n: vectors[n] for n in names} for page, names in pages.items()}
    found = list(faults(root, header, text, wanted, corpora))
    print("\n".join(found) or f"{len(vectors)} vectors, {len(corpora)} files")
    sys.exit(1 if found else 0)
