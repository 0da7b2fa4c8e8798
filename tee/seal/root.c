/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/root.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/kdf.h"
#include "seal/inside.h"

/* Key slots lie in slots/slot-N.mtk; one that is being written, in slots/new. */
enum { NAME_ROOM = 24, DIGIT_AT = 11 };
static const char unfinished[] = "slots/new";

struct mt_root {
    struct mt_secret *key;
    uint32_t slot; /* which opened it, or was made with it */
};

static void slot_name(uint32_t number, char out[NAME_ROOM])
{
    static const char name[] = "slots/slot-0.mtk";
    MT_ASSERT(number < MT_KEY_SLOTS_MAX);
    memcpy(out, name, sizeof name);
    out[DIGIT_AT] = (char)('0' + number);
}

static bool is_not_found(mt_err e)
{
    return mt_failed(e) && e.fault->code == MT_E_NOTFOUND;
}

static MT_ERR put_slot(struct mt_fs *fs, uint32_t number, const struct mt_slot_made *s)
{
    char name[NAME_ROOM];
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    slot_name(number, name);
    MT_TRY(mt_seal_destroy(fs, unfinished)); /* of an earlier try that a crash cut short */
    MT_TRY(mt_fs_open(fs, unfinished, MT_FS_CREATE, &f));
    MT_TRY(mt_fs_sync_dir(fs, "slots")); /* the name before the content: it can always be found */
    MT_TRY(mt_file_write_at(f, 0, (mt_bytes){s->bytes, s->len}));
    MT_TRY(mt_file_sync(f));
    MT_TRY(mt_fs_rename(fs, unfinished, name));
    return mt_fs_sync_dir(fs, "slots");
}

/* MT_E_FORMAT: it is there, and damaged; MT_E_CONFLICT: of another version. */
static MT_ERR get_slot(struct mt_fs *fs, uint32_t number, struct mt_slot *out)
{
    uint8_t room[MT_KEY_SLOT_BYTES_MAX];
    char name[NAME_ROOM];
    size_t got = 0;
    struct mt_slot s;
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    slot_name(number, name);
    MT_TRY(mt_fs_open(fs, name, MT_FS_READ, &f));
    MT_TRY(mt_file_read_at(f, 0, (mt_span){room, sizeof room}, &got));
    mt_err e = mt_slot_parse((mt_bytes){room, got}, &s);
    if (mt_failed(e) && e.fault->code == MT_E_CONFLICT) {
        return e;
    }
    MT_REQUIRE(!mt_failed(e) && s.purpose == MT_SLOT_FOR_ROOT, MT_E_FORMAT,
               "a key slot is damaged");
    *out = s;
    return MT_OK;
}

/* Of a failure: a slot is there, and nothing that we can read. */
static bool is_unreadable(mt_err e)
{
    return e.fault->code == MT_E_FORMAT || e.fault->code == MT_E_CONFLICT;
}

static MT_ERR new_root(struct mt_root **out)
{
    MT_DEFER(mt_root_free) struct mt_root *r = calloc(1, sizeof *r);
    MT_REQUIRE(r != NULL, MT_E_NOMEM, "no memory for the root key");
    MT_TRY(mt_secret_new(MT_SLOT_KEY_LEN, &r->key));
    *out = r;
    r = NULL; /* given */
    return MT_OK;
}

void mt_root_free(struct mt_root **r)
{
    if (*r != NULL) {
        mt_secret_free(&(*r)->key);
        free(*r);
        *r = NULL;
    }
}

mt_bytes mt_root_key(const struct mt_root *r)
{
    return mt_secret_bytes(r->key);
}

MT_ERR mt_slot_list(struct mt_fs *fs, struct mt_slot_info *out, size_t max, size_t *count)
{
    size_t n = 0;
    for (uint32_t i = 0; i < MT_KEY_SLOTS_MAX && n < max; i++) {
        struct mt_slot s = {.kind = MT_SLOT_DAMAGED};
        mt_err e = get_slot(fs, i, &s);
        if (is_not_found(e)) {
            continue;
        }
        if (mt_failed(e) && !is_unreadable(e)) {
            return e;
        }
        out[n] = (struct mt_slot_info){.number = i, .kind = s.kind, .made_ms = s.made_ms};
        if (s.kind == MT_SLOT_SHARES) {
            e = mt_share_set_parse((mt_bytes){s.own, s.own_len}, &out[n].set);
            MT_ASSERT(!mt_failed(e)); /* else the slot had not been parsed */
        } else if (s.kind == MT_SLOT_PEER) {
            mt_slot_peer(&s, &out[n].peer);
        }
        n++;
    }
    *count = n;
    return MT_OK;
}

/* `s` has `is_next` set, and gets the rest. */
static MT_ERR seal_slot(struct mt_slot *s, mt_bytes key, const struct mt_credential *c,
                        uint64_t host_time_ms, struct mt_slot_made *out)
{
    struct mt_writer w = mt_writer_over((mt_span){out->bytes, sizeof out->bytes});
    s->purpose = MT_SLOT_FOR_ROOT;
    s->made_ms = host_time_ms;
    MT_TRY(mt_slot_seal(s, c, key));
    mt_slot_write(&w, s);
    out->len = mt_write_done(&w).len;
    return MT_OK;
}

