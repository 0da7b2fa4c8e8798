#!/usr/bin/env python3
# SPDX-FileCopyrightText: The MesaTEE authors
# SPDX-License-Identifier: Apache-2.0
"""The vectors of spec/attest-round.md, from the words of that page alone: --check|--write ROOT."""
import hashlib

from vectors import cbor, run

NONCE = bytes(range(32))
EKM = bytes(range(0xa0, 0xc0))
SERVICE_ID = bytes([7]) * 32
CLIENT_SPKI = bytes([1]) * 91
SERVER_SPKI = bytes([2]) * 91


def sha256(b):
    return hashlib.sha256(b).digest()


def field(b):
    return len(b).to_bytes(4, "big") + b


def channel_binder(role, own, peer, nonce=NONCE, ekm=EKM):
    return hashlib.sha512(b"mesatee-attest-v1" + role + field(ekm) + field(sha256(own)) + field(sha256(peer)) +
                          field(nonce) + field(SERVICE_ID)).digest()


def service_key_binder(cluster, incarnation, service):
    return hashlib.sha512(b"mesatee-service-key-v1" + field(cluster) + field(incarnation) +
                          field(sha256(service))).digest()


request = cbor([1, 1, NONCE, ["soft", "none"]])
attest = cbor([1, 2, "soft", b"evidence-1", [b"e1", b"e2"]])
vectors = {
    "attest_request": request,
    "attest_request_frame": field(request),
    "attest": attest,
    "attest_frame": field(attest),
    "attest_none": cbor([1, 2, "none", b"", []]),
    "binder_client": channel_binder(b"C", CLIENT_SPKI, SERVER_SPKI),
    "binder_server": channel_binder(b"S", SERVER_SPKI, CLIENT_SPKI),
    "binder_again": channel_binder(b"S", SERVER_SPKI, CLIENT_SPKI, bytes(range(0x20, 0x40)), bytes(range(0xc0, 0xe0))),
    "binder_service_key": service_key_binder(SERVICE_ID, sha256(CLIENT_SPKI), SERVER_SPKI),
}
if __name__ == "__main__":
    run("attest_round", "attest_round.py", vectors, {"spec/attest-round.md": list(vectors)}, {
        "lib/wire/attest_corpus/request": request,
        "lib/wire/attest_corpus/attest": attest,
        "lib/wire/attest_corpus/none": vectors["attest_none"],
        "lib/wire/attest_corpus/frames": field(request) + field(attest),
        "lib/wire/attest_corpus/long": cbor([1, 2, "tpm-quote", bytes(300), [bytes(40)] * 16]),
    })
