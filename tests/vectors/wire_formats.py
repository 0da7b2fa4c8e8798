#!/usr/bin/env python3
# SPDX-FileCopyrightText: The MesaTEE authors
# SPDX-License-Identifier: Apache-2.0
"""The vectors of spec/task.md, spec/run-claim.md, spec/audit.md and spec/receipt.md, from the words of those pages
alone: --check|--write ROOT."""
from signing import key_hash, protected, sha256, sign, sign1, spki, statement, to_be_signed
from trust_formats import CLUSTER, INCARNATION, SERVICE, certificate, configuration, evidence_service, UNTIL
from vectors import Tag, cbor, run


def labelled(label, *parts):
    return sha256(bytes([len(label)]), label, *parts)


def h(n):
    return bytes([n]) * 32


def i(n):
    return bytes([n]) * 16


def function_digest(schema, name, version):
    lengths = len(schema).to_bytes(8, "big") + len(name).to_bytes(8, "big")
    return labelled(b"mesatee-function-digest-v1", lengths, schema, name, version.to_bytes(8, "big"))


# spec/task.md. The owners have the keys 7 and 11 (signing.py).
OWNERS = 7, 11
task = cbor({
    1: 1,
    2: CLUSTER,
    3: i(2),
    4: ["psi", 1, h(3)],
    5: b'{"column":"id"}',
    6: [["a", i(4), i(5), 1, h(6), key_hash(7), 1000], ["b", i(8), i(9), 2, h(10), key_hash(11), 70000]],
    7: [["rows", sorted(map(key_hash, OWNERS))]],
    8: 60000,
    9: 1 << 28,
    10: 2,
    11: h(12),
    12: 1700000000000,
    13: 1800000000000,
    14: 1,
})
task_digest = labelled(b"mesatee-task-digest-v1", task)


def approval(owner):
    return statement(owner, b"mesatee-approval-v1", task_digest)


approval_tbs = to_be_signed(protected(7), b"mesatee-approval-v1", task_digest)

# spec/run-claim.md
run_claim = cbor(["run", 1, task, [approval(o) for o in OWNERS], i(13), 1, [["rows", h(14), 4096]], 2, False, False,
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
header = cbor({1: -7, 4: key_hash(SERVICE), 15: {-65537: CLUSTER, -65538: 0, -65539: 3, -65540: 1700000003000},
               395: 1})
proof = {396: {-1: [cbor([3, 2, [left]])]}}
signed = cbor(Tag(18, [header, proof, None, sign(SERVICE, b"mesatee-receipt-v1", root, header)]))
receipt_tbs = to_be_signed(header, b"mesatee-receipt-v1", root)
receipt = cbor({
    1: 1,
    2: signed,
    3: [3, h(21), i(22)],
    4: item_hashes,
    5: [[1, salts[1], items[1]]],
    6: spki(SERVICE),
    7: INCARNATION,
    8: ["soft", evidence_service, [certificate(UNTIL)]],
    9: configuration,
})

vectors = {
    "function_digest": function_digest(b'{"type":"object"}', b"psi", 1),
    "task": task,
    "task_digest": task_digest,
    "owner_a": key_hash(7),
    "owner_b": key_hash(11),
    "approval": approval(7),
    "approval_b": approval(11),
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
    "receipt_proof": cbor(proof),
    "receipt_tbs": receipt_tbs,
    "receipt": receipt,
}
pages = {
    "spec/task.md": ["function_digest", "owner_a", "owner_b", "task", "task_digest", "approval", "approval_b",
                     "approval_tbs"],
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
    "lib/wire/receipt_corpus/proof": cbor(proof),
    "lib/attest/signed_corpus/approval": approval(7),
    "lib/wire/cose_corpus/approval": sign1(7, b"mesatee-approval-v1", task_digest),
    "lib/wire/cose_corpus/receipt": signed,
})
