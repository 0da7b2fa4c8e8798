#!/usr/bin/env python3
# SPDX-FileCopyrightText: The MesaTEE authors
# SPDX-License-Identifier: Apache-2.0
"""The vectors of spec/task.md, spec/run-claim.md, spec/audit.md and spec/receipt.md, from the words of those pages alone:
--check|--write ROOT."""
import hashlib

from vectors import Tag, cbor, run


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def labelled(label, *parts):
    return sha256(bytes([len(label)]), label, *parts)


def h(n):
    return bytes([n]) * 32


def i(n):
    return bytes([n]) * 16


# spec/task.md
task = cbor({
    1: 1,
    2: h(1),
    3: i(2),
    4: ["psi", 1, h(3)],
    5: b'{"column":"id"}',
    6: [["a", i(4), i(5), 1, h(6), h(7), 1000], ["b", i(8), i(9), 2, h(10), h(11), 70000]],
    7: [["rows", [h(7), h(11)]]],
    8: 60000,
    9: 1 << 28,
    10: 2,
    11: h(12),
    12: 1700000000000,
    13: 1800000000000,
    14: 1,
})
task_digest = labelled(b"mesatee-task-digest-v1", task)


# spec/task.md, approvals: the signatures are zeros, for keys are not what these vectors are about.
def protected(kid):
    return cbor({1: -7, 4: kid})


def approval(kid):
    return cbor(Tag(18, [protected(kid), {}, task_digest, bytes(64)]))


approval_tbs = cbor(["Signature1", protected(h(7)), b"mesatee-approval-v1", task_digest])

# spec/run-claim.md
run_claim = cbor(["run", 1, task, [approval(h(7)), approval(h(11))], i(13), 1, [["rows", h(14), 4096]], 2, False, False,
                  1700000001000, 1700000002000])

# spec/audit.md
audit_item = cbor(["audit", 1, [[h(7), "data.put", i(4), 1, 0, 1, 1700000000000],
                                [h(11), "task.run", None, 4, 4, 3, 1700000001000]]])

# spec/receipt.md: a tree of three leaves, of which the last is shown.
items = [b"hidden", run_claim]
salts = [i(15), i(16)]
item_hashes = [labelled(b"mesatee-claim-item-v1", s, t) for s, t in zip(salts, items)]
claims = sha256(*item_hashes)
no_claims = sha256()


def entry(txid, write_set_hash, nonce, commitment):
    return txid.to_bytes(8, "big") + write_set_hash + nonce + commitment


entries = [entry(1, h(17), i(18), no_claims), entry(2, h(19), i(20), no_claims), entry(3, h(21), i(22), claims)]
leaves = [sha256(b"\0", e) for e in entries]
left = sha256(b"\1", leaves[0], leaves[1])
root = sha256(b"\1", left, leaves[2])
service_key = b"\x30\x59" + bytes(89)
header = cbor({1: -7, 4: sha256(service_key), 15: {-65537: h(1), -65538: 0, -65539: 3, -65540: 1700000003000},
               395: 1})
proof = cbor({396: {-1: [cbor([3, 2, [left]])]}})
signed = cbor(Tag(18, [header, {396: {-1: [cbor([3, 2, [left]])]}}, None, bytes(64)]))
receipt_tbs = cbor(["Signature1", header, b"mesatee-receipt-v1", root])
receipt = cbor({
    1: 1,
    2: signed,
    3: [3, h(21), i(22)],
    4: item_hashes,
    5: [[1, salts[1], items[1]]],
    6: service_key,
    7: h(23),
    8: ["soft", b"evidence-1", [b"e1"]],
    9: h(24),
})

vectors = {
    "task": task,
    "task_digest": task_digest,
    "approval": approval(h(7)),
    "approval_tbs": approval_tbs,
    "run_claim": run_claim,
    "audit_item": audit_item,
    "item_hash": item_hashes[1],
    "claims": claims,
    "no_claims": no_claims,
    "entry": entries[2],
    "leaf": leaves[2],
    "root": root,
    "receipt_header": header,
    "receipt_proof": proof,
    "receipt_tbs": receipt_tbs,
    "receipt": receipt,
}
pages = {
    "spec/task.md": ["task", "task_digest", "approval", "approval_tbs"],
    "spec/run-claim.md": ["run_claim"],
    "spec/audit.md": ["audit_item"],
    "spec/receipt.md": ["item_hash", "claims", "no_claims", "entry", "leaf", "root", "receipt_header", "receipt_proof",
                        "receipt_tbs", "receipt"],
}
run("wire_formats", "wire_formats.py", vectors, pages, {
    "lib/wire/task_corpus/task": task,
    "lib/wire/run_corpus/run": run_claim,
    "lib/wire/audit_corpus/item": audit_item,
    "lib/wire/receipt_corpus/receipt": receipt,
    "lib/wire/receipt_corpus/header": header,
    "lib/wire/receipt_corpus/proof": proof,
    "lib/wire/cose_corpus/approval": approval(h(7)),
    "lib/wire/cose_corpus/receipt": signed,
})
