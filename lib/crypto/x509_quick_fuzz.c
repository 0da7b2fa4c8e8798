/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A certificate or list with up to four changes, each of seven bytes and more, signed again:
 * whatever is believed in haste, OpenSSL believes. tests/unit/resign.c asks. */
#include "unit/fuzz.h"
#include "unit/resign.h"

enum { CHANGES_MAX = 4, WORLDS = 3 };

static struct resign_world worlds[WORLDS];

static void make_worlds(void)
{
    static bool has_begun;
    if (!has_begun) {
        MT_ASSERT(!mt_failed(mt_crypto_init(pki_random, NULL)));
        for (int i = 0; i < WORLDS; i++) {
            resign_make((enum resign_kind)i, &worlds[i]);
        }
        has_begun = true;
    }
}

static bool read_change(struct mt_reader *r, const struct asn1_tree *t, struct asn1_change *c)
{
    uint8_t how = 0;
    uint8_t at = 0;
    uint8_t len = 0; /* or, from 128, which blob of ours */
    uint16_t arg = 0;
    if (mt_failed(mt_read_u8(r, &how)) || mt_failed(mt_read_u8(r, &at)) ||
        mt_failed(mt_read_u16be(r, &arg)) || mt_failed(mt_read_u8(r, &len)) ||
        (len < 128 && mt_failed(mt_read_bytes(r, len, &c->blob)))) {
        return false;
    }
    c->how = (enum asn1_how)(how % ASN1_HOWS);
    c->at = at % t->count;
    c->arg = arg;
    if (len >= 128) {
        c->blob = resign_blobs[(size_t)(len - 128) % resign_blobs_count];
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mt_reader r = mt_reader_over((mt_bytes){data, len});
    struct asn1_change changes[CHANGES_MAX];
    uint8_t world = 0;
    uint8_t part = 0;
    uint8_t flags = 0;
    uint8_t hours = 0;
    make_worlds();
    if (mt_failed(mt_read_u8(&r, &world)) || mt_failed(mt_read_u8(&r, &part)) ||
        mt_failed(mt_read_u8(&r, &flags)) || mt_failed(mt_read_u8(&r, &hours))) {
        return 0;
    }
    const struct resign_world *w = &worlds[world % WORLDS];
    struct resign_change c = {.part = (enum resign_part)(part % RESIGN_PARTS), .changes = changes};
    while (c.count < CHANGES_MAX && read_change(&r, &w->trees[c.part], &changes[c.count])) {
        c.count++;
    }
    c.is_inner_alone = (flags & 1) != 0;
    c.is_more = (flags & 2) != 0 && c.part >= RESIGN_LIST;
    c.now_ms = resign_now_ms + (uint64_t)hours * 60 * 60 * 1000;
    (void)resign_ask(w, &c);
    return 0;
}
