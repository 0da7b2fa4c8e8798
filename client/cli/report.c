/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"

#include <string.h>

#include "cli/sources.h"
#include "mesatee/policy_file.h"
#include "mesatee/seen.h"

/* Rules by how they begin, the longest that fits; what nobody placed stands under "other". */
struct heading {
    const char *title;
    const char *rules[28];
};
static const struct heading headings[] = {
    {"evidence",
     {"evidence-", "platform-", "snp-",      "vek-",           "quote-",         "pck-",
      "qe-",       "tcb-",      "tdx-",      "fmspc",          "collateral-",    "certificate-",
      "crl-",      "amd-",      "ak-",       "tpm-",           "pcr-",           "event-log",
      "hcl-",      "azure-",    "td-report", "runtime-claims", "attestation-key"}},
    {"measurement", {"measurement-", "level-", "configuration-"}},
    {"auditors", {"auditors-"}},
    {"channel key", {"report-data"}},
    {"administrator", {"administrator-"}},
    {"receipt", {"receipt-", "run-"}},
    {"policy",
     {"policy-", "kind-unnamed", "debug", "migratable", "service-td", "sept-ve",
      "reserved-attributes", "provisional-firmware", "vmpl", "unclean-stop", "tcb-status",
      "tcb-advisory", "tcb-date", "minimum-version", "platform-foreign"}},
};
enum { HEADINGS = sizeof headings / sizeof *headings };

/* How much of the rule's beginning stands under a heading. */
static size_t length_under(const struct mt_check *k, const struct heading *h)
{
    size_t longest = 0;
    for (size_t i = 0; h->rules[i] != NULL; i++) {
        size_t len = strlen(h->rules[i]);
        if (strncmp(k->rule, h->rules[i], len) == 0 && len > longest) {
            longest = len;
        }
    }
    return longest;
}

static const char *title_of(const struct mt_check *k)
{
    const char *title = "other";
    size_t longest = 0;
    for (size_t i = 0; i < HEADINGS; i++) {
        size_t len = length_under(k, &headings[i]);
        if (len > longest) {
            longest = len;
            title = headings[i].title;
        }
    }
    return title;
}

bool mt_cli_report_note(struct mt_trace *t, struct mt_check check)
{
    if (t->count < MT_TRACE_MAX) {
        t->checks[t->count++] = check;
    }
    return check.has_passed;
}

static void print_check(FILE *to, const struct mt_check *k, bool is_long)
{
    const struct mt_source *by = mt_source_of(k->rule);
    (void)fprintf(to, "  %s  %-22s %s\n", k->has_passed ? "ok    " : "FAILED", k->rule, k->meaning);
    if (!k->has_passed) {
        (void)fprintf(to, "          mend: %s\n", k->mend);
    }
    if (is_long && by != NULL) {
        (void)fprintf(to, "          reads: %s\n          by: %s\n", by->reads, by->demand);
    }
}

static void print_under(FILE *to, const char *title, const struct mt_trace *t, bool is_long)
{
    bool has_title = false;
    for (size_t i = 0; i < t->count; i++) {
        const struct mt_check *k = &t->checks[i];
        if ((k->has_passed && !is_long) || strcmp(title_of(k), title) != 0) {
            continue;
        }
        if (!has_title && is_long) {
            (void)fprintf(to, "%s\n", title);
        }
        has_title = true;
        print_check(to, k, is_long);
    }
}

void mt_cli_report_trace(FILE *to, const struct mt_trace *t, bool is_long)
{
    for (size_t i = 0; i < HEADINGS; i++) {
        print_under(to, headings[i].title, t, is_long);
    }
    print_under(to, "other", t, is_long);
}

