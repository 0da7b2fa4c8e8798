# SPDX-FileCopyrightText: The MesaTEE authors
# SPDX-License-Identifier: Apache-2.0
"""What signs in the formats, written out from FIPS 186-5 and RFC 6979: Python has no curves of its own. A key n is the
private scalar of 32 bytes n; its signatures are deterministic, so that vectors are."""
import hashlib
import hmac

from vectors import Tag, cbor

# P-256 (SP 800-186, 3.2.1.3).
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")  # RFC 5480, then the point


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def add(a, b):
    """The sum of two points; None is the point at infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(k, point):
    total = None
    while k:
        total = add(total, point) if k & 1 else total
        point, k = add(point, point), k >> 1
    return total


def nonces(d, digest):
    """RFC 6979, 3.2, for a group order of 256 bits."""
    seed = d.to_bytes(32, "big") + (int.from_bytes(digest, "big") % N).to_bytes(32, "big")
    k, v = bytes(32), b"\x01" * 32
    for step in b"\x00", b"\x01":
        k = hmac.digest(k, v + step + seed, "sha256")
        v = hmac.digest(k, v, "sha256")
    while True:
        v = hmac.digest(k, v, "sha256")
        yield int.from_bytes(v, "big")
        k = hmac.digest(k, v + b"\x00", "sha256")
        v = hmac.digest(k, v, "sha256")


def sign_scalar(d, message):
    digest = sha256(message)
    k = next(k for k in nonces(d, digest) if 0 < k < N)
    r = times(k, G)[0] % N
    s = pow(k, -1, N) * (int.from_bytes(digest, "big") + r * d) % N
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


# RFC 6979, A.2.5, with SHA-256 over "sample".
assert sign_scalar(0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721, b"sample").hex() == (
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8")


def scalar(key):
    return int.from_bytes(bytes([key]) * 32, "big")


def spki(key):
    return spki_of(scalar(key))


def spki_of(private):
    x, y = times(private, G)
    return SPKI_HEAD + b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


def key_hash(key):
    return sha256(spki(key))


def protected(key):
    return cbor({1: -7, 4: key_hash(key)})


def to_be_signed(header, label, payload):
    return cbor(["Signature1", header, label, payload])


def sign(key, label, payload, header=None):
    """64 bytes over the Sig_structure with the label as external_aad."""
    return sign_scalar(scalar(key), to_be_signed(header or protected(key), label, payload))


def sign1(key, label, payload):
    return cbor(Tag(18, [protected(key), {}, payload, sign(key, label, payload)]))


def statement(key, label, payload):
    """spec/signed-statement.md"""
    return cbor([spki(key), sign1(key, label, payload)])
