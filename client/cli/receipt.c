/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"

/* receipt: what anybody can check afterwards. */

/* *e says what the verifier said. */
static int inspect(struct mt_cli *c, const char *path, struct mt_inspected **out, mt_err *e)
{
    *e = mt_session_load(&c->s);
    if (mt_failed(*e)) {
        return mt_cli_fail(c, *e, "context");
    }
    const struct mt_inspect_options o = {.context = c->s.context, .now_ms = mt_now_ms()};
    *e = mt_inspect_receipt(path, &o, out);
    return *out == NULL ? mt_cli_fail(c, *e, path) : MT_EXIT_DONE;
}

int mt_cli_receipt_verify(struct mt_cli *c)
{
    MT_DEFER(mt_inspected_free) struct mt_inspected *x = NULL;
    mt_err e = MT_OK;
    bool is_long = mt_cli_flag(c, "--explain");
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    int rc = inspect(c, c->argv[0], &x, &e);
    return rc == MT_EXIT_DONE ? mt_cli_report_file(c, c->argv[0], x, e, is_long) : rc;
}

int mt_cli_receipt_compare(struct mt_cli *c)
{
    MT_DEFER(mt_inspected_free) struct mt_inspected *a = NULL;
    MT_DEFER(mt_inspected_free) struct mt_inspected *b = NULL;
    mt_err e = MT_OK;
    if (!mt_cli_arguments(c, 2)) {
        return MT_EXIT_USAGE;
    }
    int rc = inspect(c, c->argv[0], &a, &e);
    if (rc != MT_EXIT_DONE || mt_failed(e)) {
        return rc == MT_EXIT_DONE ? mt_cli_fail_trace(c, e, c->argv[0], &a->trace) : rc;
    }
    rc = inspect(c, c->argv[1], &b, &e);
    if (rc != MT_EXIT_DONE || mt_failed(e)) {
        return rc == MT_EXIT_DONE ? mt_cli_fail_trace(c, e, c->argv[1], &b->trace) : rc;
    }
    e = mt_run_receipts_agree(&a->run, &b->run);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "compare");
    }
    (void)puts(c->is_json ? "{\"agree\":true}"
                          : "Nothing in the two receipts contradicts the other.");
    return MT_EXIT_DONE;
}
