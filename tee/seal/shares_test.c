/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/inside.h"
#include "seal/world_test.h"

/* Key slots whose key holders have shares of: a disk opens with enough of them, and names who it
 * was that brought a wrong one. */
enum { THRESHOLD = 3, COUNT = 5 };

struct holders {
    struct mt_share_set set;
    struct mt_share shares[COUNT];
    uint8_t key[MT_SHARE_KEY_LEN];
};

static mt_hash root_key;

static void hand_out(struct mt_root *r, struct holders *h, uint32_t *number)
{
    uint8_t random[(THRESHOLD - 1) * MT_SHARE_KEY_LEN];
    uint8_t room[MT_SHARE_SET_LEN_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    h->set = (struct mt_share_set){THRESHOLD, COUNT, {{{0}}}};
    OK(mt_random((mt_span){random, sizeof random}));
    OK(mt_random((mt_span){h->key, sizeof h->key}));
    OK(mt_share_split(MT_BYTES_OF(h->key), MT_BYTES_OF(random), &h->set, h->shares));
    mt_share_set_write(&w, &h->set);
    const struct mt_credential c = {
        .kind = MT_SLOT_SHARES, .secret = MT_BYTES_OF(h->key), .set = mt_write_done(&w)};
    OK(mt_slot_add(fs, r, &c, 1000, number));
}

/* A node with a key file, and two sets of shares. */
static void begin(struct holders *first, struct holders *second)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    uint32_t number = 0;
    disk_begin();
    OK(mt_root_create(fs, &world_file, 1000, &r));
    memcpy(root_key.b, mt_root_key(r).ptr, sizeof root_key.b);
    hand_out(r, first, &number);
    MT_ASSERT(number == 1);
    hand_out(r, second, &number);
    MT_ASSERT(number == 2);
}

static mt_err opened(const struct mt_share *shares, size_t count, size_t *at)
{
    MT_DEFER(mt_root_free) struct mt_root *r = NULL;
    *at = 99;
    MT_TRY(mt_root_open_shares(fs, shares, count, &r, at));
    MT_ASSERT(mt_bytes_equal(mt_root_key(r), mt_hash_bytes(&root_key)));
    return MT_OK;
}

static void enough_holders_of_either_set_open_the_node(void)
{
    static struct holders a;
    static struct holders b;
    size_t at = 0;
    begin(&a, &b);
    OK(opened(a.shares, THRESHOLD, &at));
    OK(opened(a.shares, COUNT, &at));
    OK(opened(b.shares + 2, THRESHOLD, &at));
    MT_ASSERT(is_code(opened(a.shares, THRESHOLD - 1, &at), MT_E_NOTFOUND));
    disk_end();
}

static void who_brought_a_wrong_share_is_named_and_nothing_opens(void)
{
    static struct holders a;
    static struct holders b;
    struct mt_share s[COUNT];
    size_t at = 0;
    begin(&a, &b);
    memcpy(s, a.shares, sizeof s);
    s[3].value[31] ^= 1;
    MT_ASSERT(is_code(opened(s, COUNT, &at), MT_E_PROOF) && at == 3);
    s[3] = b.shares[3];
    MT_ASSERT(is_code(opened(s, COUNT, &at), MT_E_CONFLICT) && at == 3);
    s[3] = a.shares[1];
    MT_ASSERT(is_code(opened(s, COUNT, &at), MT_E_ARG) && at == 3);
    disk_end();
}

static void shares_of_a_set_that_no_slot_has_open_nothing(void)
{
    static struct holders a;
    static struct holders b;
    size_t at = 0;
    begin(&a, &b);
    OK(mt_slot_remove(fs, 1));
    MT_ASSERT(is_code(opened(a.shares, COUNT, &at), MT_E_CONFLICT) && at == 0);
    OK(opened(b.shares, THRESHOLD, &at));
    disk_end();
    disk_begin();
    MT_ASSERT(is_code(opened(a.shares, COUNT, &at), MT_E_NOTFOUND) && at == COUNT);
    disk_end();
}

