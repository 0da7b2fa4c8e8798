/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/merkle.h"

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/hash.h"
#include "unit/runner.h"

enum { LEAVES = 130 };

static mt_hash leaves[LEAVES];
static struct mt_merkle *tree;

/* RFC 9162, 2.1.1, as it stands there. */
static mt_hash naive_root(uint64_t from, uint64_t count)
{
    mt_hash out;
    if (count == 0) {
        mt_sha256(NULL, 0, &out);
        return out;
    }
    if (count == 1) {
        return leaves[from];
    }
    uint64_t k = 1;
    while (k * 2 < count) {
        k *= 2;
    }
    mt_hash left = naive_root(from, k);
    mt_hash right = naive_root(from + k, count - k);
    mt_merkle_node(&left, &right, &out);
    return out;
}

static void every_root_is_that_of_the_definition(void)
{
    for (uint64_t n = 0; n <= LEAVES; n++) {
        mt_hash root;
        mt_hash naive = naive_root(0, n);
        MT_ASSERT(!mt_failed(mt_merkle_root(tree, n, &root)));
        MT_ASSERT(mt_hash_equal(&root, &naive));
    }
}

/* The first entries that implementations of Certificate Transparency test with, and their roots. */
static void the_roots_are_those_of_certificate_transparency(void)
{
    static const struct {
        const char *entry;
        size_t len;
        const char *root;
    } known[] = {
        {"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {"\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    };
    MT_DEFER(mt_merkle_free) struct mt_merkle *t = NULL;
    MT_ASSERT(!mt_failed(mt_merkle_new(&t)));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const mt_bytes entry = {(const uint8_t *)known[i].entry, known[i].len};
        mt_hash leaf;
        mt_hash root;
        mt_hash expected;
        mt_merkle_leaf(&entry, 1, &leaf);
        MT_ASSERT(!mt_failed(mt_merkle_append(t, &leaf)));
        MT_ASSERT(!mt_failed(mt_merkle_root(t, i + 1, &root)));
        MT_ASSERT(!mt_failed(mt_hex_parse(mt_bytes_of_text(known[i].root),
                                          (mt_span){expected.b, sizeof expected.b})));
        MT_ASSERT(mt_hash_equal(&root, &expected));
    }
}

static void every_path_leads_to_the_root(void)
{
    for (uint64_t n = 1; n <= LEAVES; n++) {
        mt_hash root = naive_root(0, n);
        for (uint64_t i = 0; i < n; i++) {
            mt_hash path[MT_MERKLE_PATH_MAX];
            size_t count = 0;
            mt_hash got;
            MT_ASSERT(!mt_failed(mt_merkle_path(tree, i, n, path, &count)));
            MT_ASSERT(!mt_failed(mt_merkle_root_of_path(
                &(const struct mt_merkle_place){i, n, path, count}, &leaves[i], &got)));
            MT_ASSERT(mt_hash_equal(&got, &root));
        }
    }
}

static void a_path_of_another_leaf_or_length_does_not(void)
{
    const uint64_t n = 77;
    mt_hash root = naive_root(0, n);
    for (uint64_t i = 0; i < n; i++) {
        mt_hash path[MT_MERKLE_PATH_MAX];
        size_t count = 0;
        mt_hash got;
        MT_ASSERT(!mt_failed(mt_merkle_path(tree, i, n, path, &count)));
        MT_ASSERT(mt_failed(mt_merkle_root_of_path(
            &(const struct mt_merkle_place){i, n, path, count - 1}, &leaves[i], &got)));
        path[count] = root;
        MT_ASSERT(mt_failed(mt_merkle_root_of_path(
            &(const struct mt_merkle_place){i, n, path, count + 1}, &leaves[i], &got)));
        MT_ASSERT(!mt_failed(mt_merkle_root_of_path(
            &(const struct mt_merkle_place){i, n, path, count}, &leaves[(i + 1) % n], &got)));
        MT_ASSERT(!mt_hash_equal(&got, &root));
        for (size_t k = 0; k < count; k++) {
            path[k].b[0] ^= 1;
            MT_ASSERT(!mt_failed(mt_merkle_root_of_path(
                &(const struct mt_merkle_place){i, n, path, count}, &leaves[i], &got)));
            MT_ASSERT(!mt_hash_equal(&got, &root));
            path[k].b[0] ^= 1;
        }
    }
}

