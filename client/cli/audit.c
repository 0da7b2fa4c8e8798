/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/audit.h"

#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "wire/audit.h"

/* audit: what the node has written down of everybody. */

enum { LEAVES_MAX = 1000, ITEMS_MAX = 1000, LINE_MAX = 1024 };

/* The log as it is printed, page by page. */
struct listing {
    struct mt_cli *cli;
    uint64_t seen; /* transactions */
    uint64_t records;
};

static const char *phase_name(enum mt_audit_phase phase)
{
    switch (phase) {
    case MT_AUDIT_ACT:
        return "act";
    case MT_AUDIT_INTENT:
        return "intent";
    case MT_AUDIT_READ:
        return "read";
    case MT_AUDIT_REFUSED:
        return "refused";
    }
    return "";
}

static const char *outcome_name(const struct mt_audit_record *r)
{
    return r->outcome == 0 ? "ok" : mt_code_name((enum mt_code)r->outcome);
}

static MT_ERR print_json(struct listing *l, uint64_t txid, const struct mt_audit_record *r)
{
    static const mt_id none = {{0}};
    uint8_t room[LINE_MAX];
    char who[80];
    mt_bytes line;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_session_name(&l->cli->s, &r->subject, who);
    mt_json_begin_object(&j, NULL);
    mt_json_put_uint(&j, "transaction", txid);
    mt_json_put_uint(&j, "first_ms", r->first_ms);
    mt_json_put_hex(&j, "subject", mt_hash_bytes(&r->subject));
    mt_json_put_text(&j, "name", mt_bytes_of_text(who));
    mt_json_put_text(&j, "action", r->action);
    if (!mt_id_equal(&r->resource, &none)) {
        mt_json_put_hex(&j, "resource", mt_id_bytes(&r->resource));
    }
    mt_json_put_literal(&j, "phase", phase_name(r->phase));
    mt_json_put_literal(&j, "outcome", outcome_name(r));
    mt_json_put_uint(&j, "count", r->count);
    mt_json_end_object(&j);
    MT_TRY(mt_write_end(&w, &line));
    (void)fputs(l->records == 0 ? "\n" : ",\n", stdout);
    mt_cli_print_bytes(stdout, line);
    return MT_OK;
}

