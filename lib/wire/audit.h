/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_WIRE_AUDIT_H
#define MT_WIRE_AUDIT_H

#include "base/id.h"
#include "base/limits.h"

/*
 * A line of the audit log (spec/audit.md): who did what with what, and what became of it. Lines are
 * items that a ledger's transaction claims, so that the Merkle tree covers them.
 */
enum mt_audit_phase {
    MT_AUDIT_ACT = 1, /* in the very transaction that it is about */
    MT_AUDIT_INTENT,  /* durable before the act */
    MT_AUDIT_READ,    /* written down afterwards, at most a second late */
    MT_AUDIT_REFUSED,
};

struct mt_audit_record {
    mt_hash subject;
    mt_bytes action;
    mt_id resource; /* zeros: none */
    enum mt_audit_phase phase;
    uint64_t outcome; /* enum mt_code; 0: well */
    uint64_t count;   /* of times that the same happened */
    uint64_t first_ms;
};

/* The head of an item; as many records follow it. */
void mt_audit_item_write(struct mt_writer *w, size_t count);
void mt_audit_record_write(struct mt_writer *w, const struct mt_audit_record *r);

/* *records stands before the first of *count records, at most MT_GATE_NOTES_MAX + 1. Says nothing
 * yet of the records. */
MT_ERR mt_audit_item_parse(mt_bytes item, struct mt_reader *records, uint64_t *count);
/* The next one; borrows. */
MT_ERR mt_audit_record_parse(struct mt_reader *records, struct mt_audit_record *out);

#endif
