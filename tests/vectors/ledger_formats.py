#!/usr/bin/env python3
# SPDX-FileCopyrightText: The MesaTEE authors
# SPDX-License-Identifier: Apache-2.0
"""The vectors of spec/write-set.md, spec/ledger-block.md, spec/ledger-chunk.md and spec/snapshot.md, from the words of
those pages alone: --check|--write ROOT."""
import struct

from sealing import hkdf, seal, sha256
from vectors import cbor, run


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
