/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/audit.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/hash.h"
#include "unit/runner.h"
#include "wire/receipt.h"

/* A ledger of a few transactions, and a keeper of its log who would like one of them forgotten. */

enum { LEAVES = 7, SHOWN = 3, PAGE_ROOM = 64 * 1024 };

struct record {
    mt_id salt;
    uint8_t item[24];
};

struct leaf {
    struct mt_receipt_entry entry;
    struct record records[SHOWN]; /* item hashes are of these */
};

static struct leaf ledger[LEAVES];
static struct mt_merkle *tree; /* as the node has it */

#define OK(call_) MT_ASSERT(!mt_failed(call_))

static bool is_proof(mt_err e, const char *rule)
{
    return mt_failed(e) && e.fault->code == MT_E_PROOF &&
           strncmp(e.fault->what, rule, strlen(rule)) == 0;
}

static mt_hash item_hash(const struct record *r)
{
    mt_hash out;
    mt_bytes label = mt_label_bytes(MT_LABEL_CLAIM_ITEM);
    const uint8_t len = (uint8_t)label.len;
    const mt_bytes parts[] = {{&len, 1}, label, mt_id_bytes(&r->salt), MT_BYTES_OF(r->item)};
    mt_sha256(parts, 4, &out);
    return out;
}

static void append(struct mt_merkle *to, const struct leaf *l)
{
    uint8_t room[128];
    mt_bytes bytes;
    mt_hash hashes[SHOWN];
    mt_hash commitment;
    mt_hash h;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    for (size_t i = 0; i < SHOWN; i++) {
        hashes[i] = item_hash(&l->records[i]);
    }
    const mt_bytes all = {hashes[0].b, sizeof hashes};
    mt_sha256(&all, 1, &commitment);
    mt_receipt_entry_write(&w, &l->entry, &commitment);
    OK(mt_write_end(&w, &bytes));
    mt_merkle_leaf(&bytes, 1, &h);
    OK(mt_merkle_append(to, &h));
}

static void begin(void)
{
    OK(mt_merkle_new(&tree));
    for (size_t n = 0; n < LEAVES; n++) {
        struct leaf *l = &ledger[n];
        *l = (struct leaf){.entry = {.txid = n + 1}};
        memset(l->entry.write_set_hash.b, (int)(0x10 + n), sizeof l->entry.write_set_hash.b);
        memset(l->entry.nonce.b, (int)(0x20 + n), sizeof l->entry.nonce.b);
        for (size_t i = 0; i < SHOWN; i++) {
            memset(l->records[i].salt.b, (int)(0x30 + n), sizeof l->records[i].salt.b);
            (void)snprintf((char *)l->records[i].item, sizeof l->records[i].item,
                           "what was done: %zu.%zu", n + 1, i);
        }
        append(tree, l);
    }
}

static void put_leaf(struct mt_json_writer *j, const struct leaf *l)
{
    mt_json_begin_object(j, NULL);
    mt_json_put_uint(j, "txid", l->entry.txid);
    mt_json_put_hex(j, "write_set_hash", mt_hash_bytes(&l->entry.write_set_hash));
    mt_json_put_hex(j, "nonce", mt_id_bytes(&l->entry.nonce));
    mt_json_begin_array(j, "item_hashes");
    for (size_t i = 0; i < SHOWN; i++) {
        const mt_hash h = item_hash(&l->records[i]);
        mt_json_put_hex(j, NULL, mt_hash_bytes(&h));
    }
    mt_json_end_array(j);
    mt_json_begin_array(j, "records");
    for (size_t i = 0; i < SHOWN; i += 2) { /* the second is no audit record, and not shown */
        mt_json_begin_object(j, NULL);
        mt_json_put_uint(j, "index", i);
        mt_json_put_hex(j, "salt", mt_id_bytes(&l->records[i].salt));
        mt_json_put_hex(j, "item", MT_BYTES_OF(l->records[i].item));
        mt_json_end_object(j);
    }
    mt_json_end_array(j);
    mt_json_end_object(j);
}

/* GET /audit?after=, of a node that says it has `of`, and leaves out `without`. */
static const char *page(uint64_t after, const struct mt_merkle *of, uint64_t limit,
                        uint64_t without)
{
    static char room[PAGE_ROOM];
    mt_hash root;
    mt_bytes done;
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)room, sizeof room - 1});
    struct mt_json_writer j = mt_json_writer_over(&w);
    OK(mt_merkle_root(of, mt_merkle_size(of), &root));
    mt_json_begin_object(&j, NULL);
    mt_json_put_uint(&j, "size", mt_merkle_size(of));
    mt_json_put_hex(&j, "root", mt_hash_bytes(&root));
    mt_json_begin_array(&j, "leaves");
    for (uint64_t n = after + 1; n <= LEAVES && n <= after + limit; n++) {
        if (n != without) {
            put_leaf(&j, &ledger[n - 1]);
        }
    }
    mt_json_end_array(&j);
    mt_json_end_object(&j);
    OK(mt_write_end(&w, &done));
    room[done.len] = '\0';
    return room;
}

static mt_err add(struct mt_audit *a, const char *text, bool *is_done)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    OK(mt_json_parse(mt_bytes_of_text(text), &j, NULL));
    return mt_audit_add(a, j, is_done);
}

/* The first place of `from` becomes `to`, of the same length. */
static const char *edited(const char *text, const char *from, const char *to)
{
    char *at = strstr(text, from);
    MT_ASSERT(at != NULL && strlen(from) == strlen(to));
    for (size_t i = 0; to[i] != '\0'; i++) {
        at[i] = to[i];
    }
    return text;
}