static MT_ERR make_slot(mt_bytes key, const struct mt_credential *c, uint64_t host_time_ms,
                        struct mt_slot_made *out)
{
    struct mt_slot s = {.is_next = false};
    return seal_slot(&s, key, c, host_time_ms, out);
}

MT_ERR mt_slot_make(const struct mt_root *r, const struct mt_credential *c, uint64_t host_time_ms,
                    struct mt_slot_made *out)
{
    return make_slot(mt_root_key(r), c, host_time_ms, out);
}

MT_ERR mt_root_create_with(struct mt_fs *fs, const struct mt_credential *c, uint64_t host_time_ms,
                           mt_bytes key)
{
    struct mt_slot_info info[MT_KEY_SLOTS_MAX];
    struct mt_slot_made s = {.len = 0};
    size_t count = 0;
    MT_TRY(mt_fs_make_dir(fs, "slots"));
    MT_TRY(mt_fs_sync_dir(fs, "."));
    MT_TRY(mt_slot_list(fs, info, MT_KEY_SLOTS_MAX, &count));
    MT_REQUIRE(count == 0, MT_E_CONFLICT, "there is a root key already");
    MT_TRY(make_slot(key, c, host_time_ms, &s));
    return put_slot(fs, 0, &s);
}

MT_ERR mt_root_create(struct mt_fs *fs, const struct mt_credential *c, uint64_t host_time_ms,
                      struct mt_root **out)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    MT_TRY(new_root(&r));
    MT_ASSERT(r != NULL);
    MT_TRY(mt_random(mt_secret_span(r->key)));
    MT_TRY(mt_root_create_with(fs, c, host_time_ms, mt_root_key(r)));
    *out = r;
    r = NULL; /* given */
    return MT_OK;
}

/* What it was that kept slots from opening matters only if none does, and then the worst: a disk or
 * a device that fails, before one that says no or a slot of another program, before a wrong secret.
 */
static int weight(mt_err e)
{
    if (!mt_failed(e)) {
        return 0;
    }
    if (e.fault->code == MT_E_PROOF || e.fault->code == MT_E_FORMAT) {
        return 1;
    }
    return e.fault->code == MT_E_DENIED || e.fault->code == MT_E_CONFLICT ? 2 : 3;
}

/* Whether slot `number` opens; `why` keeps the worst. */
static bool opens(struct mt_fs *fs, uint32_t number, const struct mt_credential *c,
                  struct mt_root *r, mt_err *why)
{
    struct mt_slot s;
    mt_err e = get_slot(fs, number, &s);
    if (is_not_found(e)) {
        return false;
    }
    e = mt_failed(e) ? e : mt_slot_unseal(&s, c, mt_secret_span(r->key));
    *why = weight(e) > weight(*why) ? e : *why;
    return !mt_failed(e);
}

MT_ERR mt_root_open(struct mt_fs *fs, const struct mt_credential *c, struct mt_root **out)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    mt_err why = MT_OK;
    MT_TRY(mt_credential_check(c));
    MT_TRY(mt_seal_destroy(fs, unfinished)); /* nobody was told that it opens the node */
    MT_TRY(new_root(&r));
    MT_ASSERT(r != NULL);
    for (uint32_t i = 0; i < MT_KEY_SLOTS_MAX; i++) {
        if (opens(fs, i, c, r, &why)) {
            r->slot = i;
            *out = r;
            r = NULL; /* given */
            return MT_OK;
        }
    }
    MT_REQUIRE(mt_failed(why), MT_E_NOTFOUND, "there is no key slot");
    MT_REQUIRE(!is_not_found(why), MT_E_IO, "the device misses what it opens a key slot with");
    MT_REQUIRE(weight(why) > 1 || c->device != NULL, MT_E_PROOF,
               "no key slot opens: wrong key file or passphrase, or a damaged slot");
    MT_REQUIRE(weight(why) > 1, MT_E_PROOF,
               "the machine's device opens no key slot: it is of another machine, or a slot is "
               "damaged");
    return why;
}

MT_ERR mt_slot_put(struct mt_fs *fs, const struct mt_slot_made *s, uint32_t *number)
{
    for (uint32_t i = 0; i < MT_KEY_SLOTS_MAX; i++) {
        struct mt_slot taken;
        mt_err e = get_slot(fs, i, &taken);
        if (is_not_found(e)) {
            MT_TRY(put_slot(fs, i, s));
            *number = i;
            return MT_OK;
        }
        if (mt_failed(e) && !is_unreadable(e)) {
            return e;
        }
    }
    MT_FAIL(MT_E_LIMIT, "all eight key slots are taken");
}

MT_ERR mt_slot_add(struct mt_fs *fs, struct mt_root *r, const struct mt_credential *c,
                   uint64_t host_time_ms, uint32_t *number)
{
    struct mt_slot_made s = {.len = 0};
    MT_TRY(mt_slot_make(r, c, host_time_ms, &s));
    return mt_slot_put(fs, &s, number);
}

