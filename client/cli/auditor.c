/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"
#include "mesatee/policy_file.h"

/* auditor: which measurements are good, said by k of n. */

enum { LIST_FILE_MAX = 256 * 1024, DAYS = 90, DAYS_MAX = 3650 };
static const uint64_t day_ms = UINT64_C(24) * 60 * 60 * 1000;

/* HASH or HASH=NAME */
static MT_ERR take_value(const char *text, struct mt_reference_value *out)
{
    const char *equals = strchr(text, '=');
    size_t len = equals == NULL ? strlen(text) : (size_t)(equals - text);
    mt_bytes digits = {(const uint8_t *)text, len};
    mt_err e = mt_hex_parse(digits, (mt_span){out->measurement.b, sizeof out->measurement.b});
    MT_REQUIRE(!mt_failed(e), MT_E_ARG, "a measurement has 64 lower-case digits");
    out->name = mt_bytes_of_text(equals == NULL ? "" : equals + 1);
    MT_REQUIRE(out->name.len <= MT_NAME_BYTES_MAX, MT_E_ARG,
               "the name of a measurement has at most 64 bytes");
    return MT_OK;
}

static MT_ERR take_values(struct mt_cli *c, struct mt_auditors_list *l)
{
    for (const char *v = mt_cli_option(c, "--measurement"); v != NULL;
         v = mt_cli_option(c, "--measurement")) {
        MT_REQUIRE(l->values_count < MT_MEASUREMENTS_MAX, MT_E_LIMIT,
                   "a list has up to 64 measurements");
        MT_TRY(take_value(v, &l->values[l->values_count++]));
    }
    MT_REQUIRE(l->values_count > 0, MT_E_ARG, "a list names at least one measurement");
    return MT_OK;
}

static MT_ERR take_times(struct mt_cli *c, struct mt_auditors_list *l)
{
    const char *days = mt_cli_option(c, "--days");
    const char *from = mt_cli_option(c, "--not-before");
    uint64_t count = DAYS;
    l->not_before_ms = mt_now_ms();
    MT_REQUIRE(from == NULL || mt_cli_number(from, &l->not_before_ms), MT_E_ARG,
               "--not-before takes milliseconds since 1970");
    MT_REQUIRE(days == NULL || (mt_cli_number(days, &count) && count > 0 && count <= DAYS_MAX),
               MT_E_ARG, "--days takes a number from 1 to 3650");
    l->not_after_ms = l->not_before_ms + count * day_ms;
    return MT_OK;
}

static int print_list(const struct mt_cli *c, mt_bytes file)
{
    static struct mt_auditors_list l;
    struct mt_cli_answer a;
    size_t signatures = 0;
    mt_err e = mt_auditors_list_show(file, &l, &signatures);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "auditors' list");
    }
    mt_cli_answer_begin(&a);
    mt_json_begin_array(&a.j, "measurements");
    for (size_t i = 0; i < l.values_count; i++) {
        mt_json_begin_object(&a.j, NULL);
        mt_json_put_hex(&a.j, "measurement", mt_hash_bytes(&l.values[i].measurement));
        mt_json_put_text(&a.j, "name", l.values[i].name);
        mt_json_end_object(&a.j);
    }
    mt_json_end_array(&a.j);
    mt_json_put_uint(&a.j, "not_after_ms", l.not_after_ms);
    mt_json_put_uint(&a.j, "not_before_ms", l.not_before_ms);
    mt_json_put_uint(&a.j, "sequence", l.sequence);
    mt_json_put_uint(&a.j, "signatures", signatures);
    return mt_cli_answer_end(c, &a);
}

int mt_cli_auditor_new(struct mt_cli *c)
{
    static struct mt_auditors_list l;
    MT_DEFER(mt_buf_free) struct mt_buf file = mt_buf_of_max(LIST_FILE_MAX);
    const char *sequence = mt_cli_option(c, "--sequence");
    if (sequence == NULL || !mt_cli_number(sequence, &l.sequence)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = take_values(c, &l);
    e = mt_failed(e) ? e : take_times(c, &l);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "auditors' list");
    }
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    e = mt_auditors_list_new(&l, &file);
    e = mt_failed(e) ? e : mt_file_store(c->argv[0], mt_buf_bytes(&file));
    return mt_failed(e) ? mt_cli_fail(c, e, c->argv[0]) : print_list(c, mt_buf_bytes(&file));
}

int mt_cli_auditor_sign(struct mt_cli *c)
{
    static struct mt_auditors_list l;
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf file = mt_buf_of_max(0);
    MT_DEFER(mt_buf_free) struct mt_buf more = mt_buf_of_max(LIST_FILE_MAX);
    const char *identity = mt_cli_option(c, "--identity");
    if (identity == NULL || !mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_identity_load(&c->home, identity, &k);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, identity);
    }
    e = mt_file_load(c->argv[0], LIST_FILE_MAX, &file);
    e = mt_failed(e) ? e : mt_auditors_list_sign(k, mt_buf_bytes(&file), &l, &more);
    e = mt_failed(e) ? e : mt_file_store(c->argv[0], mt_buf_bytes(&more));
    return mt_failed(e) ? mt_cli_fail(c, e, c->argv[0]) : print_list(c, mt_buf_bytes(&more));
}