static void put_checks(struct mt_json_writer *j, const char *name, const struct mt_trace *t,
                       bool failed_alone)
{
    mt_json_begin_array(j, name);
    for (size_t i = 0; i < t->count; i++) {
        const struct mt_check *k = &t->checks[i];
        if (failed_alone && k->has_passed) {
            continue;
        }
        const struct mt_source *by = mt_source_of(k->rule);
        mt_json_begin_object(j, NULL);
        if (by != NULL) {
            mt_json_put_literal(j, "demand", by->demand);
        }
        mt_json_put_literal(j, "detail", k->meaning);
        if (!k->has_passed) {
            mt_json_put_literal(j, "mend", k->mend);
        }
        mt_json_put_bool(j, "passed", k->has_passed);
        if (by != NULL) {
            mt_json_put_literal(j, "reads", by->reads);
        }
        mt_json_put_literal(j, "rule", k->rule);
        mt_json_put_literal(j, "under", title_of(k));
        mt_json_end_object(j);
    }
    mt_json_end_array(j);
}

void mt_cli_report_checks(struct mt_json_writer *j, const struct mt_trace *t)
{
    put_checks(j, "checks", t, false);
    put_checks(j, "failed", t, true);
}

static void print_run(const struct mt_run_receipt *r)
{
    const struct mt_task *t = &r->task;
    (void)printf("Run %llu of task ", (unsigned long long)r->claim.number);
    mt_cli_print_hex(stdout, mt_id_bytes(&t->nonce));
    (void)fputs(", digest ", stdout);
    mt_cli_print_hex(stdout, mt_hash_bytes(&r->digest));
    (void)printf("\nFunction %.*s, version %llu, over %zu inputs; approved by every owner\n",
                 (int)t->function.len, (const char *)t->function.ptr,
                 (unsigned long long)t->function_version, t->inputs_count);
    for (size_t i = 0; i < r->claim.outputs_count; i++) {
        (void)printf("Output %.*s, %llu bytes, commitment ", (int)r->claim.outputs[i].name.len,
                     (const char *)r->claim.outputs[i].name.ptr,
                     (unsigned long long)r->claim.outputs[i].size_bytes);
        mt_cli_print_hex(stdout, mt_hash_bytes(&r->claim.outputs[i].commitment));
        (void)putchar('\n');
    }
    (void)printf("Transaction %llu in a ledger of %llu, recovery epoch %llu, cluster ",
                 (unsigned long long)r->receipt.entry.txid,
                 (unsigned long long)r->facts.header.tree_size,
                 (unsigned long long)r->facts.header.recovery_epoch);
    mt_cli_print_hex(stdout, mt_hash_bytes(&r->facts.header.cluster));
    const struct mt_claims *k = &r->facts.appraisal.claims;
    (void)printf("\nlevel %llu, hardware_root: %s, host_in_tcb: %s, oblivious: %s, "
                 "limits_enforced_against_rollback: %s, times claimed by the host\n",
                 (unsigned long long)r->claim.level, k->has_hardware_root ? "true" : "false",
                 k->has_host_in_tcb ? "true" : "false", r->claim.is_oblivious ? "true" : "false",
                 r->claim.are_limits_enforced ? "true" : "false");
}

static void put_run(struct mt_json_writer *j, const struct mt_run_receipt *r)
{
    mt_json_put_hex(j, "task", mt_id_bytes(&r->task.nonce));
    mt_json_put_hex(j, "digest", mt_hash_bytes(&r->digest));
    mt_json_put_hex(j, "run", mt_id_bytes(&r->claim.run));
    mt_json_put_uint(j, "number", r->claim.number);
    mt_json_put_text(j, "function", r->task.function);
    mt_json_put_uint(j, "transaction", r->receipt.entry.txid);
    mt_json_put_uint(j, "tree_size", r->facts.header.tree_size);
    mt_json_put_uint(j, "recovery_epoch", r->facts.header.recovery_epoch);
    mt_json_put_hex(j, "cluster_id", mt_hash_bytes(&r->facts.header.cluster));
    mt_json_put_uint(j, "level", r->claim.level);
    mt_json_put_bool(j, "oblivious", r->claim.is_oblivious);
    mt_json_put_bool(j, "limits_enforced_against_rollback", r->claim.are_limits_enforced);
}

