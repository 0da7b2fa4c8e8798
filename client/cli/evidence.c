/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evidence.h"

#include <string.h>

#include "base/time.h"
#include "mesatee/policy_file.h"

enum { TOKEN_MAX = 64 * 1024 };

/* verify PATH and evidence show: hardware evidence in files. */

void mt_cli_evidence_words(struct mt_cli *c, struct mt_evidence_words *out)
{
    *out = (struct mt_evidence_words){.at = mt_cli_option(c, "--at"),
                                      .collateral = mt_cli_option(c, "--collateral"),
                                      .policy = mt_cli_option(c, "--policy"),
                                      .auditors = mt_cli_option(c, "--auditors"),
                                      .format = mt_cli_option(c, "--format"),
                                      .report_data = mt_cli_option(c, "--report-data"),
                                      .token = mt_cli_option(c, "--token"),
                                      .identity = mt_cli_option(c, "--identity")};
}

bool mt_cli_is_evidence(const char *path, const struct mt_evidence_words *w)
{
    MT_DEFER(mt_evidence_set_free) struct mt_evidence_set *s = NULL;
    bool is_said = w->at != NULL || w->collateral != NULL || w->policy != NULL ||
                   w->auditors != NULL || w->format != NULL || w->token != NULL;
    return is_said ||
           (!mt_failed(mt_evidence_set_load(path, NULL, &s)) && s->kind != MT_EVIDENCE_NONE);
}

/* What the words say; MT_E_ARG, with what is wrong with them. `room` holds the report data. */
static MT_ERR read_words(const struct mt_evidence_words *w, mt_span room,
                         struct mt_evidence_options *o)
{
    size_t digits = w->report_data == NULL ? 0 : strlen(w->report_data);
    MT_REQUIRE(
        digits > 0 && digits / 2 <= room.len, MT_E_ARG,
        "evidence proves something about the report data that you expect: --report-data HEX");
    o->report_data = (mt_bytes){room.ptr, digits / 2};
    mt_err e = mt_hex_parse(mt_bytes_of_text(w->report_data), (mt_span){room.ptr, digits / 2});
    MT_REQUIRE(!mt_failed(e), MT_E_ARG, "--report-data takes hexadecimal digits, two a byte");
    e = w->at == NULL ? MT_OK : mt_time_parse(mt_bytes_of_text(w->at), &o->now_ms);
    MT_REQUIRE(!mt_failed(e), MT_E_ARG, "--at takes a time in UTC, as 2025-07-01T00:00:00Z");
    MT_REQUIRE(w->format == NULL || strcmp(w->format, "auto") == 0 ||
                   mt_evidence_kind_of_word(w->format, &o->expected),
               MT_E_ARG, "--format takes auto, sgx, tdx, snp, tpm, azure or soft");
    return MT_OK;
}

static void print_claims(const struct mt_claims *k)
{
    for (size_t i = 0; i < k->claimed_count; i++) {
        const struct mt_claimed *x = &k->claimed[i];
        (void)printf("  %-24s ", x->name);
        if (x->is_number) {
            (void)printf("%llu", (unsigned long long)x->number);
        } else if (x->is_text) {
            mt_cli_print_bytes(stdout, (mt_bytes){x->bytes, x->len});
        } else {
            mt_cli_print_hex(stdout, (mt_bytes){x->bytes, x->len});
        }
        (void)putchar('\n');
    }
}

static void print_hash(const char *title, const mt_hash *h)
{
    (void)printf("%s ", title);
    mt_cli_print_hex(stdout, mt_hash_bytes(h));
    (void)putchar('\n');
}

static int report_json(const struct mt_cli *c, const struct mt_evidence_report *r, mt_err e)
{
    struct mt_cli_answer a;
    mt_cli_answer_begin(&a);
    mt_json_put_bool(&a.j, "genuine", r->is_genuine);
    mt_json_put_bool(&a.j, "accepted", !mt_failed(e));
    mt_evidence_claims_put(&a.j, r->is_genuine ? &r->appraisal.claims : NULL);
    mt_cli_report_checks(&a.j, &r->appraisal.trace);
    return mt_cli_answer_end(c, &a);
}

static int report(struct mt_cli *c, const char *path, const struct mt_evidence_report *r, mt_err e,
                  bool is_long)
{
    const struct mt_claims *k = &r->appraisal.claims;
    int rc = !mt_failed(e) ? MT_EXIT_DONE : r->is_genuine ? MT_EXIT_REFUSED : MT_EXIT_NOT_GENUINE;
    if (c->is_json) {
        int written = report_json(c, r, e);
        return written == MT_EXIT_DONE ? rc : written;
    }
    if (is_long || mt_failed(e)) {
        mt_cli_report_trace(mt_failed(e) ? stderr : stdout, &r->appraisal.trace, is_long);
    }
    if (!r->is_genuine) {
        (void)mt_cli_fail(c, e, path);
        return rc;
    }
    (void)printf("%s: genuine, %s; level %d\n", path,
                 mt_failed(e) ? "and refused" : "and accepted by the policy", (int)k->level);
    print_hash("measurement", &k->measurement);
    print_hash("platform   ", &k->platform);
    if (is_long) {
        print_claims(k);
    }
    return rc;
}

/* The result for others: also of evidence that is refused. */
static MT_ERR write_token(const struct mt_cli *c, const struct mt_evidence_words *w,
                          const struct mt_evidence_options *o, const struct mt_evidence_report *r)
{
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf token = mt_buf_of_max(TOKEN_MAX);
    MT_REQUIRE(w->identity != NULL, MT_E_ARG, "a token is signed: --identity NAME");
    MT_TRY(mt_identity_load(&c->home, w->identity, &k));
    MT_TRY(mt_evidence_token(o, r, k, &token));
    return mt_file_store(w->token, mt_buf_bytes(&token));
}

int mt_cli_verify_evidence(struct mt_cli *c, const char *path, const struct mt_evidence_words *w,
                           bool is_long)
{
    MT_DEFER(mt_evidence_report_free) struct mt_evidence_report *r = NULL;
    uint8_t expected[MT_REPORT_DATA_LEN];
    struct mt_evidence_options o = {.path = path,
                                    .collateral = w->collateral,
                                    .policy = w->policy,
                                    .auditors = w->auditors,
                                    .now_ms = mt_now_ms()};
    mt_err e = read_words(w, (mt_span){expected, sizeof expected}, &o);
    if (mt_failed(e)) {
        (void)mt_cli_fail(c, e, path);
        return MT_EXIT_USAGE;
    }
    e = mt_evidence_check(&o, &r);
    if (r == NULL) {
        return mt_cli_fail(c, e, path);
    }
    mt_err t = w->token == NULL ? MT_OK : write_token(c, w, &o, r);
    return mt_failed(t) ? mt_cli_fail(c, t, w->token) : report(c, path, r, e, is_long);
}

int mt_cli_evidence_show(struct mt_cli *c)
{
    struct mt_claims said;
    struct mt_cli_answer a;
    const char *collateral = mt_cli_option(c, "--collateral");
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_evidence_read(c->argv[0], collateral, &said);
    if (mt_failed(e)) {
        int rc = mt_cli_fail(c, e, c->argv[0]);
        return e.fault->code == MT_E_FORMAT ? MT_EXIT_NOT_GENUINE : rc;
    }
    mt_cli_answer_begin(&a);
    mt_evidence_said_put(&a.j, &said);
    return mt_cli_answer_end(c, &a);
}
