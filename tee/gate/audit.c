/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "gate/inside.h"

/*
 * The audit log is made of claim items of ledger transactions (wire/audit.h), so the Merkle tree
 * covers it and a receipt can show any of it.
 */
enum { RECORD_BYTES_MAX = 160 };

static void write_record(struct mt_writer *w, const struct mt_note *n, enum mt_audit_phase phase)
{
    const struct mt_audit_record r = {.subject = n->subject,
                                      .action = mt_bytes_of_text(n->action),
                                      .resource = n->resource,
                                      .phase = phase,
                                      .outcome = n->outcome,
                                      .count = n->count,
                                      .first_ms = n->first_ms};
    mt_audit_record_write(w, &r);
}

MT_ERR mt_gate_audit(struct mt_tx *tx, const mt_hash *subject, const char *action,
                     const mt_id *resource, enum mt_audit_phase phase)
{
    uint8_t room[RECORD_BYTES_MAX + 16];
    uint32_t index = 0;
    struct mt_note n = {
        .subject = *subject, .action = action, .count = 1, .first_ms = mt_tx_now_ms(tx)};
    if (resource != NULL) {
        n.resource = *resource;
    }
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_audit_item_write(&w, 1);
    write_record(&w, &n, phase);
    return mt_tx_claim(tx, mt_write_done(&w), &index);
}

static bool is_same(const struct mt_note *n, const struct mt_ask *ask, uint32_t outcome)
{
    return n->outcome == outcome && n->action == ask->action &&
           mt_hash_equal(&n->subject, &ask->subject) && mt_id_equal(&n->resource, &ask->resource);
}

void mt_gate_note(struct mt_gate *g, const struct mt_ask *ask, mt_err outcome)
{
    uint32_t code = mt_failed(outcome) ? (uint32_t)outcome.fault->code : 0;
    /* Newest first: a client repeats itself. */
    for (size_t i = g->notes_count; i > 0; i--) {
        if (is_same(&g->notes[i - 1], ask, code)) {
            g->notes[i - 1].count++;
            return;
        }
    }
    if (g->notes_count < MT_GATE_NOTES_MAX) {
        g->notes[g->notes_count++] = (struct mt_note){.subject = ask->subject,
                                                      .action = ask->action,
                                                      .resource = ask->resource,
                                                      .outcome = code,
                                                      .count = 1,
                                                      .first_ms = mt_ledger_time_ms(g->ledger)};
        return;
    }
    /* mt_gate_admit() lets nobody in while the collection is full: this is a refusal. */
    if (g->unlisted++ == 0) {
        g->unlisted_first_ms = mt_ledger_time_ms(g->ledger);
    }
}

MT_ERR mt_gate_hand_over(struct mt_gate *g, struct mt_tx *tx, const struct mt_ask *ask)
{
    MT_REQUIRE(!mt_gate_is_full(g) && !g->is_behind, MT_E_BUSY,
               "the audit log has to be written first");
    return mt_gate_audit(tx, &ask->subject, ask->action, &ask->resource, MT_AUDIT_INTENT);
}

void mt_gate_note_stranger(struct mt_gate *g)
{
    g->strangers++;
}

bool mt_gate_has_notes(const struct mt_gate *g)
{
    return g->notes_count > 0;
}

bool mt_gate_is_full(const struct mt_gate *g)
{
    return g->notes_count == MT_GATE_NOTES_MAX;
}

MT_ERR mt_gate_flush(struct mt_gate *g, struct mt_tx *tx)
{
    MT_DEFER(mt_buf_free)
    struct mt_buf item = mt_buf_of_max((size_t)RECORD_BYTES_MAX * (MT_GATE_NOTES_MAX + 2));
    struct mt_writer w = mt_writer_onto(&item);
    mt_bytes bytes;
    uint32_t index = 0;
    if (g->notes_count == 0) {
        return MT_OK;
    }
    mt_audit_item_write(&w, g->notes_count + (g->unlisted > 0 ? 1 : 0));
    for (size_t i = 0; i < g->notes_count; i++) {
        write_record(&w, &g->notes[i], g->notes[i].outcome == 0 ? MT_AUDIT_READ : MT_AUDIT_REFUSED);
    }
    if (g->unlisted > 0) {
        const struct mt_note rest = {.action = "gate.unlisted",
                                     .outcome = MT_E_BUSY,
                                     .count = g->unlisted,
                                     .first_ms = g->unlisted_first_ms};
        write_record(&w, &rest, MT_AUDIT_REFUSED);
    }
    MT_TRY(mt_write_end(&w, &bytes));
    return mt_tx_claim(tx, bytes, &index);
}

void mt_gate_flushed(struct mt_gate *g, mt_err e)
{
    g->is_behind = mt_failed(e);
    if (!g->is_behind) {
        g->notes_count = 0;
        g->unlisted = 0;
    }
}