static void print_list(const struct mt_auditors_list *l)
{
    (void)printf("sequence %llu, %zu measurements, valid from %llu to %llu (milliseconds since "
                 "1970)\n",
                 (unsigned long long)l->sequence, l->values_count,
                 (unsigned long long)l->not_before_ms, (unsigned long long)l->not_after_ms);
    for (size_t i = 0; i < l->values_count; i++) {
        uint8_t room[8 * MT_NAME_BYTES_MAX];
        mt_bytes name = {NULL, 0};
        struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
        mt_seen_write(&w, l->values[i].name);
        (void)mt_failed(mt_write_end(&w, &name));
        (void)fputs("  ", stdout);
        mt_cli_print_hex(stdout, mt_hash_bytes(&l->values[i].measurement));
        (void)printf("  %.*s\n", (int)name.len, (const char *)name.ptr);
    }
}

static void print_facts(const struct mt_inspected *x)
{
    switch (x->kind) {
    case MT_FILE_RECEIPT:
        (void)puts("The receipt is genuine.");
        print_run(&x->run);
        break;
    case MT_FILE_AUDITORS:
        (void)puts("The auditors' list is one that your policy believes.");
        print_list(&x->list);
        break;
    case MT_FILE_POLICY:
        (void)fputs("The policy is whole, and yours. Its hash is ", stdout);
        mt_cli_print_hex(stdout, mt_hash_bytes(&x->policy.hash));
        (void)putchar('\n');
        break;
    case MT_FILE_EVIDENCE:
        (void)fputs("The evidence is genuine and accepted by your policy. Measurement ", stdout);
        mt_cli_print_hex(stdout, mt_hash_bytes(&x->claims.measurement));
        (void)putchar('\n');
        break;
    case MT_FILE_UNKNOWN:
        break;
    }
}

static void put_facts(struct mt_json_writer *j, const struct mt_inspected *x)
{
    switch (x->kind) {
    case MT_FILE_RECEIPT:
        put_run(j, &x->run);
        break;
    case MT_FILE_AUDITORS:
        mt_json_put_uint(j, "sequence", x->list.sequence);
        break;
    case MT_FILE_POLICY:
        mt_json_put_hex(j, "hash", mt_hash_bytes(&x->policy.hash));
        mt_json_put_hex(j, "signed_by", mt_hash_bytes(&x->signer));
        break;
    case MT_FILE_EVIDENCE:
        mt_json_put_hex(j, "measurement", mt_hash_bytes(&x->claims.measurement));
        break;
    case MT_FILE_UNKNOWN:
        break;
    }
}

static int report_json(const struct mt_cli *c, const struct mt_inspected *x, mt_err e)
{
    struct mt_cli_answer a;
    bool is_refused = mt_failed(e) && mt_exit_of(e) == MT_EXIT_REFUSED;
    mt_cli_answer_begin(&a);
    mt_json_put_literal(&a.j, "kind", mt_file_kind_name(x->kind));
    mt_json_put_bool(&a.j, "genuine", !mt_failed(e) || is_refused);
    mt_json_put_bool(&a.j, "accepted", !mt_failed(e));
    mt_cli_report_checks(&a.j, &x->trace);
    if (!mt_failed(e)) {
        put_facts(&a.j, x);
    }
    return mt_cli_answer_end(c, &a);
}

int mt_cli_report_file(const struct mt_cli *c, const char *path, const struct mt_inspected *x,
                       mt_err e, bool is_long)
{
    if (c->is_json) {
        int rc = report_json(c, x, e);
        return mt_failed(e) ? mt_cli_fail(c, e, path) : rc;
    }
    if (is_long || mt_failed(e)) {
        mt_cli_report_trace(mt_failed(e) ? stderr : stdout, &x->trace, is_long);
    }
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, path);
    }
    print_facts(x);
    return MT_EXIT_DONE;
}