static void print_line(struct listing *l, uint64_t txid, const struct mt_audit_record *r)
{
    static const mt_id none = {{0}};
    const time_t seconds = (time_t)(r->first_ms / 1000);
    struct tm parts = {0};
    char when[32] = "?";
    char who[80];
    if (gmtime_r(&seconds, &parts) != NULL) {
        (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    }
    mt_session_name(&l->cli->s, &r->subject, who);
    (void)printf("%8llu  %s  %-16s %-7s  %-18.*s ", (unsigned long long)txid, when, who,
                 phase_name(r->phase), (int)r->action.len, (const char *)r->action.ptr);
    if (!mt_id_equal(&r->resource, &none)) {
        mt_cli_print_hex(stdout, mt_id_bytes(&r->resource));
    }
    if (r->outcome != 0) {
        (void)printf("  %s", outcome_name(r));
    }
    if (r->count > 1) {
        (void)printf("  %llu times", (unsigned long long)r->count);
    }
    (void)putchar('\n');
}

static MT_ERR print_item(struct listing *l, uint64_t txid, const struct mt_json *shown)
{
    MT_DEFER(mt_buf_free) struct mt_buf item = mt_buf_of_max(MT_JSON_BYTES_MAX);
    struct mt_audit_record r;
    struct mt_reader records;
    uint64_t count = 0;
    mt_bytes hex;
    mt_span room;
    MT_TRY(mt_json_text(shown, "item", &hex));
    MT_TRY(mt_buf_reserve(&item, hex.len / 2, &room));
    MT_TRY(mt_hex_parse(hex, room));
    MT_TRY(mt_audit_item_parse(mt_bytes_of(room), &records, &count));
    for (uint64_t i = 0; i < count; i++) {
        MT_TRY(mt_audit_record_parse(&records, &r));
        if (l->cli->is_json) {
            MT_TRY(print_json(l, txid, &r));
        } else {
            print_line(l, txid, &r);
        }
        l->records++;
    }
    return mt_read_end(&records);
}

/* One answer of GET /audit. */
static MT_ERR print_page(struct listing *l, const struct mt_json *page, bool *is_done)
{
    const struct mt_json *leaves = NULL;
    size_t count = 0;
    MT_TRY(mt_json_array(page, "leaves", LEAVES_MAX, &leaves, &count));
    for (size_t i = 0; i < count; i++) {
        const struct mt_json *leaf = mt_json_at(leaves, i);
        const struct mt_json *items = NULL;
        size_t items_count = 0;
        MT_TRY(mt_json_uint(leaf, "txid", UINT64_MAX >> 11, &l->seen));
        MT_TRY(mt_json_array(leaf, "records", ITEMS_MAX, &items, &items_count));
        for (size_t k = 0; k < items_count; k++) {
            MT_TRY(print_item(l, l->seen, mt_json_at(items, k)));
        }
    }
    *is_done = count == 0;
    return MT_OK;
}

/* Reading the log is written down too, so the list ends at the size that the first page names. */
static MT_ERR list_pages(struct listing *l)
{
    uint64_t end = UINT64_MAX;
    for (bool is_done = false; !is_done;) {
        MT_DEFER(mt_json_free) struct mt_json *page = NULL;
        char target[64];
        const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
        uint64_t size = 0;
        (void)snprintf(target, sizeof target, "/audit?after=%llu", (unsigned long long)l->seen);
        MT_TRY(mt_session_request(&l->cli->s, &call, &page));
        MT_TRY(mt_json_uint(page, "size", UINT64_MAX >> 11, &size));
        end = end == UINT64_MAX ? size : end;
        MT_TRY(print_page(l, page, &is_done));
        is_done = is_done || l->seen >= end;
    }
    return MT_OK;
}

int mt_cli_audit_list(struct mt_cli *c)
{
    struct listing l = {.cli = c};
    const char *after = mt_cli_option(c, "--after");
    if (!mt_cli_arguments(c, 0) || (after != NULL && !mt_cli_number(after, &l.seen))) {
        return MT_EXIT_USAGE;
    }
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    if (c->is_json) {
        (void)fputs("{\"records\":[", stdout);
    }
    mt_err e = list_pages(&l);
    if (c->is_json) {
        (void)fputs("\n]}\n", stdout);
    }
    return mt_failed(e) ? mt_cli_fail(c, e, "audit") : MT_EXIT_DONE;
}

/* All pages, at least up to the head that came with the first of them: each reading is written
 * down, so the log grows while it is read. */
static MT_ERR read_audit(struct mt_session *s, struct mt_audit *a)
{
    struct mt_merkle_head head = {.size = 0};
    for (bool is_done = false; !is_done;) {
        MT_DEFER(mt_json_free) struct mt_json *j = NULL;
        char target[128];
        const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
        uint64_t before = mt_audit_size(a);
        (void)snprintf(target, sizeof target, "/audit?after=%llu", (unsigned long long)before);
        MT_TRY(mt_session_request(s, &call, &j));
        if (before == 0) {
            head = (struct mt_merkle_head){mt_client_head(s->client)->size,
                                           mt_client_head(s->client)->root};
        }
        MT_TRY(mt_audit_add(a, j, &is_done));
        is_done = is_done && (mt_audit_size(a) >= head.size || mt_audit_size(a) == before);
    }
    return mt_audit_holds(a, &head);
}

int mt_cli_audit_verify(struct mt_cli *c)
{
    MT_DEFER(mt_audit_free) struct mt_audit *a = NULL;
    uint64_t records = 0;
    uint64_t leaves = 0;
    int rc = mt_cli_arguments(c, 0) ? mt_cli_connect(c) : MT_EXIT_USAGE;
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_audit_new(&a);
    e = mt_failed(e) ? e : read_audit(&c->s, a);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "audit");
    }
    mt_audit_counts(a, &leaves, &records);
    if (c->is_json) {
        (void)printf("{\"records\":%llu,\"transactions\":%llu}\n", (unsigned long long)records,
                     (unsigned long long)leaves);
        return MT_EXIT_DONE;
    }
    (void)printf("The audit log is whole: %llu audit records in %llu transactions, all under the "
                 "head that the node has shown.\n",
                 (unsigned long long)records, (unsigned long long)leaves);
    return MT_EXIT_DONE;
}
