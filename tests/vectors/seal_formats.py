#!/usr/bin/env python3
# SPDX-FileCopyrightText: The MesaTEE authors
# SPDX-License-Identifier: Apache-2.0
"""The vectors of spec/sealed-object.md, spec/key-slot.md, spec/hand-over.md and spec/tpm-sealed.md, from the words of those pages
alone: --check|--write ROOT."""
import hashlib
import struct

from sealing import hkdf, seal, sha256
from signing import spki, spki_of
from share_formats import key as share_key, set_3_of_5
from vectors import cbor, run


def h(n):
    return bytes([n]) * 32


def i(n):
    return bytes([n]) * 16


root, object_id, object_key, salt = h(1), i(2), h(3), h(4)

# An object of one chunk.
plain = b"name,spend\r\nann,1.50\r\n"
head = b"MTOBJCT1" + struct.pack(">II", 1, 65536) + object_id
sealed = seal(object_key, 0, head + struct.pack(">QB", 0, 1), plain)
tag = sealed[-16:]
tree_root = sha256(b"\0", struct.pack(">Q", 0), tag)
label = b"mesatee-object-commitment-v1"
commitment = sha256(bytes([len(label)]), label, salt, struct.pack(">Q", len(plain)), sha256(plain))
handle = cbor([1, object_id, len(plain), tree_root, salt, commitment])

# Its key under the shred key of epoch 7. Wraps have random nonces: this one happens to be a small number.
shred_key, epoch = h(5), struct.pack(">Q", 7)
wrap = epoch + bytes(4) + struct.pack(">Q", 9) + seal(shred_key, 9, epoch + object_id, object_key)

# The small file that holds the shred key.
small_head, small_salt, name = b"MTSMALL1" + struct.pack(">I", 1), h(6), b"shred.mts"
small_key = hkdf(root, b"mesatee-small-file-v1", small_salt + name)
shred_keys = cbor([1, [[7, shred_key]]])
small_file = small_head + small_salt + seal(small_key, 0, small_head + name, shred_keys)

# Two slots with the root key in them: CBOR up to the wrapped key is the associated data.
credential = b"the content of a key file: 32 by"
passphrase = b"correct horse battery staple"


def slot(kind, made_ms, slot_salt, log2_cost, key):
    fields = cbor([1, 1, kind, made_ms, slot_salt, log2_cost, b""])[:-1]
    return fields + cbor(seal(key, 0, fields, root))


file_slot = slot(2, 1700000000000, h(7), 0, hkdf(credential, b"mesatee-keyslot-file-v1", h(7)))
stretched = hashlib.scrypt(passphrase, salt=h(8), n=1 << 14, r=8, p=1, maxmem=1 << 26, dklen=32)
passphrase_slot = slot(1, 1700000000000, h(8), 14, hkdf(stretched, b"mesatee-keyslot-passphrase-v1", h(8)))


# Two of version 2, with the kind's own bytes before the wrapped key.
def device_slot(kind, slot_salt, own, secret, label=b"mesatee-keyslot-device-v1"):
    fields = cbor([2, 1, kind, 1700000000000, slot_salt, 0, own, b""])[:-1]
    return fields + cbor(seal(hkdf(secret, label, slot_salt), 0, fields, root))


tpm_slot = device_slot(3, h(9), bytes(range(10, 20)), h(10))
derived_slot = device_slot(4, h(11), b"", h(12))
level_slot = device_slot(4, h(11), bytes([3, 0, 0, 0, 0, 0, 5, 10, 2, 0, 0, 0]), h(12))
# The key of spec/share.md's example, in its 3 of 5 shares.
shares_slot = device_slot(5, h(13), set_3_of_5, share_key, b"mesatee-keyslot-shares-v1")
# One for a key that another node keeps, and what that one keeps.
peer_slot = device_slot(6, h(15), i(16) + h(17), h(18), b"mesatee-keyslot-peer-v1")
peers = cbor([1, [[i(16), h(18), 1700000000000, b'{"a":"policy"}']]])
slots = {"tpm_slot": tpm_slot, "derived_slot": derived_slot, "level_slot": level_slot, "shares_slot": shares_slot,
         "peer_slot": peer_slot, "peers": peers}

