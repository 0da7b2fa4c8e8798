/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/kdf.h"
#include "crypto/share.h"
#include "seal/inside.h"
#include "seal/peers.h"
#include "wire/cbor.h"

/*
 * Version 1: CBOR [1, purpose, kind, made, salt, log2 cost, wrapped key]; version 2
 * (spec/key-slot.md) has the kind's own bytes before the wrapped key. A slot is of the version in
 * which its kind came, so that a program of before opens what it knows. Each slot has a salt of its
 * own, so each wrapping key is used once, and the nonce is zero. All that stands before the wrapped
 * key is AAD.
 */
enum {
    LOG2_COST = 17, /* of scrypt: 128 MiB, about 0.4 s. Slots are opened at a start, not per
                       request. */
    LOG2_COST_MIN = 14,
    LOG2_COST_MAX = 20,
    PEER_NAME_LEN = sizeof(mt_id) + sizeof(mt_hash),
};

static const uint8_t nonce[MT_AEAD_NONCE_LEN];

struct rule {
    uint8_t version;
    bool is_of_backups; /* may open a backup too: the others never leave the machine */
    enum mt_label label;
    uint8_t cost_min;
    uint8_t cost_max;
    size_t own_min;
    size_t own_max;
};

static const struct rule rules[] = {
    [MT_SLOT_PASSPHRASE] = {1, true, MT_LABEL_SLOT_PASSPHRASE, LOG2_COST_MIN, LOG2_COST_MAX, 0, 0},
    [MT_SLOT_FILE] = {1, true, MT_LABEL_SLOT_FILE, 0, 0, 0, 0},
    [MT_SLOT_TPM] = {2, false, MT_LABEL_SLOT_DEVICE, 0, 0, 1, MT_SLOT_OWN_BYTES_MAX},
    [MT_SLOT_DERIVED] = {2, false, MT_LABEL_SLOT_DEVICE, 0, 0, 0, MT_DEVICE_LEVEL_LEN_MAX},
    [MT_SLOT_SHARES] = {2, false, MT_LABEL_SLOT_SHARES, 0, 0, 0, MT_SHARE_SET_LEN_MAX},
    [MT_SLOT_PEER] = {2, false, MT_LABEL_SLOT_PEER, 0, 0, PEER_NAME_LEN, PEER_NAME_LEN},
};
enum { KINDS = sizeof rules / sizeof *rules };

static bool is_kind(uint64_t kind)
{
    return kind < KINDS && rules[kind].version != 0;
}

static const struct rule *rule_of(enum mt_slot_kind kind)
{
    MT_ASSERT(is_kind(kind));
    return &rules[kind];
}

static uint64_t fields_of(uint64_t version)
{
    return version == 1 ? 7 : 8;
}

static void write_head(struct mt_writer *w, const struct mt_slot *s)
{
    const struct rule *rule = rule_of(s->kind);
    mt_cbor_write_array(w, fields_of(rule->version));
    mt_cbor_write_uint(w, rule->version);
    mt_cbor_write_uint(w, (uint64_t)s->purpose);
    mt_cbor_write_uint(w, (uint64_t)s->kind);
    mt_cbor_write_uint(w, s->made_ms);
    mt_cbor_write_bytes(w, MT_BYTES_OF(s->salt));
    mt_cbor_write_uint(w, s->log2_cost);
    if (rule->version > 1) {
        mt_cbor_write_bytes(w, (mt_bytes){s->own, s->own_len});
    }
}

void mt_slot_write(struct mt_writer *w, const struct mt_slot *s)
{
    write_head(w, s);
    mt_cbor_write_bytes(w, MT_BYTES_OF(s->wrapped));
}

static MT_ERR read_kind(struct mt_reader *r, uint64_t version, struct mt_slot *s)
{
    uint64_t purpose = 0;
    uint64_t kind = 0;
    MT_TRY(mt_cbor_read_uint(r, &purpose));
    MT_REQUIRE(purpose == MT_SLOT_FOR_ROOT || purpose == MT_SLOT_FOR_BACKUP, MT_E_FORMAT,
               "a key slot for an unknown purpose");
    MT_TRY(mt_cbor_read_uint(r, &kind));
    MT_REQUIRE(is_kind(kind) && rules[kind].version == version, MT_E_FORMAT,
               "a key slot of an unknown kind");
    MT_REQUIRE(purpose == MT_SLOT_FOR_ROOT || rules[kind].is_of_backups, MT_E_FORMAT,
               "a key slot of this kind opens no backup");
    s->purpose = (enum mt_slot_purpose)purpose;
    s->kind = (enum mt_slot_kind)kind;
    return MT_OK;
}

