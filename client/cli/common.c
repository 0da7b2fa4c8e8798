/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

uint64_t mt_cli_now_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

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
        has_option = has_option || strncmp(c->argv[i], "--", 2) == 0;
    }
    return c->argc == count && !has_option;
}

int mt_cli_exit_of(mt_err e)
{
    switch (e.fault->code) {
    case MT_E_PROOF:
        return MT_EXIT_NOT_GENUINE;
    case MT_E_DENIED:
    case MT_E_STALE:
        return MT_EXIT_REFUSED;
    case MT_E_ARG:
        return MT_EXIT_USAGE;
    case MT_E_IO:
    case MT_E_NOTFOUND:
    case MT_E_CONFLICT:
        return MT_EXIT_IO;
    case MT_E_CLOSED:
        return MT_EXIT_UNREACHABLE;
    case MT_E_FORMAT:
    case MT_E_INTERNAL:
    case MT_E_LIMIT:
    case MT_E_NOMEM:
    case MT_E_BUSY:
    case MT_E_UNKNOWN:
    case MT_E_CANCELLED:
        return MT_EXIT_FAILED;
    }
    return MT_EXIT_FAILED;
}

int mt_cli_fail(const struct mt_cli *c, mt_err e, const char *about)
{
    if (c->is_json) {
        (void)fprintf(stderr, "{\"code\":\"%s\",\"check\":\"%s\"}\n", mt_code_name(e.fault->code),
                      e.fault->what);
    } else {
        (void)fprintf(stderr, "mesatee: %s: %s\n", about, e.fault->what);
    }
    return mt_cli_exit_of(e);
}

void mt_cli_print_bytes(FILE *to, mt_bytes b)
{
    (void)fwrite(b.ptr, 1, b.len, to);
}

void mt_cli_print_hex(FILE *to, mt_bytes b)
{
    for (size_t i = 0; i < b.len; i++) {
        (void)fprintf(to, "%02x", b.ptr[i]);
    }
}

void mt_cli_print_trace(FILE *to, const struct mt_trace *t, bool is_long)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct mt_check *k = &t->checks[i];
        if (!is_long && k->has_passed) {
            continue;
        }
        (void)fprintf(to, "  %s  %-22s %s\n", k->has_passed ? "ok    " : "FAILED", k->rule,
                      k->meaning);
        if (!k->has_passed) {
            (void)fprintf(to, "          mend: %s\n", k->mend);
        }
    }
}

int mt_cli_connect(struct mt_cli *c)
{
    if (c->client != NULL) {
        return MT_EXIT_DONE;
    }
    mt_err e = mt_context_load(&c->home, c->context_name, &c->context);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "context");
    }
    c->context->may_go_back = c->may_go_back;
    e = mt_context_connect(c->context, &c->client);
    if (!mt_failed(e)) {
        return MT_EXIT_DONE;
    }
    int rc = mt_cli_fail(c, e, c->context->address);
    if (e.fault->code == MT_E_IO || e.fault->code == MT_E_CLOSED) {
        rc = MT_EXIT_UNREACHABLE;
    } else {
        mt_cli_print_trace(stderr, mt_client_trace(c->client), false);
    }
    mt_client_close(&c->client);
    return rc;
}

int mt_cli_refused(const struct mt_cli *c, const struct mt_answer *a)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    mt_bytes check = {NULL, 0};
    mt_bytes detail = {NULL, 0};
    mt_bytes hint = {NULL, 0};
    if (c->is_json || mt_failed(mt_json_parse(mt_buf_bytes(&a->body), &j, NULL))) {
        mt_cli_print_bytes(stderr, mt_buf_bytes(&a->body));
        (void)fputc('\n', stderr);
    } else {
        (void)mt_failed(mt_json_text(j, "check", &check));
        (void)mt_failed(mt_json_text(j, "detail", &detail));
        (void)mt_failed(mt_json_text(j, "hint", &hint));
        (void)fprintf(stderr, "mesatee: the node refused (%u): %.*s\n", a->status, (int)check.len,
                      (const char *)check.ptr);
        if (detail.len > 0) {
            (void)fprintf(stderr, "  detail: %.*s\n", (int)detail.len, (const char *)detail.ptr);
        }
        if (hint.len > 0) {
            (void)fprintf(stderr, "  mend: %.*s\n", (int)hint.len, (const char *)hint.ptr);
        }
    }
    return a->status == 403 || a->status == 410 ? MT_EXIT_REFUSED : MT_EXIT_FAILED;
}

