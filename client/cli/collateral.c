/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/collateral.h"

#include "base/time.h"
#include "cli/report.h"

/* collateral get, show, check: what the maker of a platform says of it. */

static bool read_time(struct mt_cli *c, uint64_t *out)
{
    const char *at = mt_cli_option(c, "--at");
    *out = mt_now_ms();
    return at == NULL || !mt_failed(mt_time_parse(mt_bytes_of_text(at), out));
}

static mt_bytes text_of_time(uint64_t ms, uint8_t room[MT_TIME_TEXT_LEN])
{
    mt_bytes text = MT_LITERAL("-");
    struct mt_writer w = mt_writer_over((mt_span){room, MT_TIME_TEXT_LEN});
    mt_time_write(&w, ms);
    (void)mt_failed(mt_write_end(&w, &text));
    return text;
}

static void put_part(struct mt_json_writer *j, const char *name, const struct mt_collateral_part *x)
{
    uint8_t room[MT_TIME_TEXT_LEN];
    mt_json_begin_object(j, name);
    mt_json_put_literal(j, "file", x->file);
    mt_json_put_text(j, "about", mt_bytes_of_text(x->about));
    if (x->is_legible) {
        mt_json_put_text(j, "from", text_of_time(x->from_ms, room));
        mt_json_put_text(j, "until", text_of_time(x->until_ms, room));
    }
    mt_json_end_object(j);
}

static void put_parts(struct mt_json_writer *j, const struct mt_collateral_parts *p)
{
    const struct mt_collateral_part *first = mt_collateral_first(p);
    mt_json_begin_array(j, "parts");
    for (size_t i = 0; i < p->count; i++) {
        put_part(j, NULL, &p->at[i]);
    }
    mt_json_end_array(j);
    if (first != NULL) {
        put_part(j, "first_to_expire", first);
    }
}

static void print_parts(const struct mt_collateral_parts *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct mt_collateral_part *x = &p->at[i];
        uint8_t from[MT_TIME_TEXT_LEN];
        uint8_t until[MT_TIME_TEXT_LEN];
        (void)printf("%-22s ", x->file);
        if (x->is_legible) {
            mt_cli_print_bytes(stdout, text_of_time(x->from_ms, from));
            (void)fputs(" to ", stdout);
            mt_cli_print_bytes(stdout, text_of_time(x->until_ms, until));
            (void)fputs("  ", stdout);
        }
        (void)puts(x->about);
    }
}

static void print_first(const struct mt_collateral_parts *p, uint64_t now_ms)
{
    enum { DAY_MS = 24 * 60 * 60 * 1000 };
    uint8_t room[MT_TIME_TEXT_LEN];
    const struct mt_collateral_part *first = mt_collateral_first(p);
    if (first == NULL) {
        return;
    }
    (void)printf("%s is the first to expire, at ", first->file);
    mt_cli_print_bytes(stdout, text_of_time(first->until_ms, room));
    if (first->until_ms > now_ms) {
        (void)printf(", in %llu days; fetch all of it again before: mesatee collateral get\n",
                     (unsigned long long)((first->until_ms - now_ms) / DAY_MS));
    } else {
        (void)puts(", and has; fetch all of it again: mesatee collateral get");
    }
}

/* The failed check with its mend, or what went wrong before there was one. What a server sends
 * instead of an answer is explained, and no forgery; a file that nobody can read may be one. */
static int fail(struct mt_cli *c, mt_err e, const char *about, const struct mt_trace *t)
{
    int rc = mt_cli_fail_trace(c, e, about, t);
    bool is_explained = c->s.complaint.fault == e.fault;
    return e.fault->code == MT_E_FORMAT && !is_explained ? MT_EXIT_NOT_GENUINE : rc;
}

int mt_cli_collateral_get(struct mt_cli *c)
{
    struct mt_trace trace = {.count = 0};
    struct mt_collateral_parts parts;
    struct mt_cli_answer a;
    struct mt_collateral_order o = {.from = mt_cli_option(c, "--from")};
    bool is_time = read_time(c, &o.now_ms);
    if (!mt_cli_arguments(c, 2) || !is_time) {
        return MT_EXIT_USAGE;
    }
    o.evidence = c->argv[0];
    o.folder = c->argv[1];
    mt_err e = mt_collateral_get(&c->s, &o, &trace);
    if (mt_failed(e)) {
        return fail(c, e, o.evidence, &trace);
    }
    e = mt_collateral_show(o.folder, &parts);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, o.folder);
    }
    if (!c->is_json) {
        (void)printf("%s: verified, and written\n", o.folder);
        print_parts(&parts);
        print_first(&parts, o.now_ms);
        return MT_EXIT_DONE;
    }
    mt_cli_answer_begin(&a);
    mt_json_put_bool(&a.j, "verified", true);
    put_parts(&a.j, &parts);
    return mt_cli_answer_end(c, &a);
}

int mt_cli_collateral_show(struct mt_cli *c)
{
    struct mt_collateral_parts parts;
    struct mt_cli_answer a;
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_collateral_show(c->argv[0], &parts);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    if (!c->is_json) {
        (void)printf("%s: this is what it says; nothing of it is verified (mesatee collateral "
                     "check)\n",
                     c->argv[0]);
        print_parts(&parts);
        return MT_EXIT_DONE;
    }
    mt_cli_answer_begin(&a);
    mt_json_put_bool(&a.j, "verified", false);
    put_parts(&a.j, &parts);
    return mt_cli_answer_end(c, &a);
}

int mt_cli_collateral_check(struct mt_cli *c)
{
    struct mt_trace trace = {.count = 0};
    struct mt_collateral_parts parts = {.count = 0};
    struct mt_cli_answer a;
    uint64_t now_ms = 0;
    const char *folder = mt_cli_option(c, "--collateral");
    bool is_time = read_time(c, &now_ms);
    if (!mt_cli_arguments(c, 1) || !is_time) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_collateral_check(c->argv[0], folder, now_ms, &parts, &trace);
    if (mt_failed(e) && trace.count == 0) {
        return fail(c, e, c->argv[0], &trace);
    }
    if (c->is_json) {
        mt_cli_answer_begin(&a);
        mt_json_put_bool(&a.j, "verified", !mt_failed(e));
        put_parts(&a.j, &parts);
        mt_cli_report_checks(&a.j, &trace);
        int written = mt_cli_answer_end(c, &a);
        return written != MT_EXIT_DONE ? written
               : mt_failed(e)          ? MT_EXIT_NOT_GENUINE
                                       : MT_EXIT_DONE;
    }
    print_parts(&parts);
    print_first(&parts, now_ms);
    if (mt_failed(e)) {
        return fail(c, e, c->argv[0], &trace);
    }
    (void)printf("%s: the collateral is its maker's, and for this platform\n", c->argv[0]);
    return MT_EXIT_DONE;
}
