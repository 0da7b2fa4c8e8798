/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "crypto/ct.h"
#include "crypto/hash.h"
#include "gate/inside.h"
#include "wire/cbor.h"

/* gate.users: subject -> [key, name, role, is revoked, added]. A record is made once; only the
 * revocation changes. */

static MT_ERR parse_user(mt_bytes in, struct mt_user *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_user u = {0};
    uint64_t count = 0;
    uint64_t role = 0;
    MT_TRY(mt_cbor_read_array(&r, 5, &count));
    MT_REQUIRE(count == 5, MT_E_FORMAT, "a user's record has five fields");
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){u.key.b, sizeof u.key.b}));
    MT_TRY(mt_cbor_read_text(&r, &u.name));
    MT_REQUIRE(u.name.len <= MT_NAME_BYTES_MAX, MT_E_FORMAT, "a user's name is too long");
    MT_TRY(mt_cbor_read_uint(&r, &role));
    MT_REQUIRE(role == MT_ROLE_USER || role == MT_ROLE_ADMIN, MT_E_FORMAT,
               "a user's role is unknown");
    u.role = (enum mt_role)role;
    MT_TRY(mt_cbor_read_bool(&r, &u.is_revoked));
    MT_TRY(mt_cbor_read_uint(&r, &u.added_ms));
    MT_TRY(mt_read_end(&r));
    mt_spki_hash(&u.key, &u.subject);
    *out = u;
    return MT_OK;
}

MT_ERR mt_gate_user_get(struct mt_tx *tx, const mt_hash *subject, struct mt_user *out)
{
    mt_bytes value;
    MT_TRY(mt_tx_get(tx, &mt_gate_maps[MT_GATE_USERS], mt_hash_bytes(subject), &value));
    return parse_user(value, out);
}

MT_ERR mt_gate_user_put(struct mt_tx *tx, const struct mt_user *u)
{
    uint8_t room[MT_SPKI_LEN + MT_NAME_BYTES_MAX + 32];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_cbor_write_array(&w, 5);
    mt_cbor_write_bytes(&w, mt_spki_bytes(&u->key));
    mt_cbor_write_text(&w, u->name);
    mt_cbor_write_uint(&w, (uint64_t)u->role);
    mt_cbor_write_bool(&w, u->is_revoked);
    mt_cbor_write_uint(&w, u->added_ms);
    return mt_tx_put(tx, &mt_gate_maps[MT_GATE_USERS], mt_hash_bytes(&u->subject),
                     mt_write_done(&w));
}

MT_ERR mt_permit_user(const struct mt_permit *p, struct mt_tx *tx, const mt_hash *subject,
                      struct mt_user *out)
{
    MT_GATE_REACHES(tx);
    (void)p; /* who holds any permit is known here, and may know who else is */
    return mt_gate_user_get(tx, subject, out);
}

struct each_user {
    mt_user_each *each;
    void *state;
};

static mt_err give_user(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    const struct each_user *e = state;
    struct mt_user u;
    (void)key;
    (void)is_enough;
    MT_TRY(parse_user(value, &u));
    return e->each(e->state, &u);
}

MT_ERR mt_permit_users(const struct mt_permit *p, struct mt_tx *tx, mt_user_each *each, void *state)
{
    MT_GATE_REACHES(tx);
    struct each_user e = {each, state};
    (void)p;
    return mt_tx_scan(tx, &mt_gate_maps[MT_GATE_USERS], MT_ALL, give_user, &e);
}

MT_ERR mt_gate_user_add(struct mt_tx *tx, const mt_spki *key, mt_bytes name, enum mt_role role)
{
    struct mt_user u = {.key = *key, .name = name, .role = role, .added_ms = mt_tx_now_ms(tx)};
    mt_spki_hash(key, &u.subject);
    MT_REQUIRE(name.len > 0 && name.len <= MT_NAME_BYTES_MAX, MT_E_ARG,
               "a user's name has 1 to 64 bytes");
    MT_REQUIRE(mt_text_is_plain(name), MT_E_ARG, "a user's name has a character that hides");
    MT_REQUIRE(!mt_tx_has(tx, &mt_gate_maps[MT_GATE_USERS], mt_hash_bytes(&u.subject)),
               MT_E_CONFLICT, "this key is known already; a user is never changed, only revoked");
    return mt_gate_user_put(tx, &u);
}

