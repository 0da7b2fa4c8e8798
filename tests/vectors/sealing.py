# SPDX-FileCopyrightText: The MesaTEE authors
# SPDX-License-Identifier: Apache-2.0
"""What seals in the formats, written out from SP 800-38D and RFC 5869: Python has no AES of its own. A number is the
nonce, 12 bytes big endian."""
import hashlib
import hmac
import struct


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hkdf(key, label, context):
    """RFC 5869 without salt, 32 bytes."""
    info = bytes([len(label)]) + label + context
    return hmac.digest(hmac.digest(bytes(32), key, "sha256"), info + b"\x01", "sha256")


def double(b):
    return (b << 1 ^ (0x11B if b & 0x80 else 0)) & 0xFF


def make_sbox():
    box, p, q = [0x63] * 256, 1, 1
    while True:
        p ^= double(p)
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        q ^= 0x09 if q & 0x80 else 0
        x = q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)
        box[p] = x & 0xFF ^ 0x63
        if p == 1:
            return box


SBOX = make_sbox()


def round_keys(key):
    words, rcon = [list(key[i:i + 4]) for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        t = list(words[-1])
        if i % 8 == 0:
            t = [SBOX[b] for b in t[1:] + t[:1]]
            t[0] ^= rcon
            rcon = double(rcon)
        elif i % 8 == 4:
            t = [SBOX[b] for b in t]
        words.append([a ^ b for a, b in zip(words[-8], t)])
    return [sum(words[i:i + 4], []) for i in range(0, 60, 4)]


def encrypt(keys, block):
    s = [a ^ b for a, b in zip(block, keys[0])]
    for n, k in enumerate(keys[1:], 1):
        s = [SBOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if n < 14:
            mixed = []
            for c in range(0, 16, 4):
                a = s[c:c + 4]
                every = a[0] ^ a[1] ^ a[2] ^ a[3]
                mixed += [a[i] ^ every ^ double(a[i] ^ a[(i + 1) % 4]) for i in range(4)]
            s = mixed
        s = [a ^ b for a, b in zip(s, k)]
    return bytes(s)


def ghash(h, data):
    y = 0
    for i in range(0, len(data), 16):
        y ^= int.from_bytes(data[i:i + 16].ljust(16, b"\0"), "big")
        z, v = 0, h
        for bit in range(127, -1, -1):
            z ^= v if y >> bit & 1 else 0
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y.to_bytes(16, "big")


def pad(b):
    return b + bytes(-len(b) % 16)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def seal(key, number, aad, plain):
    keys, nonce = round_keys(key), bytes(4) + struct.pack(">Q", number)
    stream = b"".join(encrypt(keys, nonce + struct.pack(">I", i + 2)) for i in range(-(-len(plain) // 16)))
    text = xor(plain, stream)
    h = int.from_bytes(encrypt(keys, bytes(16)), "big")
    tag = ghash(h, pad(aad) + pad(text) + struct.pack(">QQ", 8 * len(aad), 8 * len(text)))
    return text + xor(tag, encrypt(keys, nonce + struct.pack(">I", 1)))


# SP 800-38D, the well-known case of a zero key, nonce and block.
assert seal(bytes(32), 0, b"", bytes(16)).hex() == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