static void set_own(struct mt_slot *s, mt_bytes own)
{
    MT_ASSERT(own.len <= sizeof s->own);
    s->own_len = own.len;
    if (own.len > 0) {
        memcpy(s->own, own.ptr, own.len);
    }
}

/* A cost that would keep the node busy for minutes, or one that is none, is a lie of the host's. */
static MT_ERR read_parameters(struct mt_reader *r, struct mt_slot *s)
{
    const struct rule *rule = rule_of(s->kind);
    uint64_t cost = 0;
    mt_bytes own = {NULL, 0};
    MT_TRY(mt_cbor_read_uint(r, &cost));
    MT_REQUIRE(cost >= rule->cost_min && cost <= rule->cost_max, MT_E_FORMAT,
               "the cost of a key slot is out of its range");
    s->log2_cost = (uint32_t)cost;
    if (rule->version > 1) {
        MT_TRY(mt_cbor_read_bytes(r, &own));
    }
    MT_REQUIRE(own.len >= rule->own_min && own.len <= rule->own_max, MT_E_FORMAT,
               "what a key slot's kind needs has another length");
    if (s->kind == MT_SLOT_SHARES) {
        struct mt_share_set set;
        MT_TRY(mt_share_set_parse(own, &set));
    }
    set_own(s, own);
    return MT_OK;
}

MT_ERR mt_slot_parse(mt_bytes in, struct mt_slot *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_slot s = {.made_ms = 0};
    uint64_t count = 0;
    uint64_t version = 0;
    MT_TRY(mt_cbor_read_array(&r, UINT64_MAX, &count));
    MT_TRY(mt_cbor_read_uint(&r, &version));
    MT_REQUIRE(version == 1 || version == 2, MT_E_CONFLICT, "a key slot of another version");
    MT_REQUIRE(count == fields_of(version), MT_E_FORMAT, "a key slot has seven fields, or eight");
    MT_TRY(read_kind(&r, version, &s));
    MT_TRY(mt_cbor_read_uint(&r, &s.made_ms));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){s.salt, sizeof s.salt}));
    MT_TRY(read_parameters(&r, &s));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){s.wrapped, sizeof s.wrapped}));
    MT_TRY(mt_read_end(&r));
    *out = s;
    return MT_OK;
}

MT_ERR mt_credential_of_device(struct mt_device *d, struct mt_credential *out)
{
    MT_REQUIRE(mt_device_keeps(d), MT_E_ARG,
               "the machine's device keeps no key: it neither seals nor derives any");
    *out = (struct mt_credential){.kind = mt_device_seals(d) ? MT_SLOT_TPM : MT_SLOT_DERIVED,
                                  .device = d};
    return MT_OK;
}

static MT_ERR check_secret(const struct mt_credential *c)
{
    MT_REQUIRE(c->kind != MT_SLOT_FILE || c->secret.len >= MT_KEY_FILE_BYTES_MIN, MT_E_ARG,
               "a key file has at least 32 bytes");
    MT_REQUIRE(c->secret.len > 0, MT_E_ARG, "a passphrase is not empty");
    MT_REQUIRE(c->secret.len <= MT_CREDENTIAL_BYTES_MAX, MT_E_ARG,
               "a credential has at most 64 KiB");
    return MT_OK;
}

MT_ERR mt_credential_check(const struct mt_credential *c)
{
    switch (c->kind) {
    case MT_SLOT_PASSPHRASE:
    case MT_SLOT_FILE:
        return check_secret(c);
    case MT_SLOT_TPM:
    case MT_SLOT_DERIVED:
        MT_ASSERT(c->device != NULL);
        return MT_OK;
    case MT_SLOT_SHARES:
        MT_REQUIRE(c->secret.len == MT_SHARE_KEY_LEN, MT_E_ARG, "a key in shares has 32 bytes");
        return MT_OK;
    case MT_SLOT_PEER:
        MT_REQUIRE(c->secret.len == MT_PEER_KEY_LEN, MT_E_ARG, "a peer's key has 32 bytes");
        return MT_OK;
    case MT_SLOT_DAMAGED:
        break;
    }
    MT_FAIL(MT_E_ARG, "a credential is of no kind that opens a key slot");
}

/* What a TPM keeps for a slot, in a form that it alone opens. */
static MT_ERR keep_secret(struct mt_slot *s, const struct mt_credential *c)
{
    MT_DEFER(mt_secret_free) struct mt_secret *secret = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf sealed = mt_buf_of_max(MT_SLOT_OWN_BYTES_MAX);
    MT_TRY(mt_secret_random(MT_DEVICE_SECRET_LEN, &secret));
    MT_TRY(mt_device_seal(c->device, mt_secret_bytes(secret), s->is_next, &sealed));
    set_own(s, mt_buf_bytes(&sealed));
    return MT_OK;
}

