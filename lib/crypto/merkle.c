/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/merkle.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/hash.h"

/* levels[0] are the leaves; levels[i] the roots of the complete subtrees of 2^i leaves, in order.
 */
struct level {
    mt_hash *nodes;
    uint64_t count;
    uint64_t room;
};

struct mt_merkle {
    struct level levels[MT_MERKLE_PATH_MAX];
};

void mt_merkle_leaf(const mt_bytes *parts, size_t count, mt_hash *out)
{
    enum { PARTS_MAX = 8 };
    static const uint8_t prefix = 0;
    mt_bytes all[PARTS_MAX + 1] = {{&prefix, 1}};
    MT_ASSERT(count <= PARTS_MAX);
    for (size_t i = 0; i < count; i++) {
        all[i + 1] = parts[i];
    }
    mt_sha256(all, count + 1, out);
}

void mt_merkle_node(const mt_hash *left, const mt_hash *right, mt_hash *out)
{
    uint8_t both[1 + 2 * sizeof left->b];
    both[0] = 1;
    memcpy(both + 1, left->b, sizeof left->b);
    memcpy(both + 1 + sizeof left->b, right->b, sizeof right->b);
    const mt_bytes part = {both, sizeof both};
    mt_sha256(&part, 1, out);
}

MT_ERR mt_merkle_new(struct mt_merkle **out)
{
    struct mt_merkle *m = calloc(1, sizeof *m);
    MT_REQUIRE(m != NULL, MT_E_NOMEM, "no memory for a Merkle tree");
    *out = m;
    return MT_OK;
}

void mt_merkle_free(struct mt_merkle **m)
{
    if (*m == NULL) {
        return;
    }
    for (size_t i = 0; i < MT_MERKLE_PATH_MAX; i++) {
        free((*m)->levels[i].nodes);
    }
    free(*m);
    *m = NULL;
}

static MT_ERR push(struct level *l, const mt_hash *h)
{
    if (l->count == l->room) {
        size_t bytes = 0;
        uint64_t room = l->room == 0 ? 64 : l->room * 2;
        MT_TRY(mt_mul_size((size_t)room, sizeof *l->nodes, &bytes));
        mt_hash *grown = realloc(l->nodes, bytes);
        MT_REQUIRE(grown != NULL, MT_E_NOMEM, "no memory for a Merkle tree");
        l->nodes = grown;
        l->room = room;
    }
    l->nodes[l->count++] = *h;
    return MT_OK;
}

MT_ERR mt_merkle_append(struct mt_merkle *m, const mt_hash *leaf)
{
    mt_hash h = *leaf;
    MT_TRY(push(&m->levels[0], &h));
    for (size_t i = 0; m->levels[i].count % 2 == 0; i++) {
        const struct level *l = &m->levels[i];
        mt_merkle_node(&l->nodes[l->count - 2], &l->nodes[l->count - 1], &h);
        MT_TRY(push(&m->levels[i + 1], &h));
    }
    return MT_OK;
}

uint64_t mt_merkle_size(const struct mt_merkle *m)
{
    return m->levels[0].count;
}

/* The exponent of the largest power of two that is smaller than `n`, for n > 1 (RFC 9162, 2.1.1).
 */
static unsigned split_of(uint64_t n)
{
    return 63U - (unsigned)__builtin_clzll(n - 1);
}

/* The root over the leaves [from, from + count): complete subtrees are looked up, so it takes O(log
 * n). */
static void range_root(const struct mt_merkle *m, uint64_t from, uint64_t count, mt_hash *out)
{
    mt_hash lefts[MT_MERKLE_PATH_MAX];
    size_t depth = 0;
    while ((count & (count - 1)) != 0) {
        unsigned k = split_of(count);
        lefts[depth++] = m->levels[k].nodes[from >> k];
        from += (uint64_t)1 << k;
        count -= (uint64_t)1 << k;
    }
    unsigned k = (unsigned)__builtin_ctzll(count);
    mt_hash h = m->levels[k].nodes[from >> k];
    while (depth > 0) {
        mt_hash right = h;
        mt_merkle_node(&lefts[--depth], &right, &h);
    }
    *out = h;
}

MT_ERR mt_merkle_root(const struct mt_merkle *m, uint64_t size, mt_hash *out)
{
    MT_REQUIRE(size <= mt_merkle_size(m), MT_E_ARG, "the tree is not that large");
    if (size == 0) {
        mt_sha256(NULL, 0, out);
        return MT_OK;
    }
    range_root(m, 0, size, out);
    return MT_OK;
}

static void reverse(mt_hash *path, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        mt_hash h = path[i];
        path[i] = path[count - 1 - i];
        path[count - 1 - i] = h;
    }
}

