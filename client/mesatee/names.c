/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "mesatee/seen.h"
#include "mesatee/session.h"

/* Names are for people: here they become the hashes and ids that the node goes by. */

enum { USERS_MAX = 100000, SETS_MAX = 1000 };

static MT_ERR nobody(void)
{
    MT_FAIL(MT_E_FORMAT, "the node knows nobody of this name");
}

static MT_ERR nothing(void)
{
    MT_FAIL(MT_E_FORMAT, "there is no data of this name that you may know of");
}

/* Kept: a table of names is read many times to show one task. */
static MT_ERR users_of(struct mt_session *s, const struct mt_json **out, size_t *count)
{
    const struct mt_call call = {.method = MT_HTTP_GET, .target = "/users"};
    if (s->users == NULL) {
        MT_TRY(mt_session_request(s, &call, &s->users));
    }
    return mt_json_array(s->users, "users", USERS_MAX, out, count);
}

static MT_ERR several(void)
{
    MT_FAIL(MT_E_FORMAT, "the node knows more than one of this name");
}

/* Whether a user has this name, and is still one. */
static bool is_called(const struct mt_json *user, mt_bytes name, mt_hash *subject)
{
    mt_bytes n;
    mt_hash h;
    bool is_revoked = false;
    if (mt_failed(mt_json_text(user, "name", &n)) || !mt_bytes_equal(n, name) ||
        mt_failed(mt_json_bool(user, "revoked", &is_revoked)) || is_revoked ||
        mt_failed(mt_json_hex(user, "subject", (mt_span){h.b, sizeof h.b}))) {
        return false;
    }
    *subject = h;
    return true;
}

/* A name that two keys have is taken for neither: whoever gave it to the second may want just that.
 */
MT_ERR mt_session_subject(struct mt_session *s, mt_bytes text, mt_hash *out)
{
    const struct mt_json *users = NULL;
    size_t count = 0;
    size_t found = 0;
    mt_hash h;
    if (text.len == 2 * sizeof h && !mt_failed(mt_hex_parse(text, (mt_span){h.b, sizeof h.b}))) {
        *out = h;
        return MT_OK;
    }
    mt_json_free(&s->users); /* somebody may have been added since */
    MT_TRY(users_of(s, &users, &count));
    for (size_t i = 0; i < count; i++) {
        found += is_called(mt_json_at(users, i), text, &h) ? 1 : 0;
    }
    if (found == 1) {
        *out = h;
        return MT_OK;
    }
    if (found > 1) {
        return mt_session_explain(s, several(), "mesatee user list, and use the key's hash",
                                  "the node knows more than one key called %.*s", (int)text.len,
                                  (const char *)text.ptr);
    }
    return mt_session_explain(s, nobody(), "mesatee user list, or use the key's hash",
                              "the node knows nobody called %.*s", (int)text.len,
                              (const char *)text.ptr);
}

void mt_session_name(struct mt_session *s, const mt_hash *subject, char out[80])
{
    const struct mt_json *users = NULL;
    size_t count = 0;
    (void)snprintf(out, 80, "%02x%02x%02x%02x...", subject->b[0], subject->b[1], subject->b[2],
                   subject->b[3]);
    if (mt_failed(users_of(s, &users, &count))) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        mt_bytes name;
        mt_hash h;
        const struct mt_json *u = mt_json_at(users, i);
        if (!mt_failed(mt_json_hex(u, "subject", (mt_span){h.b, sizeof h.b})) &&
            mt_hash_equal(&h, subject) && !mt_failed(mt_json_text(u, "name", &name))) {
            uint8_t room[256];
            mt_bytes seen;
            struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
            mt_seen_write(&w, name);
            if (!mt_failed(mt_write_end(&w, &seen))) {
                (void)snprintf(out, 80, "%.*s", (int)seen.len, (const char *)seen.ptr);
            }
        }
    }
}

/* The set of this name, of this owner. */
static bool is_the_set(const struct mt_json *set, mt_bytes name, const mt_hash *owner, mt_id *out)
{
    mt_bytes n;
    mt_hash o;
    bool is_owner = false;
    if (mt_failed(mt_json_text(set, "name", &n)) || !mt_bytes_equal(n, name) ||
        mt_failed(mt_json_hex(set, "owner", (mt_span){o.b, sizeof o.b})) ||
        mt_failed(mt_json_bool(set, "is_owner", &is_owner))) {
        return false;
    }
    bool is_right = owner == NULL ? is_owner : mt_hash_equal(owner, &o);
    return is_right && !mt_failed(mt_json_hex(set, "data", (mt_span){out->b, sizeof out->b}));
}

/* Page by page; `owner` NULL: our own. */
static MT_ERR find_set(struct mt_session *s, mt_bytes name, const mt_hash *owner, mt_id *out)
{
    char target[64] = "/data";
    const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
    size_t count = 0;
    do {
        MT_DEFER(mt_json_free) struct mt_json *j = NULL;
        const struct mt_json *sets = NULL;
        mt_bytes last = {NULL, 0};
        MT_TRY(mt_session_request(s, &call, &j));
        MT_TRY(mt_json_array(j, "data", SETS_MAX, &sets, &count));
        for (size_t i = 0; i < count; i++) {
            if (is_the_set(mt_json_at(sets, i), name, owner, out)) {
                return MT_OK;
            }
        }
        if (count > 0) {
            MT_TRY(mt_json_text(mt_json_at(sets, count - 1), "data", &last));
            (void)snprintf(target, sizeof target, "/data?after=%.*s", (int)last.len,
                           (const char *)last.ptr);
        }
    } while (count > 0);
    return mt_session_explain(s, nothing(), "mesatee data list; data of others is OWNER/NAME",
                              "there is no data called %.*s that you may know of", (int)name.len,
                              (const char *)name.ptr);
}

MT_ERR mt_session_data(struct mt_session *s, mt_bytes text, mt_id *out)
{
    mt_hash owner;
    mt_id id;
    const uint8_t *slash = text.len > 0 ? memchr(text.ptr, '/', text.len) : NULL;
    if (text.len == 2 * sizeof id && !mt_failed(mt_hex_parse(text, (mt_span){id.b, sizeof id.b}))) {
        *out = id;
        return MT_OK;
    }
    if (slash == NULL) {
        return find_set(s, text, NULL, out);
    }
    size_t len = (size_t)(slash - text.ptr);
    MT_TRY(mt_session_subject(s, (mt_bytes){text.ptr, len}, &owner));
    return find_set(s, (mt_bytes){slash + 1, text.len - len - 1}, &owner, out);
}

MT_ERR mt_session_newest(struct mt_session *s, const mt_id *data, uint64_t *out)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    char target[64];
    mt_bytes done;
    const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)target, sizeof target});
    mt_write_bytes(&w, MT_LITERAL("/data/"));
    mt_hex_write(&w, mt_id_bytes(data));
    mt_write_bytes(&w, MT_LITERAL("?before=1")); /* none of them, but how many there are */
    mt_write_u8(&w, 0);
    MT_TRY(mt_write_end(&w, &done));
    MT_TRY(mt_session_request(s, &call, &j));
    return mt_json_uint(j, "versions_made", UINT32_MAX, out);
}
