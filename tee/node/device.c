/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "attest/binder.h"
#include "attest/bundle.h"
#include "attest/verify.h"
#include "crypto/hash.h"
#include "node/node.h"
#include "platform/log.h"
#include "platform/makers.h"
#include "platform/posix/device_io.h"
#include "platform/process.h"
#include "platform/tpm.h"
#include "seal/fresh.h"

/*
 * What the machine can show of itself. The configuration says which device is meant, and a node
 * whose device is not there does not start: it would be one of a lower level, and its owners have
 * not chosen that.
 */
enum { MINUTE_MS = 60 * 1000 };

static void free_trace(struct mt_trace **t)
{
    free(*t);
    *t = NULL;
}

static bool is_device(const struct mt_config *c, const char *name)
{
    return mt_bytes_equal(mt_bytes_of_text(c->device), mt_bytes_of_text(name));
}

/* A virtual machine on Azure has a TPM, and none of the devices that speak to the hardware. The
 * quote of a TD is made by a service that a node does not ask: somebody else has fetched it. */
static MT_ERR open_any(const struct mt_config *c, struct mt_device **out)
{
    MT_DEFER(mt_buf_free) struct mt_buf td_quote = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    mt_err e = mt_device_probe(mt_device_io_posix(), out);
    if (!mt_failed(e) || e.fault->code != MT_E_NOTFOUND) {
        return e;
    }
    if (c->td_quote[0] != '\0') {
        MT_TRY(mt_process_read_file(c->td_quote, MT_DEVICE_QUOTE_BYTES_MAX, &td_quote));
    }
    return mt_tpm_open_azure(c->tpm, mt_buf_bytes(&td_quote), out);
}

/* What operators approved lies on the host's disk, and so does the name of the file: the TPM checks
 * every word of it. Whose word counts, the host may not say. */
static MT_ERR set_operator(const struct mt_config *c, const mt_spki *operator_key,
                           struct mt_device *d)
{
    enum { FILE_MAX = MT_IMAGE_APPROVALS_MAX * MT_IMAGE_APPROVAL_LEN };
    struct mt_image_approvals approvals = {.count = 0};
    MT_DEFER(mt_buf_free) struct mt_buf file = mt_buf_of_max(FILE_MAX);
    if (c->approvals[0] != '\0') {
        MT_TRY(mt_process_read_file(c->approvals, FILE_MAX, &file));
        MT_TRY(mt_image_approvals_parse(mt_buf_bytes(&file), &approvals));
    }
    mt_tpm_operator(d, operator_key, &approvals);
    return MT_OK;
}

