/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/ct.h"
#include "crypto/kdf.h"
#include "ledger/inside.h"
#include "ledger/snapshot.h"
#include "wire/cbor.h"

/* Taking a version of the state, writing it to the disk, and starting from it. */

enum {
    FRAME_WANTED = 64 * 1024, /* a frame ends behind the entry that reaches it */
    FRAME_MAX = FRAME_WANTED + MT_KEY_BYTES_MAX + MT_VALUE_BYTES_MAX + 256 +
                16 * MT_SNAPSHOT_FRAME_ENTRIES_MAX,
    WRITE_BYTES = 1024 * 1024,
    NAME_DIGITS = 20,
    NAME_AT = 9, /* behind "snapshot/" */
    NAME_ROOM = NAME_AT + NAME_DIGITS + 4 + 1,
};

static const char unfinished[] = "snapshot/unfinished.new";

static void write_name(uint64_t txid, char out[NAME_ROOM])
{
    memcpy(out, "snapshot/", NAME_AT);
    for (size_t i = 0; i < NAME_DIGITS; i++) {
        out[NAME_AT + NAME_DIGITS - 1 - i] = (char)('0' + txid % 10);
        txid /= 10;
    }
    memcpy(out + NAME_AT + NAME_DIGITS, ".mts", sizeof ".mts");
}

static bool read_name(const char *name, uint64_t *txid)
{
    char again[NAME_ROOM];
    mt_bytes n = mt_bytes_of_text(name);
    uint64_t value = 0;
    if (n.len != NAME_ROOM - 1 - NAME_AT) {
        return false;
    }
    for (size_t i = 0; i < NAME_DIGITS; i++) {
        value = value * 10 + (uint64_t)(n.ptr[i] - '0'); /* wraps for a name that is not ours */
    }
    write_name(value, again);
    *txid = value;
    return mt_bytes_equal(n, (mt_bytes){(const uint8_t *)again + NAME_AT, n.len});
}

static MT_ERR derive_key(const struct mt_secret *secret, const struct mt_snapshot_head *h,
                         struct mt_aead **out)
{
    uint8_t head[MT_SNAPSHOT_HEAD_LEN];
    mt_snapshot_head_write(h, head);
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_TRY(mt_secret_new(MT_AEAD_KEY_LEN, &key));
    MT_TRY(mt_kdf(mt_secret_bytes(secret), MT_LABEL_SNAPSHOT_KEY, MT_BYTES_OF(head),
                  mt_secret_span(key)));
    return mt_aead_new(mt_secret_bytes(key), out);
}

MT_ERR mt_snapshot_hold(struct mt_ledger *l, uint64_t block, struct mt_ledger_snapshot **out)
{
    struct mt_ledger_snapshot *s = calloc(1, sizeof *s);
    MT_REQUIRE(s != NULL, MT_E_NOMEM, "no memory for a snapshot");
    s->fs = l->fs;
    s->head =
        (struct mt_snapshot_head){.cluster_id = l->cluster_id, .txid = l->version, .block = block};
    for (; s->count < l->state.count; s->count++) {
        const struct mt_state_map *m = &l->state.maps[s->count];
        s->maps[s->count] = *m;
        s->maps[s->count].map = mt_map_hold(&m->map);
    }
    *out = s;
    return MT_OK;
}

MT_ERR mt_ledger_snapshot_begin(struct mt_ledger *l, struct mt_ledger_snapshot **out)
{
    bool is_quiet = !l->is_writing && l->draft.count == 0;
    MT_ASSERT(!l->tx.is_open);
    MT_REQUIRE(!l->is_dead, MT_E_CLOSED, "a write of the ledger has failed: the node must stop");
    if (l->held == NULL && is_quiet) {
        MT_TRY(mt_snapshot_hold(l, l->last_block, &l->held));
        l->held->head.block_hash = l->last_hash;
        l->held->ledger_bytes = l->bytes;
        l->held->is_durable = true;
    }
    l->wants_snapshot = true;
    MT_REQUIRE(l->held != NULL && l->held->is_durable, MT_E_BUSY,
               "what is appended is not yet durable");
    struct mt_ledger_snapshot *s = l->held;
    MT_TRY(mt_random((mt_span){s->head.salt.b, sizeof s->head.salt.b}));
    MT_TRY(derive_key(l->secret, &s->head, &s->key));
    l->held = NULL;
    l->wants_snapshot = false;
    *out = s;
    return MT_OK;
}

