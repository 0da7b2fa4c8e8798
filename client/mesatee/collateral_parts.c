/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "attest/dcap_tcb.h"
#include "attest/verify.h"
#include "crypto/x509.h"
#include "mesatee/collateral.h"

/* What collateral says of itself. */

static struct mt_collateral_part *add(struct mt_collateral_parts *p, const char *file)
{
    struct mt_collateral_part *x = &p->at[p->count++];
    *x = (struct mt_collateral_part){.file = file, .about = "cannot be read"};
    return x;
}

/* Names come out of files of strangers. */
static void describe(struct mt_collateral_part *x, const char *before, mt_bytes name)
{
    char plain[65];
    size_t len = name.len < sizeof plain - 1 ? name.len : sizeof plain - 1;
    memcpy(plain, name.ptr, len);
    plain[len] = '\0';
    for (size_t i = 0; i < len; i++) {
        if (name.ptr[i] < 0x20 || name.ptr[i] >= 0x7f) {
            plain[i] = '?';
        }
    }
    (void)snprintf(x->about, sizeof x->about, "%s%s", before, plain);
}

static void add_info(struct mt_collateral_parts *p, mt_bytes text)
{
    struct mt_tcb_info info = {.root = NULL};
    struct mt_collateral_part *x = add(p, "tcb_info.json");
    if (!mt_failed(mt_tcb_info_parse(text, &info))) {
        const uint8_t *f = info.fmspc;
        x->from_ms = info.head.issue_ms;
        x->until_ms = info.head.next_ms;
        x->is_legible = true;
        (void)snprintf(x->about, sizeof x->about,
                       "Intel: TCB info of %s, FMSPC %02x%02x%02x%02x%02x%02x, evaluation %llu",
                       info.head.is_tdx ? "TDX" : "SGX", f[0], f[1], f[2], f[3], f[4], f[5],
                       (unsigned long long)info.head.evaluation);
    }
    mt_tcb_info_free(&info);
}

static void add_identity(struct mt_collateral_parts *p, mt_bytes text)
{
    struct mt_qe_identity id = {.root = NULL};
    struct mt_collateral_part *x = add(p, "qe_identity.json");
    if (!mt_failed(mt_qe_identity_parse(text, &id))) {
        x->from_ms = id.head.issue_ms;
        x->until_ms = id.head.next_ms;
        x->is_legible = true;
        (void)snprintf(x->about, sizeof x->about,
                       "Intel: identity of the quoting enclave of %s, evaluation %llu",
                       id.head.is_tdx ? "TDX" : "SGX", (unsigned long long)id.head.evaluation);
    }
    mt_qe_identity_free(&id);
}

static void add_chain(struct mt_collateral_parts *p, const char *file, mt_bytes in)
{
    MT_DEFER(mt_x509_chain_free) struct mt_x509_chain chain = {.count = 0};
    struct mt_collateral_part *x = add(p, file);
    mt_bytes name = {NULL, 0};
    mt_err e = in.len > 0 && in.ptr[0] == 0x30 ? mt_x509_chain_add(&chain, in)
                                               : mt_x509_chain_parse(in, &chain);
    for (size_t i = 0; !mt_failed(e) && i < chain.count; i++) {
        struct mt_x509_validity v;
        e = mt_x509_validity(chain.certs[i], &v);
        if (!mt_failed(e) && (i == 0 || v.not_before_ms > x->from_ms)) {
            x->from_ms = v.not_before_ms;
        }
        if (!mt_failed(e) && (i == 0 || v.not_after_ms < x->until_ms)) {
            x->until_ms = v.not_after_ms;
        }
    }
    if (!mt_failed(e) && !mt_failed(mt_x509_subject_name(chain.certs[0], &name))) {
        x->is_legible = true;
        describe(x, "certificate of ", name);
    }
}

static void add_list(struct mt_collateral_parts *p, const char *file, mt_bytes der)
{
    struct mt_x509_list l;
    struct mt_collateral_part *x = add(p, file);
    if (!mt_failed(mt_x509_list_show(der, &l))) {
        char before[64];
        x->from_ms = l.this_ms;
        x->until_ms = l.next_ms;
        x->is_legible = true;
        (void)snprintf(before, sizeof before, "list of %zu revoked by ", l.revoked_count);
        describe(x, before, mt_bytes_of_text(l.issuer));
    }
}

void mt_collateral_list(const struct mt_collateral *c, struct mt_collateral_parts *out)
{
    const struct {
        const char *file;
        mt_bytes content;
        void (*add)(struct mt_collateral_parts *, const char *, mt_bytes);
    } others[] = {{"tcb_info_chain.pem", c->tcb_info_chain, add_chain},
                  {"qe_identity_chain.pem", c->qe_identity_chain, add_chain},
                  {"root_ca_crl.der", c->root_ca_crl, add_list},
                  {"pck_crl.der", c->pck_crl, add_list},
                  {"vcek or vlek", c->vek, add_chain},
                  {"amd_crl.der", c->amd_crl, add_list}};
    out->count = 0;
    if (c->tcb_info.len > 0) {
        add_info(out, c->tcb_info);
    }
    if (c->qe_identity.len > 0) {
        add_identity(out, c->qe_identity);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (others[i].content.len > 0) {
            others[i].add(out, others[i].file, others[i].content);
        }
    }
}

const struct mt_collateral_part *mt_collateral_first(const struct mt_collateral_parts *p)
{
    const struct mt_collateral_part *first = NULL;
    for (size_t i = 0; i < p->count; i++) {
        const struct mt_collateral_part *x = &p->at[i];
        if (x->is_legible && (first == NULL || x->until_ms < first->until_ms)) {
            first = x;
        }
    }
    return first;
}

MT_ERR mt_collateral_show(const char *folder, struct mt_collateral_parts *out)
{
    MT_DEFER(mt_evidence_set_free) struct mt_evidence_set *s = NULL;
    MT_TRY(mt_collateral_load(folder, &s));
    mt_collateral_list(&s->evidence.collateral, out);
    MT_REQUIRE(out->count > 0, MT_E_NOTFOUND, "the folder holds no collateral");
    return MT_OK;
}

MT_ERR mt_collateral_check(const char *evidence, const char *folder, uint64_t now_ms,
                           struct mt_collateral_parts *out, struct mt_trace *trace)
{
    MT_DEFER(mt_evidence_set_free) struct mt_evidence_set *s = NULL;
    MT_TRY(mt_evidence_set_load(evidence, folder, &s));
    s->evidence.now_ms = now_ms;
    mt_collateral_list(&s->evidence.collateral, out);
    return mt_evidence_collateral_verify(&s->evidence, trace);
}
