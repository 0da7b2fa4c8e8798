/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_AUDIT_H
#define MT_MESATEE_AUDIT_H

#include "crypto/merkle.h"
#include "wire/json.h"

/*
 * Rebuilds the ledger's tree from what the node lists, leaf by leaf, and compares it with the root
 * that the node shows: a record that was left out or changed makes another root. A page could name
 * a root of its own making: what counts is the head that clients hold the node to.
 */
struct mt_audit;
MT_ERR mt_audit_new(struct mt_audit **out);
void mt_audit_free(struct mt_audit **a);
uint64_t mt_audit_size(const struct mt_audit *a);
/* One answer of GET /audit. *is_done once the whole tree is there and its root is right: MT_E_PROOF
 * else. */
MT_ERR mt_audit_add(struct mt_audit *a, const struct mt_json *page, bool *is_done);
/* Whether the listed transactions begin with those under `head`: MT_E_PROOF. */
MT_ERR mt_audit_holds(const struct mt_audit *a, const struct mt_merkle_head *head);
void mt_audit_counts(const struct mt_audit *a, uint64_t *leaves, uint64_t *records);

#endif
