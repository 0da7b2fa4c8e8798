/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_SHARE_H
#define MT_CRYPTO_SHARE_H

#include "base/id.h"

/*
 * A key in shares, by Shamir (spec/share.md): any `threshold` of `count` make it again, and fewer
 * say nothing about it, to nobody, however much is computed. What checks a share is the set, which
 * is kept where the key's lock is and not among the shares: a commitment to each. Shares are
 * secrets; whoever holds one wipes it. A set is none.
 */
enum {
    MT_SHARES_MIN = 2,
    MT_SHARES_MAX = 16,
    MT_SHARE_KEY_LEN = 32,
    MT_SHARE_TEXT_LEN = 106,  /* as it is written */
    MT_SHARE_TEXT_MAX = 1024, /* as people may type it */
    MT_SHARE_SET_LEN_MAX = 514,
};

struct mt_share {
    uint8_t threshold;
    uint8_t count;
    uint8_t index; /* 1 to count */
    mt_id set;
    uint8_t value[MT_SHARE_KEY_LEN];
};

struct mt_share_set {
    uint8_t threshold;
    uint8_t count;
    mt_hash commitments[MT_SHARES_MAX]; /* the first `count` */
};

/* MT_E_ARG unless 2 <= threshold <= count <= 16. */
MT_ERR mt_share_check_numbers(uint64_t threshold, uint64_t count);

/*
 * Cuts `key`, 32 bytes, as set->threshold and set->count say. `random` has 32 * (threshold - 1)
 * bytes from the caller's entropy, which are as secret as the key. Fills the commitments, and
 * `shares`, `count` of them. CT: leaks the two numbers.
 */
MT_ERR mt_share_split(mt_bytes key, mt_bytes random, struct mt_share_set *set,
                      struct mt_share *shares);

/* The name of a set: a hash of its numbers and commitments, which each share carries. */
void mt_share_set_name(const struct mt_share_set *set, mt_id *out);

/* MT_E_CONFLICT: of another set; MT_E_PROOF: of this one, and not what was handed out. CT: leaks
 * which of these. */
MT_ERR mt_share_verify(const struct mt_share_set *set, const struct mt_share *share);

/*
 * Verifies each share, and only then makes the key of the first `threshold`. MT_E_CONFLICT and
 * MT_E_PROOF as above, MT_E_ARG for a share that is given twice: `at` says which. MT_E_NOTFOUND if
 * they are too few. CT: leaks this and the indices.
 */
MT_ERR mt_share_combine(const struct mt_share_set *set, const struct mt_share *shares, size_t count,
                        mt_span key, size_t *at);

/* The text of one: for a file, a printer, a person. Writing is CT. Reading knows no tables, and
 * leaks where blanks and hyphens stand. It takes small letters too; MT_E_CONFLICT: another version;
 * MT_E_FORMAT: none, or mistyped. */
void mt_share_write(struct mt_writer *w, const struct mt_share *share);
MT_ERR mt_share_parse(mt_bytes text, struct mt_share *out);

void mt_share_set_write(struct mt_writer *w, const struct mt_share_set *set);
MT_ERR mt_share_set_parse(mt_bytes in, struct mt_share_set *out);

void mt_share_wipe(struct mt_share *share);

#endif
