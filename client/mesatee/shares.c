/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/shares.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/context.h"
#include "crypto/ct.h"
#include "crypto/share.h"

struct cut {
    struct mt_share_set set;
    struct mt_share shares[MT_SHARES_MAX];
    uint8_t key[MT_SHARE_KEY_LEN];
    uint8_t random[MT_SHARE_KEY_LEN * (MT_SHARES_MAX - 1)];
};

static void forget(struct cut *cut)
{
    mt_wipe((mt_span){(uint8_t *)cut, sizeof *cut});
}

/* One or two digits: more than there are shares. */
static const char *read_number(const char *text, uint8_t *out)
{
    size_t len = strspn(text, "0123456789");
    *out = 0;
    if (len == 0 || len > 2) {
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        *out = (uint8_t)(*out * 10 + (text[i] - '0'));
    }
    return text + len;
}

MT_ERR mt_shares_numbers(const char *text, struct mt_shares *out)
{
    struct mt_shares s = {.slot = 0};
    const char *rest = read_number(text, &s.threshold);
    MT_REQUIRE(rest != NULL && *rest == '/', MT_E_ARG, "numbers of shares are written 2/3");
    rest = read_number(rest + 1, &s.count);
    MT_REQUIRE(rest != NULL && *rest == '\0', MT_E_ARG, "numbers of shares are written 2/3");
    MT_TRY(mt_share_check_numbers(s.threshold, s.count));
    *out = s;
    return MT_OK;
}

MT_ERR mt_shares_path(const char *dir, size_t index, size_t count, char out[MT_PATH_MAX])
{
    int len = snprintf(out, MT_PATH_MAX, "%s/share-%zu-of-%zu", dir, index, count);
    MT_REQUIRE(len > 0 && len < MT_PATH_MAX, MT_E_ARG, "a path is too long");
    return MT_OK;
}

static MT_ERR make(struct cut *cut)
{
    mt_span random = {cut->random, (cut->set.threshold - 1U) * MT_SHARE_KEY_LEN};
    MT_TRY(mt_random((mt_span){cut->key, sizeof cut->key}));
    MT_TRY(mt_random(random));
    return mt_share_split(MT_BYTES_OF(cut->key), mt_bytes_of(random), &cut->set, cut->shares);
}

static MT_ERR store_share(const char *dir, const struct mt_share *s)
{
    uint8_t text[MT_SHARE_TEXT_LEN + 1];
    char path[MT_PATH_MAX];
    struct mt_writer w = mt_writer_over((mt_span){text, sizeof text});
    MT_TRY(mt_shares_path(dir, s->index, s->count, path));
    MT_REQUIRE(access(path, F_OK) != 0, MT_E_CONFLICT,
               "there is a share already: name another folder");
    mt_share_write(&w, s);
    mt_write_u8(&w, '\n');
    mt_err e = mt_file_store(path, mt_write_done(&w));
    mt_wipe((mt_span){text, sizeof text});
    return e;
}

static void remove_files(const char *dir, size_t written, size_t count)
{
    char path[MT_PATH_MAX];
    for (size_t i = 1; i <= written; i++) {
        if (!mt_failed(mt_shares_path(dir, i, count, path))) {
            (void)unlink(path);
        }
    }
}

/* All of them, each for its holder alone to read, or none. */
static MT_ERR store_all(const char *dir, const struct cut *cut)
{
    MT_REQUIRE(mkdir(dir, 0700) == 0 || errno == EEXIST, MT_E_IO, "the folder cannot be made");
    for (size_t i = 0; i < cut->set.count; i++) {
        mt_err e = store_share(dir, &cut->shares[i]);
        if (mt_failed(e)) {
            remove_files(dir, i, cut->set.count);
            return e;
        }
    }
    return MT_OK;
}

static MT_ERR write_body(const struct cut *cut, struct mt_buf *out)
{
    uint8_t room[MT_SHARE_SET_LEN_MAX];
    mt_bytes body;
    struct mt_writer s = mt_writer_over((mt_span){room, sizeof room});
    struct mt_writer w = mt_writer_onto(out);
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_share_set_write(&s, &cut->set);
    mt_json_begin_object(&j, NULL);
    mt_json_put_literal(&j, "kind", "shares");
    mt_json_put_hex(&j, "secret", MT_BYTES_OF(cut->key));
    mt_json_put_hex(&j, "set", mt_write_done(&s));
    mt_json_end_object(&j);
    return mt_write_end(&w, &body);
}

