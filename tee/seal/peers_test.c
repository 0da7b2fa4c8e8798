/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/inside.h"
#include "seal/peers.h"
#include "seal/world_test.h"
#include "unit/runner.h"

/* Keys that are kept for other nodes, and the slots that they open. */

static mt_hash root_key;

/* A node with a key file. */
static struct mt_root *begin(void)
{
    struct mt_root *r = NULL;
    disk_begin();
    OK(mt_root_create(fs, &world_file, 1000, &r));
    memcpy(root_key.b, mt_root_key(r).ptr, sizeof root_key.b);
    return r;
}

static void end(struct mt_root **r)
{
    mt_root_free(r);
    disk_end();
}

static mt_hash key_of(const struct mt_root *r, const mt_id *id)
{
    MT_DEFER(mt_peers_free) struct mt_peers p;
    mt_hash key;
    OK(mt_peers_read(fs, r, &p));
    const struct mt_peer_key *k = mt_peers_find(&p, id);
    MT_ASSERT(k != NULL);
    memcpy(key.b, k->key.ptr, sizeof key.b);
    return key;
}

static size_t count_of(const struct mt_root *r)
{
    MT_DEFER(mt_peers_free) struct mt_peers p;
    OK(mt_peers_read(fs, r, &p));
    return p.count;
}

static void each_key_is_another_and_has_its_policy(void)
{
    struct mt_root *r = begin();
    MT_DEFER(mt_peers_free) struct mt_peers p = {.count = 0};
    mt_id a;
    mt_id b;
    MT_ASSERT(count_of(r) == 0);
    OK(mt_peers_add(fs, r, MT_LITERAL("one"), 7, &a));
    OK(mt_peers_add(fs, r, MT_LITERAL("another"), 8, &b));
    mt_hash first = key_of(r, &a);
    mt_hash second = key_of(r, &b);
    MT_ASSERT(!mt_id_equal(&a, &b) && !mt_hash_equal(&first, &second));
    OK(mt_peers_read(fs, r, &p));
    MT_ASSERT(p.count == 2 && p.keys[0].made_ms == 7);
    MT_ASSERT(mt_bytes_equal(mt_peers_find(&p, &b)->policy, MT_LITERAL("another")));
    MT_ASSERT(!disk_shows(mt_hash_bytes(&first)) && !disk_shows(mt_hash_bytes(&second)));
    end(&r);
}

/* Not even for whoever has the root key and every version of the disk that still is. */
static void what_is_removed_is_gone(void)
{
    struct mt_root *r = begin();
    mt_id a;
    mt_id b;
    OK(mt_peers_add(fs, r, MT_LITERAL("one"), 7, &a));
    OK(mt_peers_add(fs, r, MT_LITERAL("another"), 8, &b));
    mt_hash second = key_of(r, &b);
    MT_DEFER(mt_buf_free) struct mt_buf before = file_get(fs, "peers.mts");
    OK(mt_peers_remove(fs, r, &a));
    mt_hash now = key_of(r, &b);
    MT_ASSERT(count_of(r) == 1 && mt_hash_equal(&now, &second));
    MT_ASSERT(is_code(mt_peers_remove(fs, r, &a), MT_E_NOTFOUND));
    MT_ASSERT(!disk_shows((mt_bytes){before.ptr + 44, 32}));
    end(&r);
}

static void there_is_an_end_to_what_is_kept(void)
{
    static uint8_t long_policy[MT_PEER_POLICY_BYTES_MAX + 1];
    struct mt_root *r = begin();
    mt_id id;
    MT_ASSERT(is_code(mt_peers_add(fs, r, MT_BYTES_OF(long_policy), 7, &id), MT_E_LIMIT));
    MT_ASSERT(is_code(mt_peers_add(fs, r, (mt_bytes){NULL, 0}, 7, &id), MT_E_LIMIT));
    for (size_t i = 0; i < MT_PEER_KEYS_MAX; i++) {
        OK(mt_peers_add(fs, r, MT_LITERAL("p"), 7, &id));
    }
    MT_ASSERT(is_code(mt_peers_add(fs, r, MT_LITERAL("p"), 7, &id), MT_E_LIMIT));
    MT_ASSERT(count_of(r) == MT_PEER_KEYS_MAX);
    end(&r);
}

