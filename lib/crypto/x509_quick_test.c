/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Whatever is read or believed in haste, OpenSSL reads and believes: every item of every
 * certificate and list changed in every way, and signed again. tests/unit/resign.c asks. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/der.h"
#include "unit/resign.h"
#include "unit/runner.h"

static struct resign_world full;
static struct resign_world bare;
static struct resign_world pss;
static size_t whole_step; /* of all questions each so-manieth is asked, */
static size_t step = 1;   /* where there are many */
static bool has_no_lists;
static size_t asked;
static size_t believed;

static bool ask_all(const struct resign_world *w, enum resign_part part,
                    const struct asn1_change *changes, size_t count, bool is_more)
{
    if (asked++ % step != 0) {
        return false;
    }
    const struct resign_change c = {.part = part,
                                    .changes = changes,
                                    .count = count,
                                    .is_more = is_more,
                                    .has_no_lists = has_no_lists,
                                    .now_ms = resign_now_ms};
    bool is_believed = resign_ask(w, &c);
    believed += is_believed ? 1 : 0;
    return is_believed;
}

/* `changes[count - 1]` becomes each way to change that item. */
static void ask_every_way(const struct resign_world *w, enum resign_part part,
                          struct asn1_change *changes, size_t count, bool is_more)
{
    static const uint8_t tags[] = {0x01, 0x02, 0x03, 0x04, 0x0a, 0x0c, 0x13, 0x14, 0x16, 0x17,
                                   0x18, 0x1e, 0x30, 0x31, 0x80, 0x82, 0x86, 0xa0, 0xa2, 0xa3};
    struct asn1_change *c = &changes[count - 1];
    const struct asn1_item *item = &w->trees[part].items[c->at];
    for (int how = 0; how < ASN1_BECOME; how++) {
        size_t args = 1;
        bool is_leaf = item->after == c->at + 1;
        if (how == ASN1_TAG) {
            args = sizeof tags;
        } else if (how == ASN1_FLIP && is_leaf) {
            args = 8 * (item->content.len < 16 ? item->content.len : 16);
        }
        for (size_t i = 0; i < args; i++) {
            c->how = (enum asn1_how)how;
            c->arg = how == ASN1_TAG ? tags[i] : i;
            (void)ask_all(w, part, changes, count, is_more);
        }
    }
    for (size_t i = 0; i < resign_blobs_count; i++) {
        c->blob = resign_blobs[i];
        for (int how = ASN1_BECOME; how < ASN1_HOWS; how++) {
            c->how = (enum asn1_how)how;
            (void)ask_all(w, part, changes, count, is_more);
        }
    }
}

static void change_every_item(const struct resign_world *w)
{
    step = whole_step;
    for (int part = 0; part < RESIGN_PARTS; part++) {
        size_t before = believed;
        for (size_t at = 0; at < w->trees[part].count; at++) {
            struct asn1_change c = {.at = at};
            ask_every_way(w, (enum resign_part)part, &c, 1, false);
        }
        MT_ASSERT(believed > before + 60 / step);
    }
}

static void no_change_of_a_full_chain_is_overlooked(void)
{
    change_every_item(&full);
}

static void no_change_of_a_bare_chain_is_overlooked(void)
{
    change_every_item(&bare);
}

static void no_change_of_a_chain_signed_with_pss_is_overlooked(void)
{
    change_every_item(&pss);
}

/* A name is the same for OpenSSL whatever the case of its letters the type of its text and
 * how many spaces stand in it. The root's with each bit changed, as the name of the others. */
