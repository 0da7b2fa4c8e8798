/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/inside.h"

/*
 * A slot whose key is in shares (spec/share.md) keeps the set that checks them. Which slot is meant
 * is what most of the shares say: the others are then foreign, and named.
 */
static size_t of_set(const struct mt_share_set *set, const struct mt_share *shares, size_t count)
{
    size_t n = 0;
    mt_id name;
    mt_share_set_name(set, &name);
    for (size_t i = 0; i < count; i++) {
        n += mt_id_equal(&name, &shares[i].set) ? 1 : 0;
    }
    return n;
}

static MT_ERR find_set(struct mt_fs *fs, const struct mt_share *shares, size_t count,
                       struct mt_share_set *out)
{
    struct mt_slot_info info[MT_KEY_SLOTS_MAX];
    size_t slots = 0;
    size_t most = 0;
    MT_TRY(mt_slot_list(fs, info, MT_KEY_SLOTS_MAX, &slots));
    MT_REQUIRE(slots > 0, MT_E_NOTFOUND, "there is no key slot");
    for (size_t i = 0; i < slots; i++) {
        size_t n = info[i].kind == MT_SLOT_SHARES ? of_set(&info[i].set, shares, count) : 0;
        if (n > most) {
            *out = info[i].set;
            most = n;
        }
    }
    MT_REQUIRE(most > 0, MT_E_CONFLICT, "no key slot of this node is for shares of this set");
    return MT_OK;
}

MT_ERR mt_root_open_shares(struct mt_fs *fs, const struct mt_share *shares, size_t count,
                           struct mt_root **out, size_t *at)
{
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    struct mt_share_set set;
    mt_err e = find_set(fs, shares, count, &set);
    *at = mt_failed(e) && e.fault->code == MT_E_CONFLICT ? 0 : count; /* no share's fault */
    MT_TRY(e);
    MT_TRY(mt_secret_new(MT_SHARE_KEY_LEN, &key));
    MT_TRY(mt_share_combine(&set, shares, count, mt_secret_span(key), at));
    *at = count;
    const struct mt_credential c = {.kind = MT_SLOT_SHARES, .secret = mt_secret_bytes(key)};
    return mt_root_open(fs, &c, out);
}
