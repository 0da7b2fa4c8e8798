#!/usr/bin/env python3
# SPDX-FileCopyrightText: The MesaTEE authors
# SPDX-License-Identifier: Apache-2.0
"""The vectors of spec/share.md, from the words of that page alone: --check|--write ROOT."""
import base64

from sealing import sha256
from vectors import run


def labelled(label, *parts):
    return sha256(bytes([len(label)]), label, *parts)


# GF(2^8) by logarithms of the generator 3: nothing here is secret, and it is another way than that of the code.
EXP, LOG, value = [0] * 510, [0] * 256, 1
for power in range(255):
    EXP[power] = EXP[power + 255] = value
    LOG[value] = power
    value ^= value << 1 ^ (0x11B if value & 0x80 else 0)


def times(a, b):
    return EXP[LOG[a] + LOG[b]] if a and b else 0


def power_of(x, n):
    return EXP[LOG[x] * n % 255]


def split(key, coefficients, count):
    """coefficients: of x, x^2 ..., 32 bytes each."""
    shares = []
    for x in range(1, count + 1):
        share = list(key)
        for n, row in enumerate(coefficients, 1):
            share = [s ^ times(c, power_of(x, n)) for s, c in zip(share, row)]
        shares.append(bytes(share))
    return shares


def text_of(share):
    symbols = base64.b32encode(share).decode()
    return "-".join(["MTSHARE"] + [symbols[i:i + 8] for i in range(0, len(symbols), 8)])


def set_of(key, coefficients, count):
    threshold, values = len(coefficients) + 1, split(key, coefficients, count)
    commitments = [labelled(b"mesatee-share-v1", bytes([threshold, count, i]), v) for i, v in enumerate(values, 1)]
    whole = bytes([threshold, count]) + b"".join(commitments)
    name = labelled(b"mesatee-share-set-v1", whole)[:16]
    bodies = [bytes([1, threshold, count, i]) + name + v for i, v in enumerate(values, 1)]
    return whole, [b + labelled(b"mesatee-share-text-v1", b)[:3] for b in bodies]


key = bytes(range(32))
rows = [bytes((i * i + 7 * row) % 256 for i in range(32)) for row in range(1, 16)]
set_3_of_5, shares = set_of(key, rows[:2], 5)
set_16_of_16, widest = set_of(key, rows, 16)

vectors = {
    "share_key": key,
    "share_random": b"".join(rows),
    "share_set": set_3_of_5,
    "share_first": text_of(shares[0]).encode(),
    "share_middle": text_of(shares[2]).encode(),
    "share_last": text_of(shares[4]).encode(),
    "share_widest": text_of(widest[15]).encode(),
    "share_first_bytes": shares[0],
    "share_last_bytes": shares[4],
}
assert all(len(text_of(s)) == 106 for s in shares + widest)
if __name__ == "__main__":
    run("share_formats", "share_formats.py", vectors,
        {"spec/share.md": ["share_key", "share_set", "share_first_bytes", "share_last_bytes"]}, {
            "lib/crypto/share_corpus/first": vectors["share_first"],
            "lib/crypto/share_corpus/typed": vectors["share_last"].lower().replace(b"-", b" ") + b"\n",
            "lib/crypto/share_corpus/set": set_3_of_5,
            "lib/crypto/share_corpus/set-widest": set_16_of_16,
        })
