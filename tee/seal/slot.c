/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/context.h"
#include "crypto/kdf.h"
#include "seal/inside.h"
#include "wire/cbor.h"

/*
 * CBOR [1, purpose, kind, made, salt, log2 cost, wrapped key]. Each slot has a salt of its own, so
 * each wrapping key is used once, and the nonce is zero. All that stands before the wrapped key is
 * AAD.
 */
enum {
    VERSION = 1,
    FIELDS = 7,
    LOG2_COST = 17, /* of scrypt: 128 MiB, about 0.4 s. Slots are opened at a start, not per
                       request. */
    LOG2_COST_MIN = 14,
    LOG2_COST_MAX = 20,
};

static const uint8_t nonce[MT_AEAD_NONCE_LEN];

static void write_head(struct mt_writer *w, const struct mt_slot *s)
{
    mt_cbor_write_array(w, FIELDS);
    mt_cbor_write_uint(w, VERSION);
    mt_cbor_write_uint(w, (uint64_t)s->purpose);
    mt_cbor_write_uint(w, (uint64_t)s->kind);
    mt_cbor_write_uint(w, s->made_ms);
    mt_cbor_write_bytes(w, MT_BYTES_OF(s->salt));
    mt_cbor_write_uint(w, s->log2_cost);
}

void mt_slot_write(struct mt_writer *w, const struct mt_slot *s)
{
    write_head(w, s);
    mt_cbor_write_bytes(w, MT_BYTES_OF(s->wrapped));
}

/* A cost that would keep the node busy for minutes, or one that is none, is a lie of the host's. */
static MT_ERR check_cost(enum mt_slot_kind kind, uint64_t cost)
{
    bool is_good =
        kind == MT_SLOT_FILE ? cost == 0 : cost >= LOG2_COST_MIN && cost <= LOG2_COST_MAX;
    MT_REQUIRE(is_good, MT_E_FORMAT, "the cost of a key slot is out of its range");
    return MT_OK;
}

MT_ERR mt_slot_parse(mt_bytes in, struct mt_slot *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_slot s = {.made_ms = 0};
    uint64_t count = 0;
    uint64_t version = 0;
    uint64_t purpose = 0;
    uint64_t kind = 0;
    uint64_t cost = 0;
    MT_TRY(mt_cbor_read_array(&r, UINT64_MAX, &count));
    MT_TRY(mt_cbor_read_uint(&r, &version));
    MT_REQUIRE(version == VERSION, MT_E_CONFLICT, "a key slot of another version");
    MT_REQUIRE(count == FIELDS, MT_E_FORMAT, "a key slot has seven fields");
    MT_TRY(mt_cbor_read_uint(&r, &purpose));
    MT_REQUIRE(purpose == MT_SLOT_FOR_ROOT || purpose == MT_SLOT_FOR_BACKUP, MT_E_FORMAT,
               "a key slot for an unknown purpose");
    MT_TRY(mt_cbor_read_uint(&r, &kind));
    MT_REQUIRE(kind == MT_SLOT_PASSPHRASE || kind == MT_SLOT_FILE, MT_E_FORMAT,
               "a key slot of an unknown kind");
    s.purpose = (enum mt_slot_purpose)purpose;
    s.kind = (enum mt_slot_kind)kind;
    MT_TRY(mt_cbor_read_uint(&r, &s.made_ms));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){s.salt, sizeof s.salt}));
    MT_TRY(mt_cbor_read_uint(&r, &cost));
    MT_TRY(check_cost(s.kind, cost));
    s.log2_cost = (uint32_t)cost;
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){s.wrapped, sizeof s.wrapped}));
    MT_TRY(mt_read_end(&r));
    *out = s;
    return MT_OK;
}

MT_ERR mt_credential_check(const struct mt_credential *c)
{
    MT_REQUIRE(c->kind == MT_SLOT_PASSPHRASE || c->kind == MT_SLOT_FILE, MT_E_ARG,
               "a credential is a passphrase or a key file");
    MT_REQUIRE(c->kind != MT_SLOT_FILE || c->secret.len >= MT_KEY_FILE_BYTES_MIN, MT_E_ARG,
               "a key file has at least 32 bytes");
    MT_REQUIRE(c->secret.len > 0, MT_E_ARG, "a passphrase is not empty");
    MT_REQUIRE(c->secret.len <= MT_CREDENTIAL_BYTES_MAX, MT_E_ARG,
               "a credential has at most 64 KiB");
    return MT_OK;
}

static MT_ERR wrapping_key(const struct mt_slot *s, const struct mt_credential *c,
                           struct mt_secret **out)
{
    MT_DEFER(mt_secret_free) struct mt_secret *stretched = NULL;
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    mt_bytes salt = MT_BYTES_OF(s->salt);
    MT_TRY(mt_secret_new(MT_AEAD_KEY_LEN, &key));
    if (s->kind == MT_SLOT_FILE) {
        MT_TRY(mt_kdf(c->secret, MT_LABEL_SLOT_FILE, salt, mt_secret_span(key)));
    } else {
        MT_TRY(mt_secret_new(MT_SLOT_KEY_LEN, &stretched));
        MT_TRY(mt_kdf_passphrase(c->secret, salt, s->log2_cost, mt_secret_span(stretched)));
        MT_TRY(mt_kdf(mt_secret_bytes(stretched), MT_LABEL_SLOT_PASSPHRASE, salt,
                      mt_secret_span(key)));
    }
    *out = key;
    key = NULL; /* given */
    return MT_OK;
}

static MT_ERR cipher_of(const struct mt_slot *s, const struct mt_credential *c,
                        struct mt_aead **out)
{
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_TRY(wrapping_key(s, c, &key));
    return mt_aead_new(mt_secret_bytes(key), out);
}

static mt_bytes aad_of(const struct mt_slot *s, mt_span room)
{
    struct mt_writer w = mt_writer_over(room);
    write_head(&w, s);
    return mt_write_done(&w);
}

MT_ERR mt_slot_seal(struct mt_slot *out, const struct mt_credential *c, mt_bytes key)
{
    struct mt_slot s = {.purpose = out->purpose, .kind = c->kind, .made_ms = out->made_ms};
    MT_DEFER(mt_aead_free) struct mt_aead *aead = NULL;
    uint8_t room[MT_KEY_SLOT_BYTES_MAX];
    MT_TRY(mt_credential_check(c));
    s.log2_cost = c->kind == MT_SLOT_PASSPHRASE ? LOG2_COST : 0;
    MT_TRY(mt_random((mt_span){s.salt, sizeof s.salt}));
    const mt_bytes aad = aad_of(&s, (mt_span){room, sizeof room});
    MT_TRY(cipher_of(&s, c, &aead));
    MT_TRY(
        mt_aead_seal(aead, MT_BYTES_OF(nonce), aad, key, (mt_span){s.wrapped, sizeof s.wrapped}));
    *out = s;
    return MT_OK;
}

MT_ERR mt_slot_unseal(const struct mt_slot *s, const struct mt_credential *c, mt_span key)
{
    MT_DEFER(mt_aead_free) struct mt_aead *aead = NULL;
    uint8_t room[MT_KEY_SLOT_BYTES_MAX];
    MT_TRY(mt_credential_check(c));
    MT_REQUIRE(s->kind == c->kind, MT_E_PROOF, "a key slot is opened by another kind of secret");
    const mt_bytes aad = aad_of(s, (mt_span){room, sizeof room});
    MT_TRY(cipher_of(s, c, &aead));
    return mt_aead_unseal(aead, MT_BYTES_OF(nonce), aad, MT_BYTES_OF(s->wrapped), key);
}