void mt_ledger_snapshot_bytes(const struct mt_ledger_snapshot *s, uint64_t *ledger, uint64_t *file)
{
    *ledger = s->ledger_bytes;
    *file = s->file_bytes;
}

void mt_ledger_snapshot_end(struct mt_ledger *l, struct mt_ledger_snapshot **snapshot)
{
    struct mt_ledger_snapshot *s = *snapshot;
    *snapshot = NULL;
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        mt_map_drop(&l->state.pool, &s->maps[i].map);
    }
    mt_aead_free(&s->key);
    free(s);
}

/* Frames on their way to the file. */
struct out {
    struct mt_ledger_snapshot *s;
    struct mt_file *file;
    uint64_t at;
    uint64_t frames;
    uint64_t entries;
    struct mt_buf plain;
    struct mt_buf bytes;
    const struct mt_item **items; /* of the frame at hand */
    size_t count;
};

static void out_done(struct out *o)
{
    mt_file_close(&o->file);
    mt_buf_free(&o->plain);
    mt_buf_free(&o->bytes);
    free((void *)o->items);
}

static MT_ERR flush(struct out *o)
{
    MT_TRY(mt_file_write_at(o->file, o->at, mt_buf_bytes(&o->bytes)));
    o->at += o->bytes.len;
    mt_buf_drop(&o->bytes, o->bytes.len);
    return MT_OK;
}

/* Length of the content, then content and tag under the next number. */
static MT_ERR seal_frame(struct out *o)
{
    uint8_t nonce[MT_AEAD_NONCE_LEN];
    mt_span room;
    struct mt_writer w = mt_writer_onto(&o->bytes);
    mt_write_u32le(&w, (uint32_t)o->plain.len);
    MT_TRY(w.failed);
    mt_aead_nonce_of(o->frames++, nonce);
    MT_TRY(mt_buf_reserve(&o->bytes, o->plain.len + MT_AEAD_TAG_LEN, &room));
    MT_TRY(mt_aead_seal(o->s->key, MT_BYTES_OF(nonce), (mt_bytes){NULL, 0}, mt_buf_bytes(&o->plain),
                        room));
    o->bytes.len += room.len;
    mt_buf_drop(&o->plain, o->plain.len);
    return o->bytes.len < WRITE_BYTES ? MT_OK : flush(o);
}

static MT_ERR write_map_frame(struct out *o, const struct mt_state_map *m)
{
    struct mt_writer w = mt_writer_onto(&o->plain);
    const struct mt_snapshot_frame f = {
        .entries = o->count, .map = {m->name, m->name_len}, .is_public = m->is_public};
    mt_snapshot_frame_write(&w, &f);
    for (size_t i = 0; i < o->count; i++) {
        mt_cbor_write_bytes(&w, mt_item_key(o->items[i]));
        mt_cbor_write_bytes(&w, mt_item_value(o->items[i]));
    }
    MT_TRY(w.failed);
    o->entries += o->count;
    o->count = 0;
    return seal_frame(o);
}

static MT_ERR write_map(struct out *o, const struct mt_state_map *m)
{
    struct mt_map_cursor c;
    size_t len = 0;
    mt_map_seek(&m->map, (mt_bytes){NULL, 0}, false, &c);
    for (const struct mt_item *i = mt_map_next(&c); i != NULL; i = mt_map_next(&c)) {
        o->items[o->count++] = i;
        len += mt_item_key(i).len + mt_item_value(i).len + 8;
        if (len >= FRAME_WANTED || o->count == MT_SNAPSHOT_FRAME_ENTRIES_MAX) {
            MT_TRY(write_map_frame(o, m));
            len = 0;
        }
    }
    return o->count == 0 ? MT_OK : write_map_frame(o, m);
}

static MT_ERR write_content(struct out *o)
{
    uint8_t head[MT_SNAPSHOT_HEAD_LEN];
    mt_snapshot_head_write(&o->s->head, head);
    MT_TRY(mt_buf_append(&o->bytes, MT_BYTES_OF(head)));
    for (size_t i = 0; i < o->s->count; i++) {
        MT_TRY(write_map(o, &o->s->maps[i]));
    }
    struct mt_writer w = mt_writer_onto(&o->plain);
    mt_snapshot_frame_write(&w, &(struct mt_snapshot_frame){.is_end = true, .entries = o->entries});
    MT_TRY(w.failed);
    MT_TRY(seal_frame(o));
    MT_TRY(flush(o));
    return mt_file_sync(o->file);
}

