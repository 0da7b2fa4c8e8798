/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_COLLATERAL_H
#define MT_MESATEE_COLLATERAL_H

#include "mesatee/evidence_set.h"
#include "mesatee/session.h"

/*
 * Collateral: what the maker of a platform says of it, without which its evidence proves nothing.
 * It is fetched from the maker, from a cache of the same paths, or taken from a folder that was
 * carried over; it is verified under the pinned roots before a byte of it is written.
 */
struct mt_collateral_order {
    const char *evidence; /* a file or a folder: it names the platform */
    const char *from;     /* a folder, or the beginning of a URL; NULL: the maker's own service */
    const char *folder;   /* where it goes; what is there is replaced as a whole, or not at all */
    uint64_t now_ms;
};

/* Of the maker's paths, what comes from where: collateral_fetch.c. */
struct mt_collateral_source {
    struct mt_session *s;
    const char *base; /* of a URL, without a slash at its end; NULL: the maker's own */
    const struct mt_claims *said;
    struct mt_buf kept[MT_EVIDENCE_FILES_MAX];
    size_t kept_count;
    struct mt_collateral out; /* borrows from what is kept */
};
MT_ERR mt_collateral_fetch(struct mt_collateral_source *g);
void mt_collateral_source_done(struct mt_collateral_source *g);

/* MT_E_PROOF, with the failed rule in `trace`: it is not the maker's, or not for this platform. The
 * rest is explained in `s`. On failure the folder is as it was. */
MT_ERR mt_collateral_get(struct mt_session *s, const struct mt_collateral_order *o,
                         struct mt_trace *trace);

/* What `folder` holds, verified against the platform of the evidence at `now_ms`; `folder` NULL:
 * what is beside the evidence. *out as below, also after a failure of the verification. */
struct mt_collateral_parts;
MT_ERR mt_collateral_check(const char *evidence, const char *folder, uint64_t now_ms,
                           struct mt_collateral_parts *out, struct mt_trace *trace);

/* One file as it says of itself. */
struct mt_collateral_part {
    const char *file; /* its name, a literal */
    char about[160];  /* whose, and of what: fit for a terminal */
    uint64_t from_ms;
    uint64_t until_ms;
    bool is_legible;
};

enum { MT_COLLATERAL_PARTS_MAX = 8 };
struct mt_collateral_parts {
    struct mt_collateral_part at[MT_COLLATERAL_PARTS_MAX];
    size_t count;
};

/* Unverified. MT_E_NOTFOUND: there is none of it. */
MT_ERR mt_collateral_show(const char *folder, struct mt_collateral_parts *out);
/* The same of what was read already. */
void mt_collateral_list(const struct mt_collateral *c, struct mt_collateral_parts *out);
/* NULL if none can be read. */
const struct mt_collateral_part *mt_collateral_first(const struct mt_collateral_parts *p);

/* Writes all that is not empty into a new folder, which then takes the place of the old one.
 * `is_lent`: the key of AMD is one that a cloud was lent (VLEK). */
MT_ERR mt_collateral_store(const char *folder, const struct mt_collateral *c, bool is_lent);

#endif