static void every_larger_tree_proves_that_it_extends_every_smaller_one(void)
{
    for (uint64_t to = 0; to <= 70; to++) {
        mt_hash new_root = naive_root(0, to);
        for (uint64_t from = 0; from <= to; from++) {
            mt_hash path[MT_MERKLE_PATH_MAX];
            size_t count = 0;
            mt_hash old_root = naive_root(0, from);
            MT_ASSERT(!mt_failed(mt_merkle_consistency(tree, from, to, path, &count)));
            MT_ASSERT(!mt_failed(mt_merkle_check_consistency(
                &(const struct mt_merkle_head){from, old_root},
                &(const struct mt_merkle_head){to, new_root}, path, count)));
            mt_hash forged = old_root;
            forged.b[31] ^= 1;
            MT_ASSERT(mt_failed(mt_merkle_check_consistency(
                &(const struct mt_merkle_head){from, forged},
                &(const struct mt_merkle_head){to, new_root}, path, count)));
            if (count > 0) {
                MT_ASSERT(mt_failed(mt_merkle_check_consistency(
                    &(const struct mt_merkle_head){from, old_root},
                    &(const struct mt_merkle_head){to, new_root}, path, count - 1)));
            }
        }
    }
}

static void a_tree_that_shrank_is_refused(void)
{
    mt_hash a = naive_root(0, 5);
    mt_hash b = naive_root(0, 4);
    MT_ASSERT(mt_failed(mt_merkle_check_consistency(
        &(const struct mt_merkle_head){5, a}, &(const struct mt_merkle_head){4, b}, NULL, 0)));
}

static void what_the_tree_has_not_is_not_answered(void)
{
    mt_hash path[MT_MERKLE_PATH_MAX];
    mt_hash root;
    size_t count = 0;
    MT_ASSERT(mt_failed(mt_merkle_root(tree, LEAVES + 1, &root)));
    MT_ASSERT(mt_failed(mt_merkle_path(tree, 0, LEAVES + 1, path, &count)));
    MT_ASSERT(mt_failed(mt_merkle_path(tree, 5, 5, path, &count)));
    MT_ASSERT(mt_failed(mt_merkle_consistency(tree, 1, LEAVES + 1, path, &count)));
    MT_ASSERT(mt_failed(mt_merkle_consistency(tree, 2, 1, path, &count)));
}

static mt_err zeros(void *state, mt_span out)
{
    (void)state;
    memset(out.ptr, 0, out.len);
    return MT_OK;
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(every_root_is_that_of_the_definition),
        MT_TEST(the_roots_are_those_of_certificate_transparency),
        MT_TEST(every_path_leads_to_the_root),
        MT_TEST(a_path_of_another_leaf_or_length_does_not),
        MT_TEST(every_larger_tree_proves_that_it_extends_every_smaller_one),
        MT_TEST(a_tree_that_shrank_is_refused),
        MT_TEST(what_the_tree_has_not_is_not_answered),
    };
    MT_ASSERT(!mt_failed(mt_crypto_init(zeros, NULL)));
    MT_ASSERT(!mt_failed(mt_merkle_new(&tree)));
    for (size_t i = 0; i < LEAVES; i++) {
        const uint8_t number = (uint8_t)i;
        const mt_bytes entry = {&number, 1};
        mt_merkle_leaf(&entry, 1, &leaves[i]);
        MT_ASSERT(!mt_failed(mt_merkle_append(tree, &leaves[i])));
    }
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_merkle_free(&tree);
    mt_crypto_done();
    return rc;
}
