/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_TPM_WORLD_TEST_H
#define MT_ATTEST_TPM_WORLD_TEST_H

#include "attest/files_test.h"
#include "attest/tpm.h"
#include "attest/world_test.h"
#include "crypto/x509.h"
#include "unit/mangle.h"
#include "unit/pki.h"

/* A TPM of our own, for what no real one does: any attributes, any scheme, any bytes under its
 * signature. */
enum { ROOM = 1024, ATTRIBUTES = 0x50472 };

struct own_tpm {
    struct pki_cert key; /* of the attestation key, self-signed */
    uint32_t attributes;
    uint16_t scheme; /* of the key and of the signature */
    uint16_t hash;
    uint16_t type;
    uint8_t magic;
    uint8_t safe;
    uint16_t bank;
    uint32_t pcrs;
    mt_bytes behind; /* what stands behind the quote */
    uint8_t quote[ROOM];
    uint8_t signature[ROOM];
    uint8_t public[ROOM];
    uint8_t values[ROOM];
};

static inline struct own_tpm own_tpm(enum pki_key kind)
{
    struct own_tpm t = {.attributes = ATTRIBUTES,
                        .scheme = kind == PKI_RSA_2048 ? MT_TPM_RSASSA : MT_TPM_ECDSA,
                        .hash = kind == PKI_P384 ? MT_TPM_SHA384 : MT_TPM_SHA256,
                        .type = 0x8018,
                        .magic = 0xff,
                        .safe = 1,
                        .bank = MT_TPM_SHA256,
                        .pcrs = 0x6fbff};
    const struct pki_wish wish = {.name = "AK", .key = kind, .serial = 9};
    t.pcrs &= 0xfbff;
    pki_make(&wish, NULL, &t.key);
    return t;
}

static inline void put_sized(struct mt_writer *w, mt_bytes b)
{
    mt_write_u16be(w, (uint16_t)b.len);
    mt_write_bytes(w, b);
}

static inline mt_bytes own_spki(const struct own_tpm *t, struct mt_x509 **x)
{
    OK(mt_x509_parse(pki_der(&t->key), x));
    return mt_pubkey_spki(mt_x509_key(*x));
}

static inline mt_bytes own_public(struct own_tpm *t)
{
    MT_DEFER(mt_x509_free) struct mt_x509 *x = NULL;
    const mt_bytes spki = own_spki(t, &x);
    struct mt_writer w = mt_writer_over((mt_span){t->public, sizeof t->public});
    bool is_rsa = mt_pubkey_kind(mt_x509_key(x)) == MT_PUBKEY_RSA;
    mt_write_u16be(&w, is_rsa ? MT_TPM_RSA : MT_TPM_ECC);
    mt_write_u16be(&w, MT_TPM_SHA256);
    mt_write_u32be(&w, t->attributes);
    mt_write_u16be(&w, 0); /* no policy */
    mt_write_u16be(&w, MT_TPM_NULL);
    mt_write_u16be(&w, t->scheme);
    mt_write_u16be(&w, t->hash);
    if (is_rsa) {
        mt_write_u16be(&w, 2048);
        mt_write_u32be(&w, 0);
        put_sized(&w, (mt_bytes){spki.ptr + spki.len - 5 - 256, 256}); /* then 65537 */
    } else {
        size_t len = mt_pubkey_kind(mt_x509_key(x)) == MT_PUBKEY_P256 ? 32 : 48;
        mt_write_u16be(&w, len == 32 ? MT_TPM_CURVE_P256 : MT_TPM_CURVE_P384);
        mt_write_u16be(&w, MT_TPM_NULL);
        put_sized(&w, (mt_bytes){spki.ptr + spki.len - 2 * len, len});
        put_sized(&w, (mt_bytes){spki.ptr + spki.len - len, len});
    }
    return mt_write_done(&w);
}

static inline mt_hash own_name(struct own_tpm *t)
{
    mt_hash h;
    const mt_bytes all = own_public(t);
    mt_sha256(&all, 1, &h);
    return h;
}

/* The values are those of `t->values`. */
static inline mt_bytes own_quote(struct own_tpm *t, mt_bytes extra, mt_bytes values)
{
    struct mt_writer w = mt_writer_over((mt_span){t->quote, sizeof t->quote});
    uint8_t digest[MT_SHA512_LEN];
    size_t len = mt_tpm_digest_len(t->hash);
    mt_hash h;
    mt_sha256(&values, 1, &h);
    if (t->hash == MT_TPM_SHA384) {
        mt_sha384(&values, 1, digest);
    } else {
        mt_sha512(&values, 1, digest);
    }
    mt_write_u8(&w, t->magic);
    mt_write_bytes(&w, MT_LITERAL("TCG"));
    mt_write_u16be(&w, t->type);
    put_sized(&w, MT_LITERAL("somebody"));
    put_sized(&w, extra);
    mt_write_u64be(&w, 1234567);
    mt_write_u32be(&w, 7);
    mt_write_u32be(&w, 3);
    mt_write_u8(&w, t->safe);
    mt_write_u64be(&w, 0x20160511);
    mt_write_u32be(&w, 1);
    mt_write_u16be(&w, t->bank);
    mt_write_u8(&w, 3);
    mt_write_u8(&w, (uint8_t)t->pcrs);
    mt_write_u8(&w, (uint8_t)(t->pcrs >> 8));
    mt_write_u8(&w, (uint8_t)(t->pcrs >> 16));
    put_sized(&w, len > sizeof h.b ? (mt_bytes){digest, len} : mt_hash_bytes(&h));
    mt_write_bytes(&w, t->behind);
    return mt_write_done(&w);
}

static inline mt_bytes own_signature(struct own_tpm *t, mt_bytes quote)
{
    uint8_t room[512];
    struct mt_writer w = mt_writer_over((mt_span){t->signature, sizeof t->signature});
    mt_write_u16be(&w, t->scheme);
    mt_write_u16be(&w, t->hash);
    if (t->scheme == MT_TPM_ECDSA) {
        mt_bytes raw = pki_sign(&t->key, quote, (mt_span){room, sizeof room});
        put_sized(&w, (mt_bytes){raw.ptr, raw.len / 2});
        put_sized(&w, (mt_bytes){raw.ptr + raw.len / 2, raw.len / 2});
    } else {
        const char *hash = t->hash == MT_TPM_SHA1     ? "SHA1"
                           : t->hash == MT_TPM_SHA384 ? "SHA384"
                           : t->hash == MT_TPM_SHA512 ? "SHA512"
                                                      : "SHA256";
        put_sized(&w, pki_sign_rsa(&t->key, hash, t->scheme == MT_TPM_RSAPSS, quote,
                                   (mt_span){room, sizeof room}));
    }
    return mt_write_done(&w);
}

#endif