MT_ERR mt_permit_user_add(const struct mt_permit *p, struct mt_tx *tx, const mt_spki *key,
                          mt_bytes name, enum mt_role role)
{
    MT_GATE_REACHES(tx);
    MT_REQUIRE(p->role == MT_ROLE_ADMIN, MT_E_DENIED, "only an administrator may do this");
    return mt_gate_user_add(tx, key, name, role);
}

static mt_err count_admin(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    size_t *count = state;
    struct mt_user u;
    (void)key;
    (void)is_enough;
    MT_TRY(parse_user(value, &u));
    *count += u.role == MT_ROLE_ADMIN && !u.is_revoked ? 1 : 0;
    return MT_OK;
}

static MT_ERR admins(struct mt_tx *tx, size_t *count)
{
    *count = 0;
    return mt_tx_scan(tx, &mt_gate_maps[MT_GATE_USERS], MT_ALL, count_admin, count);
}

/* The configuration is the host's: whom he names is what the owners agreed to while there is nobody
 * else, and never afterwards, or he could name himself at any start. */
bool mt_gate_is_first_admin(const struct mt_gate *g, struct mt_tx *tx, const mt_hash *subject)
{
    static const mt_hash nobody = {{0}};
    size_t count = 0;
    return mt_hash_equal(&g->administrator, subject) && !mt_hash_equal(subject, &nobody) &&
           !mt_failed(admins(tx, &count)) && count == 0;
}

MT_ERR mt_permit_user_revoke(const struct mt_permit *p, struct mt_tx *tx, const mt_hash *subject)
{
    MT_GATE_REACHES(tx);
    struct mt_user u;
    size_t count = 0;
    uint8_t name[MT_NAME_BYTES_MAX];
    MT_REQUIRE(p->role == MT_ROLE_ADMIN, MT_E_DENIED, "only an administrator may do this");
    MT_TRY(mt_gate_user_get(tx, subject, &u));
    MT_TRY(admins(tx, &count));
    MT_REQUIRE(u.role != MT_ROLE_ADMIN || u.is_revoked || count > 1, MT_E_CONFLICT,
               "the last administrator cannot be revoked");
    /* The name borrows from the value that is about to be replaced. */
    memcpy(name, u.name.ptr, u.name.len);
    u.name.ptr = name;
    u.is_revoked = true;
    return mt_gate_user_put(tx, &u);
}

bool mt_gate_has_admin(struct mt_gate *g, struct mt_tx *tx)
{
    MT_GATE_REACHES(tx);
    static const mt_hash nobody = {{0}};
    size_t count = 0;
    return !mt_hash_equal(&g->administrator, &nobody) || mt_failed(admins(tx, &count)) || count > 0;
}

void mt_gate_offer_claim(struct mt_gate *g, const mt_hash *secret_hash, uint64_t until_ms)
{
    g->claim = *secret_hash;
    g->claim_until_ms = until_ms;
    g->claim_tries = 0;
}

/* Block time never goes back: setting the host's clock back does not open the claim again. */
static bool is_claim_open(const struct mt_gate *g, const struct mt_tx *tx)
{
    static const mt_hash none = {{0}};
    enum { TRIES_MAX = 5 };
    return !mt_hash_equal(&g->claim, &none) && g->claim_tries < TRIES_MAX &&
           mt_tx_now_ms(tx) < g->claim_until_ms;
}

MT_ERR mt_gate_claim_admin(struct mt_gate *g, struct mt_tx *tx, const mt_spki *key, mt_bytes secret)
{
    mt_hash hash;
    mt_hash subject;
    MT_REQUIRE(is_claim_open(g, tx) && !mt_gate_has_admin(g, tx), MT_E_DENIED, MT_GATE_STRANGER);
    g->claim_tries++;
    mt_sha256(&secret, 1, &hash);
    MT_REQUIRE(mt_ct_equal(mt_hash_bytes(&hash), mt_hash_bytes(&g->claim)), MT_E_DENIED,
               MT_GATE_STRANGER);
    MT_GATE_REACHES(tx);
    mt_spki_hash(key, &subject);
    MT_TRY(mt_gate_user_add(tx, key, MT_LITERAL("administrator"), MT_ROLE_ADMIN));
    return mt_gate_audit(tx, &subject, "admin.claim", NULL, MT_AUDIT_ACT);
}
