/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_BUNDLE_H
#define MT_ATTEST_BUNDLE_H

#include "attest/evidence.h"

/*
 * What a node shows of its hardware in one piece (spec/evidence-node.md): the evidence, the
 * collateral that the node has at hand, and the node's own measurement log. The evidence is about
 * both the log and the connection (mt_bind_log()): whom the hardware vouches for, vouches for the
 * rest.
 */
struct mt_bundle {
    struct mt_evidence evidence; /* but endorsements and time, which are not the node's to give */
    mt_bytes log;
};

void mt_bundle_write(struct mt_writer *w, const struct mt_bundle *b);
/* Where all of it is longer than evidence may be, the event log stays away: it explains, and
 * decides nothing, and without it there is evidence. */
void mt_bundle_trim(struct mt_bundle *b);
/* Borrows from `in`. */
MT_ERR mt_bundle_parse(mt_bytes in, struct mt_bundle *out);

#endif