static void names_that_are_alike_are_not_taken_for_others(void)
{
    static const mt_bytes spaced[] = {{(const uint8_t *)"\x0c\x0aSome  Root", 12},
                                      {(const uint8_t *)"\x0c\x0a Some Root", 12},
                                      {(const uint8_t *)"\x13\x0aSome Root ", 12}};
    const struct asn1_tree *t = &bare.trees[RESIGN_ROOT];
    const size_t root = resign_subject(&bare, RESIGN_ROOT);
    uint8_t room[256];
    size_t before = believed;
    has_no_lists = true; /* one of each would be alike too */
    for (int part = RESIGN_LEAF; part <= RESIGN_BELOW; part++) {
        for (size_t i = 0; i < 8 * t->items[root].content.len; i++) {
            const struct asn1_change change = {.at = root, .how = ASN1_FLIP, .arg = i};
            const struct asn1_change other = {
                .at = resign_subject(&bare, (enum resign_part)part),
                .how = ASN1_BECOME,
                .blob = asn1_write(t, root, &change, 1, (mt_span){room, sizeof room}),
            };
            (void)ask_all(&bare, (enum resign_part)part, &other, 1, false);
        }
        for (size_t i = 0; i < sizeof spaced / sizeof *spaced; i++) {
            const struct asn1_change other = {
                .at = asn1_in(t, asn1_in(t, asn1_in(t, resign_subject(&bare, RESIGN_BELOW), 0), 0),
                              1),
                .how = ASN1_BECOME,
                .blob = spaced[i],
            };
            MT_ASSERT(!ask_all(&bare, (enum resign_part)part, &other, 1, false));
        }
    }
    has_no_lists = false;
    MT_ASSERT(believed > before + 10);
}

/* Beside the list that was there comes a newer one, which has the leaf: whatever is wrong with it,
 * what OpenSSL heeds is not passed over. */
static void no_second_list_is_passed_over(void)
{
    const struct asn1_tree *t = &full.trees[RESIGN_LIST];
    const struct asn1_tree *leaf = &full.trees[RESIGN_LEAF];
    const size_t times = asn1_in(t, 1, 3);
    const size_t entry = asn1_in(t, asn1_in(t, 1, 5), 0);
    struct asn1_change c[] = {
        {times, ASN1_BECOME, 0,
         MT_LITERAL("\x17\x0d"
                    "270115070000Z")},
        {asn1_in(t, entry, 0), ASN1_BECOME, 0, leaf->items[asn1_in(leaf, 1, 1)].whole},
        {.at = 0},
    };
    size_t before = believed;
    MT_ASSERT(!ask_all(&full, RESIGN_LIST, c, 2, true));
    for (c[2].at = asn1_in(t, 1, 2); c[2].at < times; c[2].at++) {
        ask_every_way(&full, RESIGN_LIST, c, 3, true);
    }
    MT_ASSERT(believed > before + 10);
}

static size_t extensions_of(const struct resign_world *w, enum resign_part part)
{
    return asn1_in(&w->trees[part], 1, part < RESIGN_LIST ? 7 : 6);
}

/* The last of its extensions, of a certificate or a list. */
static size_t last_extension(const struct resign_world *w, enum resign_part part)
{
    const struct asn1_tree *t = &w->trees[part];
    size_t all = asn1_in(t, extensions_of(w, part), 0);
    size_t at = all + 1;
    while (t->items[at].after < t->items[all].after) {
        at = t->items[at].after;
    }
    return at;
}

static void ask_with(enum resign_part part, size_t at, enum asn1_how how)
{
    for (size_t i = 0; i < resign_blobs_count; i++) {
        const struct asn1_change c = {.at = at, .how = how, .blob = resign_blobs[i]};
        (void)ask_all(&full, part, &c, 1, false);
    }
}

static void no_extension_is_overlooked(void)
{
    for (int part = 0; part < RESIGN_PARTS; part++) {
        ask_with((enum resign_part)part, last_extension(&full, (enum resign_part)part),
                 ASN1_BEHIND);
    }
    for (int part = RESIGN_LIST; part < RESIGN_PARTS; part++) { /* and none of an entry */
        const struct asn1_tree *t = &full.trees[part];
        const size_t second = asn1_in(t, asn1_in(t, 1, 5), 1);
        ask_with((enum resign_part)part, asn1_in(t, second, 1), ASN1_BEHIND);
    }
}

static void no_part_of_an_extension_is_overlooked(void)
{
    for (int part = RESIGN_BELOW; part < RESIGN_PARTS; part++) {
        const struct asn1_tree *t = &full.trees[part];
        const size_t all = extensions_of(&full, (enum resign_part)part);
        for (size_t at = all; at < t->items[all].after; at++) {
            ask_with((enum resign_part)part, at, ASN1_BECOME);
        }
    }
}