# spec/hand-over.md: what a peer knows a machine without a device by.
def machine_key(keyfile):
    return spki_of(int.from_bytes(hkdf(keyfile, b"mesatee-machine-key-v1", b"\0"), "big"))


machine = {"machine_name": sha256(machine_key(credential))}

# spec/tpm-sealed.md: policies from the parts of TPM 2.0's part 3 that it names, and a secret that no TPM has sealed.
OPERATOR = 38
policy_label = b"mesatee-tpm-policy-v1"
values = b"".join(h(n) for n in (0, 2, 4, 7, 9, 11, 12, 13))
policy_pcrs = sha256(bytes(32), bytes.fromhex("0000017f 00000001 000b 03 953a00"), sha256(values))
point = spki(OPERATOR)[-64:]
operator_area = bytes.fromhex("0023 000b 00040040 0000 0010 0018 000b 0003 0010 0020") + point[:32] + b"\0\x20" + point[32:]
policy_operator = sha256(sha256(bytes(32), bytes.fromhex("0000016a 000b"), sha256(operator_area)), policy_label)
policy_either = sha256(bytes(32), bytes.fromhex("00000171"), policy_pcrs, policy_operator)


# A counter of that name must not be above 5.
UNTIL = struct.pack(">Q", 5)
counter_name = b"\0\x0b" + sha256(bytes.fromhex("01804d55 000b 22040014 0000 0008"))


def counted(policy):
    return sha256(policy, bytes.fromhex("00000149"), sha256(UNTIL, bytes.fromhex("0000 0009")), counter_name)


def tpm_sealed(key, policy, version=2):
    policy, until = (counted(policy), UNTIL) if version == 2 else (policy, b"")
    flag = b"\1" + key if key else b"\0"
    area = bytes.fromhex("0008 000b 00000412 0020") + policy + bytes.fromhex("0010 0020") + h(14)
    return bytes([version]) + policy_pcrs + flag + until + struct.pack(">H", len(area)) + area + b"\0\5" + bytes(range(5))


tpm = {
    "tpm_policy_pcrs": policy_pcrs,
    "tpm_policy_operator": policy_operator,
    "tpm_policy_either": policy_either,
    "tpm_policy_counted": counted(policy_either),
    "tpm_sealed": tpm_sealed(b"", policy_pcrs),
    "tpm_sealed_operator": tpm_sealed(spki(OPERATOR), policy_either),
    "tpm_sealed_uncounted": tpm_sealed(spki(OPERATOR), policy_either, version=1),
}

vectors = {
    "sealed_plain": plain,
    "sealed_file": head + sealed + tag,
    "sealed_handle": handle,
    "sealed_wrap": wrap,
    "shred_file": small_file,
    "file_slot": file_slot,
    "passphrase_slot": passphrase_slot,
}
if __name__ == "__main__":
    run("seal_formats", "seal_formats.py", vectors | slots | machine | tpm, {
        "spec/sealed-object.md": vectors, "spec/key-slot.md": slots, "spec/hand-over.md": machine,
        "spec/tpm-sealed.md": tpm}, {
        "tee/seal/handle_corpus/vector": handle,
        "tee/seal/shred_keys_corpus/vector": shred_keys,
        "tee/seal/slot_corpus/file-vector": file_slot,
        "tee/seal/slot_corpus/passphrase-vector": passphrase_slot,
        "tee/seal/slot_corpus/tpm-vector": tpm_slot,
        "tee/seal/slot_corpus/derived-vector": derived_slot,
        "tee/seal/slot_corpus/level-vector": level_slot,
        "tee/seal/slot_corpus/shares-vector": shares_slot,
        "tee/seal/slot_corpus/peer-vector": peer_slot,
        "tee/seal/peers_corpus/vector": peers,
        "tee/platform/tpm/sealed_corpus/vector": tpm["tpm_sealed"],
        "tee/platform/tpm/sealed_corpus/operator-vector": tpm["tpm_sealed_operator"],
        "tee/platform/tpm/sealed_corpus/uncounted-vector": tpm["tpm_sealed_uncounted"],
    })
