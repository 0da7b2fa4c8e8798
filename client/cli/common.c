/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"
#include "mesatee/seen.h"

enum { PRINTED_MAX = 64 * 1024 * 1024 };

static void take_argument(struct mt_cli *c, int at, int count)
{
    for (int i = at; i + count < c->argc; i++) {
        c->argv[i] = c->argv[i + count];
    }
    c->argc -= count;
}

const char *mt_cli_option(struct mt_cli *c, const char *name)
{
    for (int i = 0; i + 1 < c->argc; i++) {
        if (strcmp(c->argv[i], name) == 0) {
            const char *value = c->argv[i + 1];
            take_argument(c, i, 2);
            return value;
        }
    }
    return NULL;
}

bool mt_cli_flag(struct mt_cli *c, const char *name)
{
    for (int i = 0; i < c->argc; i++) {
        if (strcmp(c->argv[i], name) == 0) {
            take_argument(c, i, 1);
            return true;
        }
    }
    return false;
}

bool mt_cli_arguments(struct mt_cli *c, int count)
{
    bool has_option = false;
    for (int i = 0; i < c->argc; i++) {
        has_option = has_option || c->argv[i][0] == '-'; /* a file of such a name is ./-name */
    }
    return c->argc == count && !has_option;
}

bool mt_cli_number(const char *text, uint64_t *out)
{
    uint64_t v = 0;
    size_t len = strspn(text, "0123456789");
    if (len == 0 || len > 18 || text[len] != '\0') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        v = v * 10 + (uint64_t)(text[i] - '0');
    }
    *out = v;
    return true;
}

static void fail_json(const struct mt_complaint *k, mt_err e, bool is_explained)
{
    uint8_t room[4096];
    mt_bytes text;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    if (is_explained && k->status != 0) {
        mt_cli_print_bytes(stderr, mt_buf_bytes(&k->answer));
        (void)fputc('\n', stderr);
        return;
    }
    mt_json_begin_object(&j, NULL);
    mt_json_put_literal(&j, "code", mt_code_name(e.fault->code));
    mt_json_put_text(&j, "check", mt_bytes_of_text(is_explained ? k->what : e.fault->what));
    if (is_explained && k->mend[0] != '\0') {
        mt_json_put_text(&j, "hint", mt_bytes_of_text(k->mend));
    }
    mt_json_end_object(&j);
    if (!mt_failed(mt_write_end(&w, &text))) {
        mt_cli_print_bytes(stderr, text);
        (void)fputc('\n', stderr);
    }
}

int mt_cli_fail(const struct mt_cli *c, mt_err e, const char *about)
{
    const struct mt_complaint *k = &c->s.complaint;
    bool is_explained = k->fault == e.fault;
    if (c->is_json) {
        fail_json(k, e, is_explained);
        return (int)mt_session_exit(&c->s, e);
    }
    if (is_explained && k->status != 0) {
        (void)fprintf(stderr, "mesatee: the node refused (%u): %s\n", k->status, k->what);
    } else {
        (void)fprintf(stderr, "mesatee: %s: %s\n", about, is_explained ? k->what : e.fault->what);
    }
    if (is_explained && k->detail[0] != '\0') {
        (void)fprintf(stderr, "  detail: %s\n", k->detail);
    }
    if (is_explained && k->mend[0] != '\0') {
        (void)fprintf(stderr, "  mend: %s\n", k->mend);
    }
    return (int)mt_session_exit(&c->s, e);
}

int mt_cli_fail_trace(const struct mt_cli *c, mt_err e, const char *about, const struct mt_trace *t)
{
    int rc = mt_cli_fail(c, e, about);
    for (size_t i = 0; i < t->count && !c->is_json; i++) {
        const struct mt_check *k = &t->checks[i];
        if (!k->has_passed) {
            (void)fprintf(stderr, "  FAILED  %-22s %s\n          mend: %s\n", k->rule, k->meaning,
                          k->mend);
        }
    }
    return rc;
}

void mt_cli_print_bytes(FILE *to, mt_bytes b)
{
    if (b.len > 0) {
        (void)fwrite(b.ptr, 1, b.len, to);
    }
}