int mt_cli_request(struct mt_cli *c, enum mt_http_method method, const char *target, mt_bytes body,
                   struct mt_json **out)
{
    const struct mt_call call = {.method = method, .target = target, .body = body};
    struct mt_answer a;
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_client_call(c->client, &call, &a);
    if (!mt_failed(e) && a.status >= 400) {
        rc = mt_cli_refused(c, &a);
    } else if (!mt_failed(e)) {
        e = mt_json_parse(mt_buf_bytes(&a.body), out, NULL);
    }
    mt_buf_free(&a.body);
    return mt_failed(e) ? mt_cli_fail(c, e, target) : rc;
}

static void print_scalar(const struct mt_json *node)
{
    uint8_t room[8192];
    mt_bytes text;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (!mt_failed(mt_json_as_text(node, &text))) {
        mt_cli_print_bytes(stdout, text);
        return;
    }
    mt_json_write(&w, node);
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
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max((size_t)64 * 1024 * 1024);
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

int mt_cli_show(struct mt_cli *c, enum mt_http_method method, const char *target, mt_bytes body)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    int rc = mt_cli_request(c, method, target, body, &j);
    if (rc == MT_EXIT_DONE) {
        mt_cli_print(c, j);
    }
    return rc;
}

static int users_of(struct mt_cli *c, const struct mt_json **users, size_t *count)
{
    int rc = c->users != NULL
                 ? MT_EXIT_DONE
                 : mt_cli_request(c, MT_HTTP_GET, "/users", (mt_bytes){NULL, 0}, &c->users);
    if (rc == MT_EXIT_DONE && mt_failed(mt_json_array(c->users, "users", 100000, users, count))) {
        rc = MT_EXIT_FAILED;
    }
    return rc;
}

int mt_cli_subject(struct mt_cli *c, mt_bytes text, mt_hash *out)
{
    const struct mt_json *users = NULL;
    size_t count = 0;
    if (text.len == 64 && !mt_failed(mt_hex_parse(text, (mt_span){out->b, sizeof out->b}))) {
        return MT_EXIT_DONE;
    }
    int rc = users_of(c, &users, &count);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    for (size_t i = 0; i < count; i++) {
        mt_bytes name;
        const struct mt_json *u = mt_json_at(users, i);
        if (!mt_failed(mt_json_text(u, "name", &name)) && mt_bytes_equal(name, text) &&
            !mt_failed(mt_json_hex(u, "subject", (mt_span){out->b, sizeof out->b}))) {
            return MT_EXIT_DONE;
        }
    }
    (void)fprintf(stderr,
                  "mesatee: the node knows nobody called %.*s\n  mend: mesatee user list, or use "
                  "the key's hash\n",
                  (int)text.len, (const char *)text.ptr);
    return MT_EXIT_FAILED;
}

void mt_cli_subject_name(struct mt_cli *c, const mt_hash *subject, char out[80])
{
    const struct mt_json *users = NULL;
    size_t count = 0;
    (void)snprintf(out, 80, "%02x%02x%02x%02x...", subject->b[0], subject->b[1], subject->b[2],
                   subject->b[3]);
    if (users_of(c, &users, &count) != MT_EXIT_DONE) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        mt_bytes name;
        mt_hash h;
        const struct mt_json *u = mt_json_at(users, i);
        if (!mt_failed(mt_json_hex(u, "subject", (mt_span){h.b, sizeof h.b})) &&
            mt_hash_equal(&h, subject) && !mt_failed(mt_json_text(u, "name", &name))) {
            (void)snprintf(out, 80, "%.*s", (int)name.len, (const char *)name.ptr);
        }
    }
}