static mt_err read_one(const char *text, bool *is_done)
{
    MT_DEFER(mt_audit_free) struct mt_audit *a = NULL;
    OK(mt_audit_new(&a));
    return add(a, text, is_done);
}

static void a_log_that_is_whole_is_taken_page_by_page(void)
{
    begin();
    MT_DEFER(mt_audit_free) struct mt_audit *a = NULL;
    bool is_done = false;
    uint64_t leaves = 0;
    uint64_t records = 0;
    OK(mt_audit_new(&a));
    OK(add(a, page(0, tree, 3, 0), &is_done));
    MT_ASSERT(!is_done && mt_audit_size(a) == 3);
    OK(add(a, page(3, tree, 3, 0), &is_done));
    OK(add(a, page(6, tree, 3, 0), &is_done));
    mt_audit_counts(a, &leaves, &records);
    MT_ASSERT(is_done && leaves == LEAVES && records == (uint64_t)2 * LEAVES);
    OK(add(a, page(LEAVES, tree, 3, 0), &is_done)); /* nothing new */
    MT_ASSERT(is_done);
    mt_merkle_free(&tree);
}

static void a_transaction_that_is_left_out_is_missed(void)
{
    begin();
    bool is_done = false;
    for (uint64_t n = 1; n < LEAVES; n++) {
        MT_ASSERT(is_proof(read_one(page(0, tree, LEAVES, n), &is_done), "audit-gap"));
    }
    OK(read_one(page(0, tree, LEAVES, LEAVES), &is_done));
    MT_ASSERT(!is_done); /* the last: the node says itself that there is more, */
    MT_DEFER(mt_audit_free) struct mt_audit *a = NULL;
    OK(mt_audit_new(&a));
    OK(add(a, page(0, tree, LEAVES, LEAVES), &is_done));
    MT_ASSERT(
        is_proof(add(a, page(LEAVES, tree, 1, 0), &is_done), "audit-gap")); /* and lists none */
    mt_merkle_free(&tree);
}

static void the_others_do_not_move_up_to_fill_the_gap(void)
{
    begin();
    bool is_done = false;
    char text[32];
    for (uint64_t n = 2; n < LEAVES; n++) { /* n + 1 says that it is n, and so on */
        static char copy[PAGE_ROOM];
        (void)snprintf(copy, sizeof copy, "%s", page(0, tree, LEAVES, n));
        for (uint64_t k = n + 1; k <= LEAVES; k++) {
            char as[32];
            (void)snprintf(text, sizeof text, "\"txid\":%llu", (unsigned long long)k);
            (void)snprintf(as, sizeof as, "\"txid\":%llu", (unsigned long long)(k - 1));
            (void)edited(copy, text, as);
        }
        (void)edited(copy, "\"size\":7", "\"size\":6");
        MT_ASSERT(is_proof(read_one(copy, &is_done), "audit-root"));
    }
    mt_merkle_free(&tree);
}

static void a_record_that_was_changed_is_not_under_the_tree(void)
{
    begin();
    bool is_done = false;
    static const char *const edits[][2] = {
        {"\"item\":\"77", "\"item\":\"78"},
        {"\"salt\":\"30", "\"salt\":\"31"},
        {"\"index\":0", "\"index\":1"}, /* of the one that is not shown */
        {"\"index\":2", "\"index\":3"}, /* of none */
    };
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        MT_ASSERT(
            is_proof(read_one(edited(page(0, tree, LEAVES, 0), edits[i][0], edits[i][1]), &is_done),
                     "audit-record"));
    }
    static const char *const hidden[][2] = {
        {"\"nonce\":\"20", "\"nonce\":\"21"},
        {"\"write_set_hash\":\"10", "\"write_set_hash\":\"11"},
    };
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        MT_ASSERT(is_proof(
            read_one(edited(page(0, tree, LEAVES, 0), hidden[i][0], hidden[i][1]), &is_done),
            "audit-root"));
    }
    mt_merkle_free(&tree);
}

/* All of it consistent, with a root of its own: but clients hold the node to another. */
static void another_log_with_a_root_of_its_own_is_not_the_one_that_is_known(void)
{
    begin();
    MT_DEFER(mt_merkle_free) struct mt_merkle *other = NULL;
    MT_DEFER(mt_audit_free) struct mt_audit *a = NULL;
    bool is_done = false;
    struct mt_merkle_head head = {.size = LEAVES};
    OK(mt_merkle_new(&other));
    OK(mt_merkle_root(tree, LEAVES, &head.root));
    ledger[2].records[0].item[0] = 'n'; /* not: what was done */
    for (size_t n = 0; n < LEAVES; n++) {
        append(other, &ledger[n]);
    }
    OK(mt_audit_new(&a));
    OK(add(a, page(0, other, LEAVES, 0), &is_done));
    MT_ASSERT(is_done && is_proof(mt_audit_holds(a, &head), "audit-head"));
    head.size = 2; /* before they part */
    OK(mt_merkle_root(tree, 2, &head.root));
    OK(mt_audit_holds(a, &head));
    head.size = LEAVES + 1; /* more than is listed */
    MT_ASSERT(is_proof(mt_audit_holds(a, &head), "audit-gap"));
    mt_merkle_free(&tree);
}

static mt_err no_randomness(void *state, mt_span out)
{
    (void)state;
    (void)out;
    MT_FAIL(MT_E_INTERNAL, "nothing here is random");
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_log_that_is_whole_is_taken_page_by_page),
        MT_TEST(a_transaction_that_is_left_out_is_missed),
        MT_TEST(the_others_do_not_move_up_to_fill_the_gap),
        MT_TEST(a_record_that_was_changed_is_not_under_the_tree),
        MT_TEST(another_log_with_a_root_of_its_own_is_not_the_one_that_is_known),
    };
    OK(mt_crypto_init(no_randomness, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