MT_ERR mt_merkle_path(const struct mt_merkle *m, uint64_t index, uint64_t size, mt_hash *path,
                      size_t *count)
{
    uint64_t from = 0;
    size_t n = 0;
    MT_REQUIRE(size <= mt_merkle_size(m) && index < size, MT_E_ARG, "the tree has no such leaf");
    while (size > 1) {
        uint64_t k = (uint64_t)1 << split_of(size);
        if (index < k) {
            range_root(m, from + k, size - k, &path[n++]);
            size = k;
        } else {
            range_root(m, from, k, &path[n++]);
            from += k;
            index -= k;
            size -= k;
        }
    }
    reverse(path, n); /* the RFC lists the leaf's sibling first */
    *count = n;
    return MT_OK;
}

MT_ERR mt_merkle_consistency(const struct mt_merkle *m, uint64_t from, uint64_t to, mt_hash *path,
                             size_t *count)
{
    uint64_t at = 0;
    size_t n = 0;
    bool is_whole = true; /* the subtree in question is the whole of the old tree */
    MT_REQUIRE(to <= mt_merkle_size(m) && from <= to, MT_E_ARG, "the tree is not that large");
    if (from == 0 || from == to) {
        *count = 0;
        return MT_OK;
    }
    while (from != to) {
        uint64_t k = (uint64_t)1 << split_of(to);
        if (from <= k) {
            range_root(m, at + k, to - k, &path[n++]);
            to = k;
        } else {
            range_root(m, at, k, &path[n++]);
            at += k;
            from -= k;
            to -= k;
            is_whole = false;
        }
    }
    if (!is_whole) {
        range_root(m, at, to, &path[n++]);
    }
    reverse(path, n);
    *count = n;
    return MT_OK;
}

/* RFC 9162, 2.1.3.2. */
MT_ERR mt_merkle_root_of_path(const struct mt_merkle_place *at, const mt_hash *leaf, mt_hash *out)
{
    MT_REQUIRE(at->index < at->size, MT_E_PROOF, "a leaf lies outside of its tree");
    uint64_t fn = at->index;
    uint64_t sn = at->size - 1;
    mt_hash r = *leaf;
    for (size_t i = 0; i < at->count; i++) {
        mt_hash before = r;
        MT_REQUIRE(sn != 0, MT_E_PROOF, "an inclusion path is too long");
        if ((fn & 1) != 0 || fn == sn) {
            mt_merkle_node(&at->path[i], &before, &r);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            mt_merkle_node(&before, &at->path[i], &r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    MT_REQUIRE(sn == 0, MT_E_PROOF, "an inclusion path is too short");
    *out = r;
    return MT_OK;
}

static MT_ERR check_ends(const struct mt_merkle_head *from, const struct mt_merkle_head *to,
                         size_t count)
{
    mt_hash empty;
    MT_REQUIRE(from->size <= to->size, MT_E_PROOF, "the tree has become smaller");
    MT_REQUIRE(count == 0, MT_E_PROOF, "a consistency path is too long");
    mt_sha256(NULL, 0, &empty);
    MT_REQUIRE(from->size != 0 || mt_hash_equal(&from->root, &empty), MT_E_PROOF,
               "an empty tree has another root");
    MT_REQUIRE(from->size != to->size || mt_hash_equal(&from->root, &to->root), MT_E_PROOF,
               "two trees of one size have two roots");
    return MT_OK;
}

/* RFC 9162, 2.1.4.2. */
MT_ERR mt_merkle_check_consistency(const struct mt_merkle_head *from,
                                   const struct mt_merkle_head *to, const mt_hash *path,
                                   size_t count)
{
    if (from->size == 0 || from->size >= to->size) {
        return check_ends(from, to, count);
    }
    uint64_t fn = from->size - 1;
    uint64_t sn = to->size - 1;
    size_t at = 0;
    while ((fn & 1) != 0) {
        fn >>= 1;
        sn >>= 1;
    }
    /* A tree of 2^k leaves is a node of every later tree: it is not in the path. */
    bool is_power = (from->size & (from->size - 1)) == 0;
    MT_REQUIRE(is_power || count > 0, MT_E_PROOF, "a consistency path is too short");
    mt_hash fr = is_power ? from->root : path[at++];
    mt_hash sr = fr;
    for (; at < count; at++) {
        mt_hash f = fr;
        mt_hash s = sr;
        MT_REQUIRE(sn != 0, MT_E_PROOF, "a consistency path is too long");
        if ((fn & 1) != 0 || fn == sn) {
            mt_merkle_node(&path[at], &f, &fr);
            mt_merkle_node(&path[at], &s, &sr);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            mt_merkle_node(&s, &path[at], &sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    MT_REQUIRE(sn == 0, MT_E_PROOF, "a consistency path is too short");
    MT_REQUIRE(mt_hash_equal(&fr, &from->root) && mt_hash_equal(&sr, &to->root), MT_E_PROOF,
               "a tree does not extend the other");
    return MT_OK;
}
