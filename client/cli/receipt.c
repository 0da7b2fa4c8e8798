/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "mesatee/statement.h"

/* receipt: what anybody can check afterwards. */

enum { RECEIPT_MAX = 1024 * 1024 };

struct checked {
    struct mt_buf file;
    struct mt_run_receipt receipt;
};

static void free_checked(struct checked **x)
{
    if (*x != NULL) {
        mt_buf_free(&(*x)->file);
        free(*x);
        *x = NULL;
    }
}

/* *e says what the verifier said. */
static int check_file(struct mt_cli *c, const char *path, struct checked **out, mt_err *e)
{
    struct checked *x = calloc(1, sizeof *x);
    *out = x;
    if (x == NULL) {
        return MT_EXIT_FAILED;
    }
    if (c->context == NULL) {
        *e = mt_context_load(&c->home, c->context_name, &c->context);
        if (mt_failed(*e)) {
            return mt_cli_fail(c, *e, "context");
        }
    }
    if (c->context == NULL) {
        return MT_EXIT_FAILED;
    }
    *e = mt_file_load(path, RECEIPT_MAX, &x->file);
    if (mt_failed(*e)) {
        return mt_cli_fail(c, *e, path);
    }
    const struct mt_appraiser a = {c->context->policy, mt_buf_bytes(&c->context->auditors)};
    *e = mt_run_receipt_verify(mt_buf_bytes(&x->file), &a, mt_cli_now_ms(), &x->receipt);
    return MT_EXIT_DONE;
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
    (void)printf("\nlevel %llu, hardware_root: false, host_in_tcb: true, oblivious: %s, "
                 "limits_enforced_against_rollback: %s, times claimed by the host\n",
                 (unsigned long long)r->claim.level, r->claim.is_oblivious ? "true" : "false",
                 r->claim.are_limits_enforced ? "true" : "false");
}

static void print_run_json(const struct mt_run_receipt *r)
{
    uint8_t room[8192];
    mt_bytes text;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_json_begin_object(&j, NULL);
    mt_json_put_bool(&j, "genuine", true);
    mt_json_put_bool(&j, "accepted", true);
    mt_json_put_hex(&j, "task", mt_id_bytes(&r->task.nonce));
    mt_json_put_hex(&j, "digest", mt_hash_bytes(&r->digest));
    mt_json_put_hex(&j, "run", mt_id_bytes(&r->claim.run));
    mt_json_put_uint(&j, "number", r->claim.number);
    mt_json_put_text(&j, "function", r->task.function);
    mt_json_put_uint(&j, "transaction", r->receipt.entry.txid);
    mt_json_put_uint(&j, "tree_size", r->facts.header.tree_size);
    mt_json_put_uint(&j, "recovery_epoch", r->facts.header.recovery_epoch);
    mt_json_put_hex(&j, "cluster_id", mt_hash_bytes(&r->facts.header.cluster));
    mt_json_put_uint(&j, "level", r->claim.level);
    mt_json_put_bool(&j, "oblivious", r->claim.is_oblivious);
    mt_json_put_bool(&j, "limits_enforced_against_rollback", r->claim.are_limits_enforced);
    mt_json_end_object(&j);
    if (!mt_failed(mt_write_end(&w, &text))) {
        mt_cli_print_bytes(stdout, text);
        (void)putchar('\n');
    }
}

int mt_cli_receipt_verify(struct mt_cli *c)
{
    MT_DEFER(free_checked) struct checked *x = NULL;
    mt_err e = MT_OK;
    bool is_long = mt_cli_flag(c, "--explain");
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    int rc = check_file(c, c->argv[0], &x, &e);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    if (is_long || mt_failed(e)) {
        mt_cli_print_trace(mt_failed(e) ? stderr : stdout, &x->receipt.facts.appraisal.trace,
                           is_long);
    }
    if (mt_failed(e)) {
        rc = mt_cli_fail(c, e, c->argv[0]);
        return rc == MT_EXIT_REFUSED ? MT_EXIT_REFUSED : MT_EXIT_NOT_GENUINE;
    }
    if (c->is_json) {
        print_run_json(&x->receipt);
    } else {
        (void)puts("The receipt is genuine.");
        print_run(&x->receipt);
    }
    return MT_EXIT_DONE;
}

int mt_cli_receipt_compare(struct mt_cli *c)
{
    MT_DEFER(free_checked) struct checked *a = NULL;
    MT_DEFER(free_checked) struct checked *b = NULL;
    mt_err e = MT_OK;
    if (!mt_cli_arguments(c, 2)) {
        return MT_EXIT_USAGE;
    }
    int rc = check_file(c, c->argv[0], &a, &e);
    if (rc != MT_EXIT_DONE || mt_failed(e)) {
        return rc == MT_EXIT_DONE ? mt_cli_fail(c, e, c->argv[0]) : rc;
    }
    rc = check_file(c, c->argv[1], &b, &e);
    if (rc != MT_EXIT_DONE || mt_failed(e)) {
        return rc == MT_EXIT_DONE ? mt_cli_fail(c, e, c->argv[1]) : rc;
    }
    e = mt_run_receipts_agree(&a->receipt, &b->receipt);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "compare");
    }
    (void)puts("Nothing in the two receipts contradicts the other.");
    return MT_EXIT_DONE;
}