/* The set of this name, of this owner. */
static bool is_the_set(const struct mt_json *set, mt_bytes name, const mt_hash *owner, mt_id *out)
{
    mt_bytes n;
    mt_hash o;
    bool is_owner = false;
    if (mt_failed(mt_json_text(set, "name", &n)) || !mt_bytes_equal(n, name) ||
        mt_failed(mt_json_hex(set, "owner", (mt_span){o.b, sizeof o.b})) ||
        mt_failed(mt_json_bool(set, "is_owner", &is_owner))) {
        return false;
    }
    bool is_right = owner == NULL ? is_owner : mt_hash_equal(owner, &o);
    return is_right && !mt_failed(mt_json_hex(set, "data", (mt_span){out->b, sizeof out->b}));
}

/* Page by page; `owner` NULL: our own. MT_EXIT_DONE also if there is none. */
static int find_set(struct mt_cli *c, mt_bytes name, const mt_hash *owner, mt_id *out,
                    bool *is_found)
{
    char target[64] = "/data";
    size_t count = 0;
    do {
        MT_DEFER(mt_json_free) struct mt_json *j = NULL;
        const struct mt_json *sets = NULL;
        mt_bytes last = {NULL, 0};
        int rc = mt_cli_request(c, MT_HTTP_GET, target, (mt_bytes){NULL, 0}, &j);
        if (rc != MT_EXIT_DONE || mt_failed(mt_json_array(j, "data", 1000, &sets, &count))) {
            return rc == MT_EXIT_DONE ? MT_EXIT_FAILED : rc;
        }
        for (size_t i = 0; i < count; i++) {
            if (is_the_set(mt_json_at(sets, i), name, owner, out)) {
                *is_found = true;
                return MT_EXIT_DONE;
            }
        }
        if (count > 0 && !mt_failed(mt_json_text(mt_json_at(sets, count - 1), "data", &last))) {
            (void)snprintf(target, sizeof target, "/data?after=%.*s", (int)last.len,
                           (const char *)last.ptr);
        }
    } while (count > 0);
    return MT_EXIT_DONE;
}

int mt_cli_data(struct mt_cli *c, mt_bytes text, mt_id *out)
{
    mt_hash owner;
    bool is_found = false;
    const uint8_t *slash = text.len > 0 ? memchr(text.ptr, '/', text.len) : NULL;
    if (text.len == 32 && !mt_failed(mt_hex_parse(text, (mt_span){out->b, sizeof out->b}))) {
        return MT_EXIT_DONE;
    }
    mt_bytes name = text;
    if (slash != NULL) {
        size_t len = (size_t)(slash - text.ptr);
        int found = mt_cli_subject(c, (mt_bytes){text.ptr, len}, &owner);
        if (found != MT_EXIT_DONE) {
            return found;
        }
        name = (mt_bytes){slash + 1, text.len - len - 1};
    }
    int rc = find_set(c, name, slash != NULL ? &owner : NULL, out, &is_found);
    if (rc != MT_EXIT_DONE || is_found) {
        return rc;
    }
    (void)fprintf(stderr,
                  "mesatee: there is no data called %.*s that you may know of\n  mend: mesatee "
                  "data list; data of others is OWNER/NAME\n",
                  (int)text.len, (const char *)text.ptr);
    return MT_EXIT_FAILED;
}

int mt_cli_newest_version(struct mt_cli *c, const mt_id *data, uint64_t *out)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    uint8_t room[64];
    mt_bytes target;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_bytes(&w, MT_LITERAL("/data/"));
    mt_hex_write(&w, mt_id_bytes(data));
    mt_write_bytes(&w, MT_LITERAL("?before=1")); /* none of them, but how many there are */
    mt_write_u8(&w, 0);
    mt_err e = mt_write_end(&w, &target);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "data");
    }
    int rc = mt_cli_request(c, MT_HTTP_GET, (const char *)target.ptr, (mt_bytes){NULL, 0}, &j);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    e = mt_json_uint(j, "versions_made", UINT32_MAX, out);
    return mt_failed(e) ? mt_cli_fail(c, e, "data") : MT_EXIT_DONE;
}
