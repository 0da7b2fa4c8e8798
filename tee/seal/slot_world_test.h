/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_SLOT_WORLD_TEST_H
#define MT_SEAL_SLOT_WORLD_TEST_H

#include "seal/inside.h"
#include "seal/world_test.h"

/* What tests of a machine's key slots ask. */
static const char slot_0[] = "slots/slot-0.mtk";

/* What the root key is. */
static mt_hash key_of(const struct mt_root *r)
{
    mt_hash h;
    memcpy(h.b, mt_root_key(r).ptr, sizeof h.b);
    return h;
}

static mt_err opened(const struct mt_credential *c, mt_hash *out)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    MT_TRY(mt_root_open(fs, c, &r));
    *out = key_of(r);
    return MT_OK;
}

static bool opens(const struct mt_credential *c, const mt_hash *wanted)
{
    mt_hash h;
    mt_err e = opened(c, &h);
    MT_ASSERT(mt_failed(e) || mt_hash_equal(&h, wanted));
    return !mt_failed(e);
}

static mt_err open_and_refresh(const struct mt_credential *c, bool *is_made)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    OK(mt_root_open(fs, c, &r));
    return mt_slot_refresh(fs, r, c, 2000, is_made);
}

static size_t slots_of(enum mt_slot_kind kind)
{
    struct mt_slot_info info[8];
    size_t count = 0;
    size_t found = 0;
    OK(mt_slot_list(fs, info, 8, &count));
    for (size_t i = 0; i < count; i++) {
        found += info[i].kind == kind ? 1 : 0;
    }
    return found;
}

#endif