static MT_ERR open_named(const struct mt_config *c, const mt_spki *operator_key,
                         struct mt_device **out)
{
    MT_DEFER(mt_device_close) struct mt_device *d = NULL;
    MT_TRY(is_device(c, "tpm") ? mt_tpm_open(c->tpm, &d) : open_any(c, &d));
    if (d->kind == MT_EVIDENCE_TPM || d->kind == MT_EVIDENCE_AZURE) {
        MT_TRY(set_operator(c, operator_key, d));
    }
    *out = d;
    d = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_node_open_device(const struct mt_config *c, const mt_spki *operator_key,
                           struct mt_device **out)
{
    if (is_device(c, "none")) {
        return MT_OK;
    }
    mt_err e = open_named(c, operator_key, out);
    if (mt_failed(e)) {
        const struct mt_log_field mend = {
            .name = "mend",
            .literal = "give the node the device and the right to open it; or set device = none, "
                       "and tell the owners that the node is level 2"};
        mt_log("device-refused", &mend, 1);
    }
    return e;
}

/* The evidence is about what was asked and the node's log, and both are in the bundle. */
mt_err mt_node_device_evidence(const struct mt_node *n,
                               const uint8_t report_data[MT_REPORT_DATA_LEN], struct mt_writer *w)
{
    MT_DEFER(mt_device_evidence_free) struct mt_device_evidence e;
    uint8_t bound[MT_REPORT_DATA_LEN];
    mt_device_evidence_init(&e);
    mt_bind_log(report_data, mt_buf_bytes(&n->log), bound);
    MT_TRY(mt_device_evidence(n->device, bound, &e));
    struct mt_bundle b = {
        .log = mt_buf_bytes(&n->log),
        .evidence = {.quote = mt_buf_bytes(&e.quote),
                     .signature = mt_buf_bytes(&e.signature),
                     .pcrs = mt_buf_bytes(&e.pcrs),
                     .event_log = mt_buf_bytes(&e.event_log),
                     .runtime_data = mt_buf_bytes(&e.runtime),
                     .tpm_quote = mt_buf_bytes(&e.tpm_quote),
                     .ak_public = mt_buf_bytes(&e.ak_public),
                     .collateral = {.vek = mt_buf_bytes(&e.vek)}},
    };
    mt_held_lend(&n->holding.held, &b.evidence.collateral);
    mt_bundle_trim(&b);
    mt_bundle_write(w, &b);
    return w->failed;
}

/* A TPM's evidence is verified here as others will, our own key being known; of the others, whose
 * collateral we may not have, what they say. */
static MT_ERR look_at(const struct mt_node *n, const struct mt_bundle *b,
                      const uint8_t report_data[MT_REPORT_DATA_LEN], struct mt_claims *out)
{
    struct mt_evidence in = b->evidence;
    MT_DEFER(free_trace) struct mt_trace *trace = NULL;
    uint8_t bound[MT_REPORT_DATA_LEN];
    mt_hash key;
    mt_hash extra;
    if (mt_evidence_kind_of(&in) != MT_EVIDENCE_TPM) {
        MT_TRY(mt_evidence_show(&in, out));
        out->has_hardware_root = true; /* as everything here, its own word */
        return MT_OK;
    }
    trace = calloc(1, sizeof *trace);
    MT_REQUIRE(trace != NULL, MT_E_NOMEM, "no memory for evidence");
    mt_sha256(&in.ak_public, 1, &key);
    mt_bind_log(report_data, b->log, bound);
    const mt_bytes all = MT_BYTES_OF(bound);
    mt_sha256(&all, 1, &extra);
    const struct mt_attest_roots own = {.known = {.platforms = &key, .platforms_count = 1}};
    in.roots = &own;
    in.now_ms = mt_loop_host_time_ms(n->loop);
    return mt_evidence_verify(MT_EVIDENCE_TPM, &in, mt_hash_bytes(&extra), out, trace);
}

/* For status and the public file: nobody is asked to believe it from here. */
MT_ERR mt_node_device_claims(struct mt_node *n, mt_bytes evidence,
                             const uint8_t report_data[MT_REPORT_DATA_LEN], struct mt_claims *out)
{
    struct mt_bundle b;
    MT_TRY(mt_bundle_parse(evidence, &b));
    MT_TRY(look_at(n, &b, report_data, out));
    n->facts.attestation_public = b.evidence.ak_public; /* in the evidence, which stays */
    return MT_OK;
}

MT_ERR mt_node_device_facts(struct mt_node *n)
{
    n->facts.strangers_per_s = n->config.strangers_per_s;
    if (!mt_device_enrols(n->device)) {
        return MT_OK;
    }
    MT_TRY(mt_device_endorsement(n->device, &n->endorsement_certificate, &n->endorsement_public));
    n->facts.endorsement_certificate = mt_buf_bytes(&n->endorsement_certificate);
    n->facts.endorsement_public = mt_buf_bytes(&n->endorsement_public);
    return MT_OK;
}

mt_err mt_node_activate(void *state, mt_bytes blob, mt_bytes secret, mt_span out, size_t *got)
{
    const struct mt_node *n = state;
    return mt_device_activate(n->device, blob, secret, out, got);
}

mt_err mt_node_make_slot(void *state, uint64_t host_time_ms, struct mt_slot_made *out)
{
    const struct mt_node *n = state;
    struct mt_credential c;
    MT_TRY(mt_credential_of_device(n->device, &c));
    return mt_slot_make(n->root, &c, host_time_ms, out);
}

/* ---- the counter: tee/seal/fresh.h */
/* A disk from a backup has no mark, and gets one when its recovery epoch is opened: with one before
 * it would be whole without the epoch, for whoever takes the file `restored` away. */
MT_ERR mt_node_open_fresh(struct mt_node *n, bool is_first, uint64_t *transactions)
{
    *transactions = 0;
    if (n->device == NULL || !mt_device_counts(n->device)) {
        return MT_OK;
    }
    if (n->awaits_recovery) {
        bool is_marked = false;
        MT_TRY(mt_fresh_is_marked(n->fs, n->root, &is_marked));
        n->fresh.waits_for_epoch = !is_marked;
    }
    return n->fresh.waits_for_epoch
               ? MT_OK
               : mt_fresh_open(n->fs, n->root, n->device, is_first, transactions);
}

MT_ERR mt_node_mark_recovered(struct mt_node *n)
{
    uint64_t transactions = 0;
    if (n->fresh.waits_for_epoch) {
        MT_TRY(mt_fresh_open(n->fs, n->root, n->device, true, &transactions));
        n->fresh.waits_for_epoch = false;
        mt_node_start_counter(n);
    }
    return MT_OK;
}

static mt_err run_step(struct mt_work *w)
{
    struct mt_node *n = w->state;
    return mt_fresh_step(n->fs, n->root, n->device, n->fresh.transactions);
}

static void step_done(struct mt_work *w, mt_err e)
{
    struct mt_node *n = w->state;
    n->fresh.is_under_way = false;
    if (mt_failed(e)) {
        mt_log_fault("counter-not-stepped", e);
        n->fresh.transactions = 0; /* again at the next turn */
    }
}

static void turn(struct mt_timer *t)
{
    struct mt_node *n = t->state;
    uint64_t durable = mt_ledger_durable(n->ledger);
    mt_timer_set(n->loop, t, n->config.counter_minutes * MINUTE_MS);
    if (n->fresh.is_under_way || durable == n->fresh.transactions) {
        return;
    }
    n->fresh.work = (struct mt_work){.run = run_step, .done = step_done, .state = n};
    n->fresh.transactions = durable;
    mt_err e = mt_pool_submit(n->evidence, &n->fresh.work);
    n->fresh.is_under_way = !mt_failed(e);
    if (mt_failed(e)) {
        n->fresh.transactions = 0;
    }
}

void mt_node_start_counter(struct mt_node *n)
{
    if (n->device != NULL && mt_device_counts(n->device) && !n->fresh.waits_for_epoch) {
        n->fresh.turn = (struct mt_timer){.run = turn, .state = n};
        n->fresh.transactions = mt_ledger_durable(n->ledger);
        mt_timer_set(n->loop, &n->fresh.turn, n->config.counter_minutes * MINUTE_MS);
    }
}
