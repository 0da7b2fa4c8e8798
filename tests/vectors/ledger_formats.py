#!/usr/bin/env python3
# SPDX-FileCopyrightText: The MesaTEE authors
# SPDX-License-Identifier: Apache-2.0
"""The vectors of spec/write-set.md, spec/ledger-block.md, spec/ledger-chunk.md and spec/snapshot.md, from the words of
those pages alone: --check|--write ROOT. AES-256-GCM is written out here (SP 800-38D), for Python has none."""
import hashlib
import hmac
import struct

from vectors import cbor, run


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


def crc32c(data):
    crc = 0xFFFFFFFF
    for b in data:
        crc ^= b
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def sectors(data):
    out = b""
    for i in range(0, len(data), 507):
        content = data[i:i + 507].ljust(507, b"\0")
        out += content + struct.pack("<I", crc32c(content)) + b"\xa5"
    return out


def h(n):
    return bytes([n]) * 32


def i(n):
    return bytes([n]) * 16


secret, incarnation, cluster = h(1), h(2), h(3)

# spec/write-set.md: a start, then a transaction that claims, changes, deletes and tells.
publics = [
    cbor([["ledger.starts", [struct.pack(">Q", 1), cbor([incarnation, 1700000000000])]]]),
    cbor([]),
]
privates = [
    cbor([i(4), [], [], []]),
    cbor([i(5), [i(6), b"a claim"], [["data", [b"a", b"alpha", b"b", None]], ["gate.users", [b"u", b""]]],
          [i(7), b"{}"]]),
]

# spec/ledger-block.md
key = hkdf(secret, b"mesatee-ledger-block-key-v1", struct.pack("<Q", 1) + incarnation)
public, private = b"".join(publics), b"".join(privates)
length = 144 + len(public) + len(private) + 32 * 2
head = b"MTBK" + struct.pack("<IIIIIIIQQQQ", 1, length, 2, len(public), len(private), 0, 0, 1, 1, 1, 1700000000000)
head += cluster + incarnation + public
sealed = seal(key, 1, head, private)


def claim_hash(salt, item):
    label = b"mesatee-claim-item-v1"
    return sha256(bytes([len(label)]), label, salt, item)


def leaf(txid, public_part, ciphertext, nonce, claims):
    return sha256(b"\0", struct.pack(">Q", txid), sha256(public_part, ciphertext), nonce, sha256(*claims))


first = len(privates[0])
leaves = [
    leaf(1, publics[0], sealed[:first], i(4), []),
    leaf(2, publics[1], sealed[first:len(private)], i(5), [claim_hash(i(6), b"a claim")]),
]
block = head + sealed + b"".join(leaves)
assert len(block) == length
block_hash = sha256(block)

# spec/ledger-chunk.md: the first chunk with this block
chunk_header = b"MTLEDGR1" + struct.pack("<II", 1, 0) + cluster + struct.pack("<QQ", 1, 1) + cluster
chunk = sectors(chunk_header) + sectors(block)

# spec/snapshot.md: the maps after this block
snapshot_head = b"MTSNAPS1" + struct.pack("<II", 1, 0) + cluster + struct.pack("<QQ", 2, 1) + block_hash + h(8)
snapshot_key = hkdf(secret, b"mesatee-ledger-snapshot-key-v1", snapshot_head)
frames = [
    cbor([1, "ledger.starts", True, [struct.pack(">Q", 1), cbor([incarnation, 1700000000000])]]),
    cbor([1, "ledger.events", False, [i(7), struct.pack(">I", 1), i(7) + struct.pack(">QI", 2, 0), b"{}"]]),
    cbor([1, "data", False, [b"a", b"alpha"]]),
    cbor([1, "gate.users", False, [b"u", b""]]),
    cbor([0, 5]),
]
snapshot = snapshot_head
for number, frame in enumerate(frames):
    snapshot += struct.pack("<I", len(frame)) + seal(snapshot_key, number, b"", frame)

vectors = {
    "public_part": publics[0],
    "private_part": privates[1],
    "block_key": key,
    "block": block,
    "block_hash": block_hash,
    "block_leaf": leaves[1],
    "chunk": chunk,
    "snapshot_key": snapshot_key,
    "snapshot": snapshot,
}
run("ledger_formats", "ledger_formats.py", vectors, {
    "spec/write-set.md": ["public_part", "private_part"],
    "spec/ledger-block.md": ["block_key", "block", "block_hash", "block_leaf"],
    "spec/snapshot.md": ["snapshot_key", "snapshot"],
}, {
    "tee/ledger/write_set_corpus/vector": publics[1] + privates[1],
    "tee/ledger/block_corpus/vector": block,
    "tee/ledger/chunk_corpus/vector": chunk_header,
    "tee/ledger/snapshot_corpus/head-vector": snapshot_head,
    "tee/ledger/snapshot_corpus/map-vector": frames[1],
})