/* Of which level what a device derives is. */
static MT_ERR keep_level(struct mt_slot *s, const struct mt_credential *c)
{
    MT_DEFER(mt_buf_free) struct mt_buf level = mt_buf_of_max(MT_DEVICE_LEVEL_LEN_MAX);
    MT_TRY(mt_device_level(c->device, &level));
    set_own(s, mt_buf_bytes(&level));
    return MT_OK;
}

/* What checks the shares of the key. */
static MT_ERR keep_set(struct mt_slot *s, const struct mt_credential *c)
{
    struct mt_share_set set;
    MT_TRY(mt_share_set_parse(c->set, &set));
    set_own(s, c->set);
    return MT_OK;
}

static void keep_peer(struct mt_slot *s, const struct mt_peer_name *name)
{
    uint8_t room[PEER_NAME_LEN];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_bytes(&w, mt_id_bytes(&name->key));
    mt_write_bytes(&w, mt_hash_bytes(&name->cluster));
    set_own(s, mt_write_done(&w));
}

void mt_slot_peer(const struct mt_slot *s, struct mt_peer_name *out)
{
    MT_ASSERT(s->kind == MT_SLOT_PEER && s->own_len == PEER_NAME_LEN);
    memcpy(out->key.b, s->own, sizeof out->key.b);
    memcpy(out->cluster.b, s->own + sizeof out->key.b, sizeof out->cluster.b);
}

/* Secrets that are 32 random bytes already, or a file that is as good. */
static bool is_key(enum mt_slot_kind kind)
{
    return kind == MT_SLOT_FILE || kind == MT_SLOT_SHARES || kind == MT_SLOT_PEER;
}

/* What a credential comes down to: 32 bytes for the KDF. */
static MT_ERR secret_of(const struct mt_slot *s, const struct mt_credential *c,
                        struct mt_secret **out)
{
    MT_DEFER(mt_secret_free) struct mt_secret *secret = NULL;
    mt_bytes salt = MT_BYTES_OF(s->salt);
    MT_TRY(mt_secret_new(MT_DEVICE_SECRET_LEN, &secret));
    mt_span room = mt_secret_span(secret);
    if (s->kind == MT_SLOT_PASSPHRASE) {
        MT_TRY(mt_kdf_passphrase(c->secret, salt, s->log2_cost, room));
    } else if (s->kind == MT_SLOT_TPM) {
        MT_TRY(mt_device_unseal(c->device, (mt_bytes){s->own, s->own_len}, room));
    } else {
        MT_TRY(mt_device_derive(c->device, salt, (mt_bytes){s->own, s->own_len}, room));
    }
    *out = secret;
    secret = NULL; /* given */
    return MT_OK;
}

static MT_ERR cipher_of(const struct mt_slot *s, const struct mt_credential *c,
                        struct mt_aead **out)
{
    MT_DEFER(mt_secret_free) struct mt_secret *secret = NULL;
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    mt_bytes content = c->secret;
    if (!is_key(s->kind)) {
        MT_TRY(secret_of(s, c, &secret));
        content = mt_secret_bytes(secret);
    }
    MT_TRY(mt_secret_new(MT_AEAD_KEY_LEN, &key));
    MT_TRY(mt_kdf(content, rule_of(s->kind)->label, MT_BYTES_OF(s->salt), mt_secret_span(key)));
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
    struct mt_slot s = {
        .purpose = out->purpose, .kind = c->kind, .made_ms = out->made_ms, .is_next = out->is_next};
    MT_DEFER(mt_aead_free) struct mt_aead *aead = NULL;
    uint8_t room[MT_KEY_SLOT_BYTES_MAX];
    MT_TRY(mt_credential_check(c));
    MT_REQUIRE(s.purpose == MT_SLOT_FOR_ROOT || rule_of(s.kind)->is_of_backups, MT_E_ARG,
               "a backup opens with a passphrase or a key file: its machine may be gone");
    s.log2_cost = c->kind == MT_SLOT_PASSPHRASE ? LOG2_COST : 0;
    MT_TRY(mt_random((mt_span){s.salt, sizeof s.salt}));
    if (c->kind == MT_SLOT_TPM) {
        MT_TRY(keep_secret(&s, c));
    } else if (c->kind == MT_SLOT_DERIVED) {
        MT_TRY(keep_level(&s, c));
    } else if (c->kind == MT_SLOT_SHARES) {
        MT_TRY(keep_set(&s, c));
    } else if (c->kind == MT_SLOT_PEER) {
        keep_peer(&s, &c->peer);
    }
    /* A TPM is asked for its secret at once: a slot that it does not open is no slot. */
    MT_TRY(cipher_of(&s, c, &aead));
    const mt_bytes aad = aad_of(&s, (mt_span){room, sizeof room});
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