/* Names of snapshots, in order, as the transactions they say. */
static mt_err list_one(void *state, const char *name)
{
    struct mt_buf *out = state;
    uint64_t txid = 0;
    if (!read_name(name, &txid)) {
        return MT_OK;
    }
    return mt_buf_append(out, MT_BYTES_OF(txid));
}

static uint64_t number_at(const struct mt_buf *list, size_t i)
{
    uint64_t number = 0;
    memcpy(&number, list->ptr + i * sizeof number, sizeof number);
    return number;
}

static MT_ERR remove_quietly(struct mt_fs *fs, const char *name)
{
    mt_err e = mt_fs_remove(fs, name);
    return mt_failed(e) && e.fault->code == MT_E_NOTFOUND ? MT_OK : e;
}

static MT_ERR remove_older(struct mt_fs *fs, uint64_t newest)
{
    MT_DEFER(mt_buf_free) struct mt_buf list = mt_buf_of_max(WRITE_BYTES);
    MT_TRY(mt_fs_list(fs, "snapshot", list_one, &list));
    for (size_t i = 0; i < list.len / sizeof(uint64_t); i++) {
        char name[NAME_ROOM];
        uint64_t txid = number_at(&list, i);
        write_name(txid, name);
        if (txid != newest) {
            MT_TRY(remove_quietly(fs, name));
        }
    }
    return MT_OK;
}

MT_ERR mt_ledger_snapshot_run(struct mt_ledger_snapshot *s)
{
    char name[NAME_ROOM];
    MT_DEFER(out_done)
    struct out o = {
        .s = s,
        .plain = mt_buf_of_max(FRAME_MAX),
        .bytes = mt_buf_of_max(2 * (size_t)WRITE_BYTES + FRAME_MAX),
    };
    o.items = calloc(MT_SNAPSHOT_FRAME_ENTRIES_MAX, sizeof *o.items);
    MT_REQUIRE(o.items != NULL, MT_E_NOMEM, "no memory for a snapshot");
    write_name(s->head.txid, name);
    MT_TRY(remove_quietly(s->fs, unfinished));
    MT_TRY(mt_fs_open(s->fs, unfinished, MT_FS_CREATE, &o.file));
    MT_TRY(write_content(&o));
    s->file_bytes = o.at;
    MT_TRY(mt_fs_rename(s->fs, unfinished, name));
    MT_TRY(mt_fs_sync_dir(s->fs, "snapshot"));
    return remove_older(s->fs, s->head.txid);
}

/* A snapshot that is being read. */
struct in {
    struct mt_ledger *l;
    struct mt_file *file;
    struct mt_aead *key;
    uint64_t size;
    uint64_t at;
    uint64_t frames;
    uint64_t entries;
    uint8_t *sealed;
    uint8_t *plain;
};

static void in_done(struct in *i)
{
    mt_file_close(&i->file);
    mt_aead_free(&i->key);
    free(i->sealed);
    if (i->plain != NULL) {
        mt_wipe((mt_span){i->plain, FRAME_MAX});
    }
    free(i->plain);
}

static MT_ERR read_exactly(struct in *i, mt_span out)
{
    size_t got = 0;
    MT_TRY(mt_file_read_at(i->file, i->at, out, &got));
    MT_REQUIRE(got == out.len, MT_E_PROOF, "a snapshot ends too early");
    i->at += got;
    return MT_OK;
}

static MT_ERR read_frame(struct in *i, struct mt_snapshot_frame *out)
{
    uint8_t prefix[4];
    uint8_t nonce[MT_AEAD_NONCE_LEN];
    uint32_t len = 0;
    MT_TRY(read_exactly(i, (mt_span){prefix, sizeof prefix}));
    struct mt_reader r = mt_reader_over(MT_BYTES_OF(prefix));
    MT_TRY(mt_read_u32le(&r, &len));
    MT_REQUIRE(len <= FRAME_MAX, MT_E_PROOF, "a frame of a snapshot is too long");
    MT_TRY(read_exactly(i, (mt_span){i->sealed, (size_t)len + MT_AEAD_TAG_LEN}));
    mt_aead_nonce_of(i->frames++, nonce);
    MT_TRY(mt_aead_unseal(i->key, MT_BYTES_OF(nonce), (mt_bytes){NULL, 0},
                          (mt_bytes){i->sealed, (size_t)len + MT_AEAD_TAG_LEN},
                          (mt_span){i->plain, len}));
    return mt_snapshot_frame_parse((mt_bytes){i->plain, len}, out);
}