/* Of both ways to write AMD's algorithm, the same stands inside and out. */
static void an_algorithm_is_written_inside_as_outside(void)
{
    for (int part = 0; part < RESIGN_PARTS; part++) {
        const struct asn1_tree *t = &pss.trees[part];
        const size_t algorithm = asn1_in(t, 1, part < RESIGN_LIST ? 2 : 1);
        const struct asn1_change more = {.at = asn1_in(t, asn1_in(t, algorithm, 1), 2),
                                         .how = ASN1_BEHIND,
                                         .blob = MT_LITERAL("\xa3\x03\x02\x01\x01")};
        struct resign_change c = {
            .part = (enum resign_part)part, .changes = &more, .count = 1, .now_ms = resign_now_ms};
        MT_ASSERT(resign_ask(&pss, &c));
        c.is_inner_alone = true;
        MT_ASSERT(!resign_ask(&pss, &c));
    }
}

static void a_type_that_is_cut_off_is_none(void)
{
    const struct asn1_tree *t = &full.trees[RESIGN_ROOT];
    const size_t amd = asn1_in(t, last_extension(&full, RESIGN_ROOT), 0);
    const size_t name = asn1_in(t, asn1_in(t, resign_subject(&full, RESIGN_ROOT), 0), 0) + 1;
    for (size_t i = 0; i < resign_blobs_count; i++) {
        const struct asn1_change more = {.at = amd, .how = ASN1_BECOME, .blob = resign_blobs[i]};
        const struct asn1_change other = {.at = name, .how = ASN1_BECOME, .blob = resign_blobs[i]};
        (void)ask_all(&full, RESIGN_ROOT, &more, 1, false);
        (void)ask_all(&full, RESIGN_ROOT, &other, 1, false);
    }
}

static uint64_t next(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return (*seed >> 33) % below;
}

static void no_two_changes_are_overlooked(void)
{
    uint64_t seed = 1;
    size_t before = believed;
    for (size_t i = 0; i < 61000 / whole_step; i++) {
        struct asn1_change c[2];
        const enum resign_part part = (enum resign_part)next(&seed, RESIGN_PARTS);
        for (size_t n = 0; n < 2; n++) {
            c[n] = (struct asn1_change){
                .at = 1 + (size_t)next(&seed, asn1_in(&full.trees[part], 0, 2) - 1),
                .how = next(&seed, 3) == 0 ? ASN1_FLIP : (enum asn1_how)next(&seed, ASN1_HOWS),
                .arg = (size_t)next(&seed, 256),
                .blob = resign_blobs[next(&seed, resign_blobs_count)],
            };
        }
        (void)ask_all(&full, part, c, 2, false);
    }
    MT_ASSERT(believed > before + 10);
}

/* Each time at which something begins or ends, and a moment before and after. */
static void no_time_is_overlooked(void)
{
    static const int64_t moments[] = {-1000, -1, 0, 1, 999, 1000};
    const int64_t day_ms = 24LL * 60 * 60 * 1000;
    const struct resign_change as_it_is = {.part = RESIGN_LEAF};
    size_t sound = 0;
    for (int64_t day = -5; day <= 5; day++) {
        for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
            struct resign_change c = as_it_is;
            c.now_ms = (uint64_t)((int64_t)resign_now_ms + day * day_ms + moments[i]);
            sound += resign_ask(&full, &c) ? 1 : 0;
        }
    }
    MT_ASSERT(sound == 4 + 6 + 2);
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(no_second_list_is_passed_over),
        MT_TEST(names_that_are_alike_are_not_taken_for_others),
        MT_TEST(no_extension_is_overlooked),
        MT_TEST(no_part_of_an_extension_is_overlooked),
        MT_TEST(an_algorithm_is_written_inside_as_outside),
        MT_TEST(a_type_that_is_cut_off_is_none),
        MT_TEST(no_two_changes_are_overlooked),
        MT_TEST(no_time_is_overlooked),
        MT_TEST(no_change_of_a_full_chain_is_overlooked),
        MT_TEST(no_change_of_a_bare_chain_is_overlooked),
        MT_TEST(no_change_of_a_chain_signed_with_pss_is_overlooked),
    };
    whole_step = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 61;
    MT_ASSERT(whole_step > 0 && !mt_failed(mt_crypto_init(pki_random, NULL)));
    resign_make(RESIGN_FULL, &full);
    resign_make(RESIGN_BARE, &bare);
    resign_make(RESIGN_PSS, &pss);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    resign_done(&full);
    resign_done(&bare);
    resign_done(&pss);
    mt_crypto_done();
    return rc;
}
