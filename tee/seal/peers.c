/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/peers.h"

#include "base/assert.h"
#include "crypto/context.h"
#include "wire/cbor.h"

/* CBOR [1, [[id, key, made, policy]...]], in the order in which they were made. */
enum { VERSION = 1, FIELDS = 4 };
static const char name[] = "peers.mts";
static const char full[] = "peer-keys-full"; /* with the policies: spec/key-slot.md */

void mt_peers_write(struct mt_writer *w, const struct mt_peers *p)
{
    mt_cbor_write_array(w, 2);
    mt_cbor_write_uint(w, VERSION);
    mt_cbor_write_array(w, p->count);
    for (size_t i = 0; i < p->count; i++) {
        mt_cbor_write_array(w, FIELDS);
        mt_cbor_write_bytes(w, mt_id_bytes(&p->keys[i].id));
        mt_cbor_write_bytes(w, p->keys[i].key);
        mt_cbor_write_uint(w, p->keys[i].made_ms);
        mt_cbor_write_bytes(w, p->keys[i].policy);
    }
}

static MT_ERR read_key(struct mt_reader *r, struct mt_peer_key *out)
{
    uint64_t fields = 0;
    MT_TRY(mt_cbor_read_array(r, FIELDS, &fields));
    MT_REQUIRE(fields == FIELDS, MT_E_FORMAT, "a key for a peer has four parts");
    MT_TRY(mt_cbor_read_copy(r, (mt_span){out->id.b, sizeof out->id.b}));
    MT_TRY(mt_cbor_read_bytes(r, &out->key));
    MT_REQUIRE(out->key.len == MT_PEER_KEY_LEN, MT_E_FORMAT, "a key for a peer has 32 bytes");
    MT_TRY(mt_cbor_read_uint(r, &out->made_ms));
    MT_TRY(mt_cbor_read_bytes(r, &out->policy));
    MT_REQUIRE(out->policy.len > 0 && out->policy.len <= MT_PEER_POLICY_BYTES_MAX, MT_E_FORMAT,
               "the policy for a peer has another length");
    return MT_OK;
}

MT_ERR mt_peers_parse(mt_bytes in, struct mt_peers *out)
{
    struct mt_reader r = mt_reader_over(in);
    uint64_t fields = 0;
    uint64_t version = 0;
    uint64_t count = 0;
    MT_TRY(mt_cbor_read_array(&r, UINT64_MAX, &fields));
    MT_TRY(mt_cbor_read_uint(&r, &version));
    MT_REQUIRE(version == VERSION, MT_E_CONFLICT, "keys for peers of another version");
    MT_REQUIRE(fields == 2, MT_E_FORMAT, "keys for peers have two parts");
    MT_TRY(mt_cbor_read_array(&r, MT_PEER_KEYS_MAX, &count));
    for (size_t i = 0; i < count; i++) {
        struct mt_peer_key k;
        MT_TRY(read_key(&r, &k));
        for (size_t j = 0; j < i; j++) {
            MT_REQUIRE(!mt_id_equal(&k.id, &out->keys[j].id), MT_E_FORMAT,
                       "two keys for peers have one name");
        }
        out->keys[i] = k;
    }
    MT_TRY(mt_read_end(&r));
    out->count = (size_t)count;
    return MT_OK;
}

void mt_peers_free(struct mt_peers *p)
{
    mt_buf_free(&p->bytes);
    p->count = 0;
}

MT_ERR mt_peers_read(struct mt_fs *fs, const struct mt_root *r, struct mt_peers *out)
{
    *out = (struct mt_peers){.bytes = mt_buf_of_max(MT_SMALL_FILE_BYTES_MAX)};
    mt_err e = mt_small_file_read(fs, r, name, &out->bytes);
    bool is_missing = mt_failed(e) && e.fault->code == MT_E_NOTFOUND;
    e = mt_failed(e) ? e : mt_peers_parse(mt_buf_bytes(&out->bytes), out);
    if (mt_failed(e)) {
        mt_peers_free(out);
    }
    return is_missing ? MT_OK : e;
}

const struct mt_peer_key *mt_peers_find(const struct mt_peers *p, const mt_id *id)
{
    for (size_t i = 0; i < p->count; i++) {
        if (mt_id_equal(&p->keys[i].id, id)) {
            return &p->keys[i];
        }
    }
    return NULL;
}

static MT_ERR put(struct mt_fs *fs, const struct mt_root *r, const struct mt_peers *p)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_SMALL_FILE_BYTES_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    mt_bytes content;
    mt_peers_write(&w, p);
    mt_err e = mt_write_end(&w, &content);
    MT_REQUIRE(!mt_failed(e) || e.fault->code != MT_E_LIMIT, MT_E_LIMIT, full);
    MT_TRY(e);
    return mt_small_file_write(fs, r, name, content);
}

MT_ERR mt_peers_add(struct mt_fs *fs, const struct mt_root *r, mt_bytes policy,
                    uint64_t host_time_ms, mt_id *id)
{
    MT_DEFER(mt_peers_free) struct mt_peers p;
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    struct mt_peer_key k = {.made_ms = host_time_ms, .policy = policy};
    MT_TRY(mt_peers_read(fs, r, &p));
    MT_REQUIRE(p.count < MT_PEER_KEYS_MAX, MT_E_LIMIT, full);
    MT_REQUIRE(policy.len > 0 && policy.len <= MT_PEER_POLICY_BYTES_MAX, MT_E_LIMIT,
               "the policy for a peer is too long");
    MT_TRY(mt_secret_random(MT_PEER_KEY_LEN, &key));
    MT_TRY(mt_random((mt_span){k.id.b, sizeof k.id.b}));
    k.key = mt_secret_bytes(key);
    p.keys[p.count++] = k;
    MT_TRY(put(fs, r, &p));
    *id = k.id;
    return MT_OK;
}

MT_ERR mt_peers_remove(struct mt_fs *fs, const struct mt_root *r, const mt_id *id)
{
    MT_DEFER(mt_peers_free) struct mt_peers p;
    MT_TRY(mt_peers_read(fs, r, &p));
    const struct mt_peer_key *k = mt_peers_find(&p, id);
    MT_REQUIRE(k != NULL, MT_E_NOTFOUND, "no key is kept under this name");
    for (size_t i = (size_t)(k - p.keys); i + 1 < p.count; i++) {
        p.keys[i] = p.keys[i + 1];
    }
    p.count--;
    return put(fs, r, &p);
}
