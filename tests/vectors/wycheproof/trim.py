#!/usr/bin/env python3
"""Trim Wycheproof's files to what the tests read: trim.py TESTVECTORS [OUT].

TESTVECTORS is the folder testvectors_v1 of https://github.com/C2SP/wycheproof at the commit that README.md names. Kept
are the inputs, the results and each test's number, one test a line; left out are comments, second encodings of the
same key, and tests of sizes that our doors do not have (README.md says which, and how many).
"""
import hashlib
import json
import pathlib
import sys

# name of the file: fields of the group, fields of the test, which groups
SETS = {
    "aes_gcm": ([], ["key", "iv", "aad", "msg", "ct", "tag"], {"keySize": 256, "ivSize": 96, "tagSize": 128}),
    "ecdh_secp256r1_ecpoint": ([], ["public"], {}),
    "ecdsa_secp256r1_sha256_p1363": (["publicKeyDer"], ["msg", "sig"], {}),
    "hkdf_sha256": ([], ["ikm", "salt", "info", "size", "okm"], {}),
    "hmac_sha256": (["tagSize"], ["key", "msg", "tag"], {}),
}


def trim(whole, group_fields, test_fields, only):
    groups = [g for g in json.loads(whole)["testGroups"] if all(g[k] == v for k, v in only.items())]
    line = lambda t: json.dumps({k: t[k] for k in ["tcId", *test_fields, "result"]}, separators=(",", ":"))
    texts = []
    for g in groups:
        head = "".join(f"{json.dumps(k)}:{json.dumps(g[k])}," for k in group_fields)
        texts.append("{" + head + '"tests":[\n' + ",\n".join(map(line, g["tests"])) + "]}")
    tests = sum(len(g["tests"]) for g in groups)
    sha256 = hashlib.sha256(whole).hexdigest()
    return f'{{"sha256":"{sha256}","numberOfTests":{tests},"testGroups":[\n' + ",\n".join(texts) + "]}\n"


def main(origin, out):
    for name, kept in SETS.items():
        whole = (origin / f"{name}_test.json").read_bytes()
        (out / f"{name}.json").write_text(trim(whole, *kept))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).parent))