/* The files come first: a slot whose shares were lost would open nothing. */
static MT_ERR add(struct mt_session *s, const char *dir, struct cut *cut, uint64_t *number)
{
    MT_DEFER(mt_buf_free) struct mt_buf body = mt_buf_of_max(4096);
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    MT_TRY(make(cut));
    MT_TRY(write_body(cut, &body));
    MT_TRY(store_all(dir, cut));
    const struct mt_call call = {
        .method = MT_HTTP_POST, .target = "/keyslots", .body = mt_buf_bytes(&body)};
    mt_err e = mt_session_request(s, &call, &j);
    if (mt_failed(e) && s->complaint.status != 0) {
        remove_files(dir, cut->set.count, cut->set.count); /* the node said no */
    }
    MT_TRY(e);
    return mt_json_uint(j, "number", MT_KEY_SLOTS_MAX, number);
}

MT_ERR mt_shares_add(struct mt_session *s, const char *dir, struct mt_shares *made)
{
    static struct cut cut;
    cut.set.threshold = made->threshold;
    cut.set.count = made->count;
    mt_err e = add(s, dir, &cut, &made->slot);
    if (!mt_failed(e)) {
        made->set = cut.shares[0].set;
    }
    forget(&cut);
    return e;
}

/* Which slot's set a share is of; MT_E_CONFLICT: none's. */
static MT_ERR find_slot(const struct mt_json *slots, const struct mt_share *s, uint64_t *number)
{
    for (size_t i = 0; i < mt_json_count(slots); i++) {
        const struct mt_json *slot = mt_json_at(slots, i);
        struct mt_share_set set;
        uint8_t room[MT_SHARE_SET_LEN_MAX];
        mt_bytes hex;
        if (mt_failed(mt_json_text(slot, "set", &hex))) {
            continue; /* of another kind */
        }
        MT_REQUIRE(hex.len <= 2 * sizeof room, MT_E_FORMAT, "a set of shares is too long");
        MT_TRY(mt_hex_parse(hex, (mt_span){room, hex.len / 2}));
        MT_TRY(mt_share_set_parse((mt_bytes){room, hex.len / 2}, &set));
        mt_err e = mt_share_verify(&set, s);
        if (!mt_failed(e) || e.fault->code != MT_E_CONFLICT) {
            MT_TRY(mt_json_uint(slot, "number", MT_KEY_SLOTS_MAX, number));
            return e;
        }
    }
    MT_FAIL(MT_E_CONFLICT, "no key slot of this node is for shares of this set");
}

static MT_ERR load_share(const char *path, struct mt_share *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(0);
    MT_TRY(mt_file_load(path, MT_SHARE_TEXT_MAX, &text));
    return mt_share_parse(mt_buf_bytes(&text), out);
}

MT_ERR mt_shares_check(struct mt_session *s, const char *path, struct mt_shares *out)
{
    static const struct mt_call call = {.method = MT_HTTP_GET, .target = "/keyslots"};
    MT_DEFER(mt_share_wipe) struct mt_share share = {.count = 0};
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    const struct mt_json *slots = NULL;
    size_t count = 0;
    uint64_t slot = 0;
    mt_err e = load_share(path, &share);
    if (mt_failed(e)) {
        return mt_session_explain(s, e, "compare it with what its holder has, letter by letter",
                                  "%s", e.fault->what);
    }
    MT_TRY(mt_session_request(s, &call, &j));
    MT_TRY(mt_json_array(j, "keyslots", MT_KEY_SLOTS_MAX, &slots, &count));
    e = find_slot(slots, &share, &slot);
    if (mt_failed(e)) {
        return mt_session_explain(s, e,
                                  e.fault->code == MT_E_PROOF
                                      ? "ask its holder for what he was handed out"
                                      : "keyslot list shows the sets that open this node",
                                  "share %u of %u: %s", share.index, share.count, e.fault->what);
    }
    *out = (struct mt_shares){slot, share.set, share.threshold, share.count, share.index};
    return MT_OK;
}