void mt_cli_print_hex(FILE *to, mt_bytes b)
{
    for (size_t i = 0; i < b.len; i++) {
        (void)fprintf(to, "%02x", b.ptr[i]);
    }
}

int mt_cli_connect(struct mt_cli *c)
{
    mt_err e = mt_session_load(&c->s);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "context");
    }
    e = mt_session_connect(&c->s);
    return mt_failed(e)
               ? mt_cli_fail_trace(c, e, c->s.context->address, mt_client_trace(c->s.client))
               : MT_EXIT_DONE;
}

void mt_cli_target(char out[256], const char *before, mt_bytes id, const char *after)
{
    int len = snprintf(out, 100, "%s/", before);
    for (size_t i = 0; i < id.len && i < sizeof(mt_hash); i++) {
        len += snprintf(out + len, 3, "%02x", id.ptr[i]);
    }
    (void)snprintf(out + len, 256 - (size_t)len, "%s", after);
}

/* Text of others goes through the filter for terminals; the rest is digits and words of JSON. */
static void print_scalar(const struct mt_json *node)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(PRINTED_MAX);
    mt_bytes text;
    struct mt_writer w = mt_writer_onto(&room);
    if (!mt_failed(mt_json_as_text(node, &text))) {
        mt_seen_write(&w, text);
    } else {
        mt_json_write(&w, node);
    }
    if (!mt_failed(mt_write_end(&w, &text))) {
        mt_cli_print_bytes(stdout, text);
    }
}

static void print_tree(const struct mt_json *node, int depth)
{
    enum { DEPTH_MAX = 8 };
    bool is_object = mt_json_is_object(node);
    for (size_t i = 0; depth < DEPTH_MAX && i < mt_json_count(node); i++) {
        mt_bytes name = {NULL, 0};
        const struct mt_json *value = is_object ? NULL : mt_json_at(node, i);
        if (is_object && mt_failed(mt_json_member(node, i, &name, &value))) {
            return;
        }
        bool is_tree = mt_json_is_object(value) || mt_json_is_array(value);
        (void)printf("%*s", 2 * depth, "");
        if (is_object) {
            mt_cli_print_bytes(stdout, name);
            (void)fputs(is_tree ? ":\n" : ": ", stdout);
        } else {
            (void)fputs(is_tree ? "-\n" : "- ", stdout);
        }
        if (is_tree) {
            print_tree(value, depth + 1);
        } else {
            print_scalar(value);
            (void)putchar('\n');
        }
    }
}

void mt_cli_print(const struct mt_cli *c, const struct mt_json *node)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(PRINTED_MAX);
    mt_bytes text;
    struct mt_writer w = mt_writer_onto(&room);
    if (!c->is_json) {
        print_tree(node, 0);
        return;
    }
    mt_json_write(&w, node);
    if (!mt_failed(mt_write_end(&w, &text))) {
        mt_cli_print_bytes(stdout, text);
        (void)putchar('\n');
    }
}

void mt_cli_answer_begin(struct mt_cli_answer *a)
{
    a->room = mt_buf_of_max(MT_JSON_BYTES_MAX);
    a->w = mt_writer_onto(&a->room);
    a->j = mt_json_writer_over(&a->w);
    mt_json_begin_object(&a->j, NULL);
}

int mt_cli_answer_end(const struct mt_cli *c, struct mt_cli_answer *a)
{
    MT_DEFER(mt_json_free) struct mt_json *tree = NULL;
    mt_bytes text;
    mt_json_end_object(&a->j);
    mt_err e = mt_write_end(&a->w, &text);
    e = mt_failed(e) ? e : mt_json_parse(text, &tree, NULL);
    if (!mt_failed(e)) {
        mt_cli_print(c, tree);
    }
    mt_buf_free(&a->room);
    return mt_failed(e) ? mt_cli_fail(c, e, "answer") : MT_EXIT_DONE;
}

int mt_cli_show(struct mt_cli *c, enum mt_http_method method, const char *target, mt_bytes body)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    const struct mt_call call = {.method = method, .target = target, .body = body};
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_session_request(&c->s, &call, &j);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, target);
    }
    mt_cli_print(c, j);
    return MT_EXIT_DONE;
}
