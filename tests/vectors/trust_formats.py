#!/usr/bin/env python3
# SPDX-FileCopyrightText: The MesaTEE authors
# SPDX-License-Identifier: Apache-2.0
"""The vectors of spec/signed-statement.md, spec/evidence-soft.md, spec/evidence-node.md, spec/image-approval.md, spec/policy.md and
spec/auditors-list.md, from the words of those pages alone: --check|--write ROOT."""
import hashlib
import struct

import attest_round
from signing import key_hash, scalar, sha256, sign, sign_scalar, spki, statement
from vectors import cbor, run

PLATFORM, OPERATOR, AUDITORS, PARTY, SERVICE = 31, 32, (33, 34, 35), 36, 37
CLUSTER, INCARNATION = bytes([1]) * 32, bytes([23]) * 32
FROM, UNTIL = 1600000000000, 1800000000000


# spec/evidence-soft.md
def event(register, kind, data, digest=None):
    return (struct.pack("<IIIH", register, kind, 1, 0x000b) + (digest or sha256(data)) + struct.pack("<I", len(data)) +
            data)


SPEC_ID = b"Spec ID Event03\0" + struct.pack("<I4BIHHB", 0, 0, 2, 0, 2, 1, 0x000b, 32, 0)
FILES = [(b"/usr/sbin/mesateed", bytes([40]) * 32), (b"/lib/x86_64-linux-gnu/libc.so.6", bytes([41]) * 32)]
CONFIGURATION = b"listen = 127.0.0.1:7700\n"
KERNEL = b"release=6.1.0-amd64\ncmdline-sha256=" + b"00" * 32 + b"\n"
log = (struct.pack("<II", 0, 3) + bytes(20) + struct.pack("<I", len(SPEC_ID)) + SPEC_ID +
       b"".join(event(0, 13, path, digest) for path, digest in FILES) + event(1, 5, CONFIGURATION) +
       event(2, 5, KERNEL))


def register(*digests):
    value = bytes(32)
    for d in digests:
        value = sha256(value, d)
    return value


measurement = register(*(digest for _, digest in FILES))
configuration = register(sha256(CONFIGURATION))
kernel = register(sha256(KERNEL))


def evidence(report_data):
    return statement(PLATFORM, b"mesatee-soft-evidence-v1", cbor([1, report_data, log]))


def certificate(until):
    return statement(OPERATOR, b"mesatee-platform-certificate-v1", cbor([1, key_hash(PLATFORM), FROM, until]))


evidence_channel = evidence(attest_round.vectors["binder_server"])
evidence_service = evidence(attest_round.service_key_binder(CLUSTER, INCARNATION, spki(SERVICE)))

# spec/evidence-node.md
field = attest_round.field
binder_log = hashlib.sha512(b"mesatee-node-log-v1" + field(attest_round.vectors["binder_server"]) +
                            field(sha256(log))).digest()
bundle = cbor([1, {1: b"log", 2: b"quote", 3: b"signature", 4: b"values", 6: b"key"}])

# spec/image-approval.md
PCRS = 0, 2, 4, 7, 9, 11, 12, 13
image_policy = sha256(bytes(32), struct.pack(">IIH", 0x17f, 1, 0x0b), bytes.fromhex("03953a00"),
                      sha256(b"".join(bytes([n]) * 32 for n in PCRS)))


def approval(policy):
    return cbor([1, policy, sign_scalar(scalar(OPERATOR), policy + b"mesatee-tpm-policy-v1")])


# spec/policy.md: one that names what it knows, and one that trusts an operator and two of three auditors.
policy_pinned = (f'{{"configurations":["{configuration.hex()}"],"measurements":["{measurement.hex()}"],'
                 f'"minimum_level":2,"name":"pinned","soft":{{"operators":[],"platforms":["{key_hash(PLATFORM).hex()}"]}},'
                 '"version":1}').encode()
keys = ",".join(f'"{spki(k).hex()}"' for k in AUDITORS)
policy_audited = (f'{{"auditors":{{"keys":[{keys}],"minimum_sequence":7,"threshold":2}},"measurements":[],'
                  f'"minimum_level":2,"name":"audited","soft":{{"operators":["{key_hash(OPERATOR).hex()}"],'
                  '"platforms":[]},"version":1}').encode()


def policy_file(json):
    return statement(PARTY, b"mesatee-appraisal-policy-v1", json)


# spec/auditors-list.md
def auditors_list(sequence, values, signers):
    payload = cbor([1, sequence, FROM, UNTIL, [[m, name] for m, name in values]])
    return cbor([payload, [[spki(k), sign(k, b"mesatee-auditors-list-v1", payload)] for k in signers]])


list_of_two = auditors_list(7, [(measurement, "mesateed 0.1.0"), (bytes([42]) * 32, "mesateed 0.1.1")], AUDITORS[:2])
list_of_one = auditors_list(8, [(measurement, "mesateed 0.1.0")], AUDITORS[2:] * 2)  # one auditor, twice

vectors = {
    "platform": key_hash(PLATFORM),
    "log": log,
    "measurement": measurement,
    "configuration": configuration,
    "kernel": kernel,
    "evidence_channel": evidence_channel,
    "evidence_service": evidence_service,
    "binder_log": binder_log,
    "bundle": bundle,
    "image_operator": spki(OPERATOR),
    "image_policy": image_policy,
    "image_approval": approval(image_policy),
    "certificate": certificate(UNTIL),
    "certificate_past": certificate(FROM + 1),
    "policy_pinned": policy_pinned,
    "policy_pinned_file": policy_file(policy_pinned),
    "policy_audited": policy_audited,
    "policy_audited_file": policy_file(policy_audited),
    "list_of_two": list_of_two,
    "list_of_one": list_of_one,
}
pages = {
    "spec/evidence-soft.md": ["platform", "log", "measurement", "configuration", "kernel", "evidence_channel",
                              "evidence_service", "certificate", "certificate_past"],
    "spec/evidence-node.md": ["binder_log", "bundle"],
    "spec/image-approval.md": ["image_operator", "image_policy", "image_approval"],
    "spec/policy.md": ["policy_pinned_file", "policy_audited_file"],
    "spec/auditors-list.md": ["list_of_two", "list_of_one"],
}
if __name__ == "__main__":
    run("trust_formats", "trust_formats.py", vectors, pages, {
        "lib/attest/eventlog_corpus/log": log,
        "lib/attest/bundle_corpus/tpm": bundle,
        "lib/attest/bundle_corpus/empty": cbor([1, {1: b"log", 2: b""}]),
        "lib/attest/bundle_corpus/unknown": cbor([1, {1: b"log", 2: b"quote", 20: b"?"}]),
        "lib/attest/image_approval_corpus/one": approval(image_policy),
        "lib/attest/image_approval_corpus/two": approval(image_policy) + approval(bytes(32)),
        "lib/attest/image_approval_corpus/version": b"\x83\x02" + approval(image_policy)[2:],
        "lib/attest/soft_corpus/channel": evidence_channel,
        "lib/attest/soft_corpus/service": evidence_service,
        "lib/attest/signed_corpus/certificate": certificate(UNTIL),
        "lib/attest/policy_corpus/pinned.json": policy_pinned,
        "lib/attest/policy_corpus/audited.json": policy_audited,
        "lib/attest/policy_corpus/audited": policy_file(policy_audited),
        "lib/attest/auditors_corpus/two": list_of_two,
        "lib/attest/auditors_corpus/one": list_of_one,
    })