/* Those that the same TPM made, and denies. What firmware denies may be another machine's. */
static MT_ERR remove_denied(struct mt_fs *fs, const struct mt_credential *c)
{
    MT_DEFER(mt_root_free) struct mt_root *again = NULL;
    if (c->kind != MT_SLOT_TPM) {
        return MT_OK;
    }
    MT_TRY(new_root(&again));
    MT_ASSERT(again != NULL);
    for (uint32_t i = 0; i < MT_KEY_SLOTS_MAX; i++) {
        mt_err why = MT_OK;
        if (!opens(fs, i, c, again, &why) && mt_failed(why) && why.fault->code == MT_E_DENIED) {
            MT_TRY(mt_slot_remove(fs, i));
        }
    }
    return MT_OK;
}

/* Once what replaces it is durable. */
static MT_ERR retire_before(struct mt_fs *fs, const struct mt_credential *c,
                            const struct mt_slot *next)
{
    if (c->device == NULL) { /* a key file's, of a node that shares have opened */
        return MT_OK;
    }
    MT_TRY(mt_device_retire(c->device, (mt_bytes){next->own, next->own_len}));
    return remove_denied(fs, c);
}

MT_ERR mt_slot_renew(struct mt_fs *fs, struct mt_root *r, const struct mt_credential *c,
                     uint64_t host_time_ms, uint32_t *number)
{
    struct mt_slot next = {.is_next = true};
    struct mt_slot_made made = {.len = 0};
    /* Before anything that stands is touched. */
    MT_TRY(seal_slot(&next, mt_root_key(r), c, host_time_ms, &made));
    MT_TRY(remove_denied(fs, c)); /* room for it */
    MT_TRY(mt_slot_put(fs, &made, number));
    return retire_before(fs, c, &next);
}

/* One slot that opens. */
static MT_ERR refresh_one(struct mt_fs *fs, const struct mt_root *r, uint32_t number,
                          const struct mt_credential *c, struct mt_slot *next)
{
    bool is_current = false;
    struct mt_slot s = {.own_len = 0};
    struct mt_slot_made made = {.len = 0};
    MT_TRY(get_slot(fs, number, &s));
    MT_TRY(mt_device_is_current(c->device, (mt_bytes){s.own, s.own_len}, &is_current));
    if (is_current) { /* what a crash may have left undone */
        return mt_device_retire(c->device, (mt_bytes){s.own, s.own_len});
    }
    MT_TRY(seal_slot(next, mt_root_key(r), c, next->made_ms, &made));
    MT_TRY(put_slot(fs, number, &made));
    return retire_before(fs, c, next);
}

MT_ERR mt_slot_refresh(struct mt_fs *fs, const struct mt_root *r, const struct mt_credential *c,
                       uint64_t host_time_ms, bool *is_made)
{
    MT_DEFER(mt_root_free) struct mt_root *again = NULL;
    *is_made = false;
    MT_TRY(new_root(&again));
    MT_ASSERT(again != NULL);
    for (uint32_t i = 0; i < MT_KEY_SLOTS_MAX; i++) {
        mt_err why = MT_OK;
        struct mt_slot next = {.is_next = true, .made_ms = host_time_ms};
        /* Of a TPM, which takes its time, the others go as soon as one is retired. */
        bool is_asked = c->kind == MT_SLOT_DERIVED && opens(fs, i, c, again, &why);
        if (i == r->slot || is_asked) {
            MT_TRY(refresh_one(fs, r, i, c, &next));
            *is_made = *is_made || next.purpose == MT_SLOT_FOR_ROOT; /* it got the rest */
        }
    }
    return MT_OK;
}

MT_ERR mt_slot_remove(struct mt_fs *fs, uint32_t number)
{
    struct mt_slot_info info[MT_KEY_SLOTS_MAX];
    char name[NAME_ROOM];
    size_t count = 0;
    size_t others = 0;
    bool is_there = false;
    MT_TRY(mt_slot_list(fs, info, MT_KEY_SLOTS_MAX, &count));
    for (size_t i = 0; i < count; i++) {
        is_there = is_there || info[i].number == number;
        others += info[i].number != number && info[i].kind != MT_SLOT_DAMAGED ? 1 : 0;
    }
    MT_REQUIRE(is_there, MT_E_NOTFOUND, "there is no such key slot");
    MT_REQUIRE(others > 0, MT_E_CONFLICT,
               "the last key slot cannot be removed: nobody could open the node again");
    slot_name(number, name);
    MT_TRY(mt_seal_destroy(fs, name));
    return mt_fs_sync_dir(fs, "slots");
}

MT_ERR mt_root_derive(const struct mt_root *r, enum mt_label label, mt_bytes context,
                      struct mt_secret **out)
{
    MT_DEFER(mt_secret_free) struct mt_secret *s = NULL;
    MT_TRY(mt_secret_new(MT_AEAD_KEY_LEN, &s));
    MT_TRY(mt_kdf(mt_secret_bytes(r->key), label, context, mt_secret_span(s)));
    *out = s;
    s = NULL; /* given */
    return MT_OK;
}