static MT_ERR put_entries(struct in *i, const struct mt_snapshot_frame *f)
{
    struct mt_state *state = &i->l->state;
    struct mt_state_map *m = NULL;
    struct mt_reader r = mt_reader_over(f->pairs);
    MT_TRY(mt_state_reach(state, f->map, f->is_public, &m));
    for (uint64_t n = 0; n < f->entries; n++) {
        mt_bytes key;
        mt_bytes value;
        struct mt_item *item = NULL;
        struct mt_item *old = NULL;
        MT_TRY(mt_cbor_read_bytes(&r, &key));
        MT_TRY(mt_cbor_read_bytes(&r, &value));
        MT_TRY(mt_item_new(key, value, &item));
        mt_err e = mt_map_put(&state->pool, &m->map, item, &old);
        if (mt_failed(e)) {
            mt_item_drop(&item);
            return e;
        }
        bool is_twice = old != NULL;
        mt_item_drop(&old);
        MT_REQUIRE(!is_twice, MT_E_PROOF, "an entry stands twice in a snapshot");
    }
    i->entries += f->entries;
    return MT_OK;
}

static MT_ERR read_content(struct in *i, uint64_t txid, struct mt_snapshot_head *out)
{
    uint8_t bytes[MT_SNAPSHOT_HEAD_LEN];
    struct mt_snapshot_head head;
    struct mt_snapshot_frame f = {.is_end = false};
    MT_TRY(mt_file_size(i->file, &i->size));
    MT_TRY(read_exactly(i, (mt_span){bytes, sizeof bytes}));
    MT_TRY(mt_snapshot_head_parse(MT_BYTES_OF(bytes), &head));
    MT_REQUIRE(head.txid == txid, MT_E_PROOF, "a snapshot stands under another's name");
    MT_TRY(derive_key(i->l->secret, &head, &i->key));
    for (;;) {
        MT_TRY(read_frame(i, &f));
        if (f.is_end) {
            break;
        }
        MT_TRY(put_entries(i, &f));
    }
    MT_REQUIRE(f.entries == i->entries && i->at == i->size, MT_E_PROOF,
               "a snapshot does not end where it says");
    *out = head;
    return MT_OK;
}

static MT_ERR load(struct mt_ledger *l, uint64_t txid, struct mt_snapshot_head *out)
{
    char name[NAME_ROOM];
    MT_DEFER(in_done) struct in i = {.l = l};
    i.sealed = malloc(FRAME_MAX + MT_AEAD_TAG_LEN);
    i.plain = malloc(FRAME_MAX);
    MT_REQUIRE(i.sealed != NULL && i.plain != NULL, MT_E_NOMEM, "no memory to read a snapshot");
    write_name(txid, name);
    MT_TRY(mt_fs_open(l->fs, name, MT_FS_READ, &i.file));
    mt_err e = read_content(&i, txid, out);
    enum mt_code code = mt_failed(e) ? e.fault->code : MT_E_INTERNAL;
    MT_REQUIRE(code != MT_E_FORMAT && code != MT_E_LIMIT, MT_E_PROOF,
               "a snapshot holds what no node of ours has written");
    return e;
}

MT_ERR mt_snapshot_load(struct mt_ledger *l, struct mt_snapshot_head *out, bool *is_found)
{
    MT_DEFER(mt_buf_free) struct mt_buf list = mt_buf_of_max(WRITE_BYTES);
    mt_err e = mt_fs_list(l->fs, "snapshot", list_one, &list);
    if (mt_failed(e) && e.fault->code != MT_E_NOTFOUND) {
        return e;
    }
    *is_found = list.len > 0;
    return *is_found ? load(l, number_at(&list, list.len / sizeof(uint64_t) - 1), out) : MT_OK;
}