static void the_file_has_an_end_too(void)
{
    static uint8_t longest[MT_PEER_POLICY_BYTES_MAX];
    enum { THAT_FIT = MT_SMALL_FILE_BYTES_MAX / MT_PEER_POLICY_BYTES_MAX - 1 };
    struct mt_root *r = begin();
    mt_id id;
    for (size_t i = 0; i < THAT_FIT; i++) {
        OK(mt_peers_add(fs, r, MT_BYTES_OF(longest), 7, &id));
    }
    mt_err e = mt_peers_add(fs, r, MT_BYTES_OF(longest), 7, &id);
    MT_ASSERT(is_code(e, MT_E_LIMIT) && strcmp(e.fault->what, "peer-keys-full") == 0);
    MT_ASSERT(count_of(r) == THAT_FIT);
    end(&r);
}

static mt_bytes written(struct mt_peers *p, struct mt_buf *room)
{
    struct mt_writer w = mt_writer_onto(room);
    mt_bytes all;
    mt_peers_write(&w, p);
    OK(mt_write_end(&w, &all));
    return all;
}

static void a_file_is_read_as_it_was_written_or_not_at_all(void)
{
    static struct mt_peers p;
    static struct mt_peers q;
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    MT_DEFER(mt_buf_free) struct mt_buf twice = mt_buf_of_max(4096);
    const mt_bytes key = MT_LITERAL("32 bytes that are nobody's secret");
    p.keys[0] = (struct mt_peer_key){{{1}}, {key.ptr, 32}, 5, MT_LITERAL("policy")};
    p.keys[1] = (struct mt_peer_key){{{2}}, {key.ptr, 32}, 6, MT_LITERAL("policy")};
    p.count = 2;
    mt_bytes all = written(&p, &room);
    OK(mt_peers_parse(all, &q));
    MT_ASSERT(q.count == 2 && mt_id_equal(&q.keys[1].id, &p.keys[1].id));
    for (size_t len = 0; len < all.len; len++) {
        MT_ASSERT(mt_failed(mt_peers_parse((mt_bytes){all.ptr, len}, &q)));
    }
    room.ptr[1] = 2;
    MT_ASSERT(is_code(mt_peers_parse(all, &q), MT_E_CONFLICT));
    p.keys[1].id = p.keys[0].id;
    MT_ASSERT(is_code(mt_peers_parse(written(&p, &twice), &q), MT_E_FORMAT));
}

static struct mt_credential slot_of(const mt_hash *key, const struct mt_peer_name *name)
{
    return (struct mt_credential){
        .kind = MT_SLOT_PEER, .secret = mt_hash_bytes(key), .peer = *name};
}

static void a_slot_opens_with_the_peers_key_alone(void)
{
    const struct mt_peer_name name = {{{0xab, 1}}, {{0xcd, 2}}};
    const mt_hash key = {{5, 5}};
    const mt_hash other = {{5, 6}};
    struct mt_root *r = begin();
    struct mt_root *again = NULL;
    struct mt_slot_info info[MT_KEY_SLOTS_MAX];
    struct mt_credential c = slot_of(&key, &name);
    uint32_t number = 0;
    size_t count = 0;
    OK(mt_slot_add(fs, r, &c, 1000, &number));
    OK(mt_slot_list(fs, info, MT_KEY_SLOTS_MAX, &count));
    MT_ASSERT(count == 2 && info[1].kind == MT_SLOT_PEER);
    MT_ASSERT(mt_id_equal(&info[1].peer.key, &name.key));
    MT_ASSERT(mt_hash_equal(&info[1].peer.cluster, &name.cluster));
    OK(mt_root_open(fs, &c, &again));
    MT_ASSERT(mt_bytes_equal(mt_root_key(again), mt_hash_bytes(&root_key)));
    mt_root_free(&again);
    struct mt_credential wrong = slot_of(&other, &name);
    MT_ASSERT(is_code(mt_root_open(fs, &wrong, &again), MT_E_PROOF));
    wrong = c;
    wrong.secret.len--;
    MT_ASSERT(is_code(mt_root_open(fs, &wrong, &again), MT_E_ARG));
    wrong = c;
    wrong.kind = MT_SLOT_FILE; /* a key of one use is not one of another */
    MT_ASSERT(is_code(mt_root_open(fs, &wrong, &again), MT_E_PROOF));
    MT_ASSERT(!disk_shows(mt_hash_bytes(&key)) && !disk_shows(mt_hash_bytes(&root_key)));
    end(&r);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(each_key_is_another_and_has_its_policy),
        MT_TEST(what_is_removed_is_gone),
        MT_TEST(there_is_an_end_to_what_is_kept),
        MT_TEST(the_file_has_an_end_too),
        MT_TEST(a_file_is_read_as_it_was_written_or_not_at_all),
        MT_TEST(a_slot_opens_with_the_peers_key_alone),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
