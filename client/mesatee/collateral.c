/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/collateral.h"

#include <string.h>

#include "attest/verify.h"
#include "base/text.h"

static bool is_url(const char *from)
{
    return strncmp(from, "http://", 7) == 0 || strncmp(from, "https://", 8) == 0;
}

/* The beginning of a URL, as it is put before a path. */
static MT_ERR read_base(const char *from, char out[256])
{
    size_t len = strlen(from);
    while (len > 0 && from[len - 1] == '/') {
        len--;
    }
    MT_REQUIRE(len < 256, MT_E_ARG, "the address is too long");
    for (size_t i = 0; i < len; i++) {
        MT_REQUIRE(from[i] > ' ' && from[i] < 0x7f && strchr("\"<>\\^`{|}?#", from[i]) == NULL,
                   MT_E_ARG, "an address is a URL without spaces, query or fragment");
        out[i] = from[i];
    }
    out[len] = '\0';
    return MT_OK;
}

/* What belongs to the quote or report itself comes with it. */
static void add_own(const struct mt_collateral *own, struct mt_collateral *c)
{
    if (c->pck_chain.len == 0) {
        c->pck_chain = own->pck_chain;
    }
    if (c->vek.len == 0) {
        c->vek = own->vek;
    }
}

/* Nothing is written that the verifier would not take. */
static MT_ERR verify_and_store(const struct mt_collateral_order *o,
                               const struct mt_evidence_set *evidence, const struct mt_claims *said,
                               const struct mt_collateral *c, struct mt_trace *trace)
{
    struct mt_evidence e = evidence->evidence;
    const struct mt_claimed *key = mt_claimed(said, MT_LITERAL("signing_key"));
    bool is_lent =
        key != NULL && mt_bytes_equal((mt_bytes){key->bytes, key->len}, MT_LITERAL("VLEK"));
    e.collateral = *c;
    e.now_ms = o->now_ms;
    add_own(&evidence->evidence.collateral, &e.collateral);
    MT_TRY(mt_evidence_collateral_verify(&e, trace));
    return mt_collateral_store(o->folder, c, is_lent);
}

static MT_ERR take_folder(const struct mt_collateral_order *o,
                          const struct mt_evidence_set *evidence, const struct mt_claims *said,
                          struct mt_trace *trace)
{
    MT_DEFER(mt_evidence_set_free) struct mt_evidence_set *from = NULL;
    MT_TRY(mt_collateral_load(o->from, &from));
    return verify_and_store(o, evidence, said, &from->evidence.collateral, trace);
}

MT_ERR mt_collateral_get(struct mt_session *s, const struct mt_collateral_order *o,
                         struct mt_trace *trace)
{
    MT_DEFER(mt_evidence_set_free) struct mt_evidence_set *evidence = NULL;
    struct mt_claims said;
    char base[256] = "";
    MT_TRY(mt_evidence_set_load(o->evidence, NULL, &evidence));
    MT_TRY(mt_evidence_hardware(&evidence->evidence, &evidence->evidence));
    evidence->kind = mt_evidence_kind_of(&evidence->evidence);
    MT_REQUIRE(evidence->kind == MT_EVIDENCE_SGX || evidence->kind == MT_EVIDENCE_TDX ||
                   evidence->kind == MT_EVIDENCE_SNP,
               MT_E_FORMAT, "this kind of evidence has no collateral of its maker");
    MT_TRY(mt_evidence_show(&evidence->evidence, &said));
    if (o->from != NULL && !is_url(o->from)) {
        return take_folder(o, evidence, &said, trace);
    }
    if (o->from != NULL) {
        MT_TRY(read_base(o->from, base));
    }
    MT_DEFER(mt_collateral_source_done)
    struct mt_collateral_source g = {.s = s, .base = o->from != NULL ? base : NULL, .said = &said};
    MT_TRY(mt_collateral_fetch(&g));
    return verify_and_store(o, evidence, &said, &g.out, trace);
}