static void neither_key_nor_shares_are_on_the_disk(void)
{
    static struct holders a;
    static struct holders b;
    begin(&a, &b);
    MT_ASSERT(!disk_shows(MT_BYTES_OF(a.key)) && !disk_shows(mt_hash_bytes(&root_key)));
    for (size_t i = 0; i < COUNT; i++) {
        MT_ASSERT(!disk_shows(MT_BYTES_OF(a.shares[i].value)));
        MT_ASSERT(disk_shows(mt_hash_bytes(&a.set.commitments[i])));
    }
    disk_end();
}

static void the_list_says_which_set_opens_a_slot(void)
{
    static struct holders a;
    static struct holders b;
    struct mt_slot_info info[MT_KEY_SLOTS_MAX];
    size_t count = 0;
    begin(&a, &b);
    OK(mt_slot_list(fs, info, MT_KEY_SLOTS_MAX, &count));
    MT_ASSERT(count == 3 && info[0].kind == MT_SLOT_FILE && info[2].kind == MT_SLOT_SHARES);
    for (size_t i = 0; i < COUNT; i++) {
        OK(mt_share_verify(&info[1].set, &a.shares[i]));
        OK(mt_share_verify(&info[2].set, &b.shares[i]));
    }
    disk_end();
}

/* Whatever the host changes of a slot, no good share is taken for a changed one. */
static void no_holder_is_blamed_for_what_the_host_changed(void)
{
    static const char name[] = "slots/slot-1.mtk";
    static struct holders a;
    static struct holders b;
    size_t at = 0;
    begin(&a, &b);
    struct mt_buf good = file_get(fs, name);
    for (size_t bit = 0; bit < good.len * 8; bit++) {
        file_flip(fs, name, bit);
        mt_err e = opened(a.shares, THRESHOLD, &at);
        MT_ASSERT(mt_failed(e) && (e.fault->code != MT_E_PROOF || at == THRESHOLD));
        file_flip(fs, name, bit);
    }
    for (size_t len = 0; len < good.len; len++) {
        file_put(fs, name, (mt_bytes){good.ptr, len});
        MT_ASSERT(mt_failed(opened(a.shares, THRESHOLD, &at)));
    }
    file_put(fs, name, mt_buf_bytes(&good));
    OK(opened(a.shares, THRESHOLD, &at));
    mt_buf_free(&good);
    disk_end();
}

static void a_set_that_is_none_makes_no_slot_and_no_backup_hangs_on_holders(void)
{
    static const uint8_t key[MT_SHARE_KEY_LEN] = {7};
    static const uint8_t set[2 + 2 * sizeof(mt_hash)] = {2, 2};
    const mt_bytes secret = MT_BYTES_OF(key);
    const struct mt_credential bad[] = {
        {.kind = MT_SLOT_SHARES, .secret = secret},
        {.kind = MT_SLOT_SHARES, .secret = secret, .set = {set, sizeof set - 1}},
        {.kind = MT_SLOT_SHARES, .secret = {key, 31}, .set = MT_BYTES_OF(set)},
    };
    const struct mt_credential good = {
        .kind = MT_SLOT_SHARES, .secret = secret, .set = MT_BYTES_OF(set)};
    struct mt_slot s = {.purpose = MT_SLOT_FOR_ROOT};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        MT_ASSERT(mt_failed(mt_slot_seal(&s, &bad[i], secret)));
    }
    OK(mt_slot_seal(&s, &good, secret));
    s.purpose = MT_SLOT_FOR_BACKUP;
    MT_ASSERT(is_code(mt_slot_seal(&s, &good, secret), MT_E_ARG));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(enough_holders_of_either_set_open_the_node),
        MT_TEST(who_brought_a_wrong_share_is_named_and_nothing_opens),
        MT_TEST(shares_of_a_set_that_no_slot_has_open_nothing),
        MT_TEST(neither_key_nor_shares_are_on_the_disk),
        MT_TEST(the_list_says_which_set_opens_a_slot),
        MT_TEST(no_holder_is_blamed_for_what_the_host_changed),
        MT_TEST(a_set_that_is_none_makes_no_slot_and_no_backup_hangs_on_holders),
    };
    OK(mt_crypto_init(world_random, NULL));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
