/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/shares.h"
#include "cli/cli.h"

/* keyslot add --shares, keyslot check. */

static int tell(struct mt_cli *c, const char *dir, const struct mt_shares *made)
{
    struct mt_cli_answer a;
    char path[MT_PATH_MAX];
    mt_cli_answer_begin(&a);
    mt_json_put_uint(&a.j, "number", made->slot);
    mt_json_put_hex(&a.j, "shares_of", mt_id_bytes(&made->set));
    mt_json_put_uint(&a.j, "threshold", made->threshold);
    mt_json_begin_array(&a.j, "shares");
    for (size_t i = 1; i <= made->count; i++) {
        mt_err e = mt_shares_path(dir, i, made->count, path);
        mt_write_err(&a.w, e);
        mt_json_put_text(&a.j, NULL, mt_bytes_of_text(mt_failed(e) ? "" : path));
    }
    mt_json_end_array(&a.j);
    int rc = mt_cli_answer_end(c, &a);
    if (!c->is_json && rc == MT_EXIT_DONE) {
        (void)printf("Give each file to its holder and remove it here: any %u of the %u open the "
                     "node.\n",
                     made->threshold, made->count);
    }
    return rc;
}

int mt_cli_keyslot_share(struct mt_cli *c, const char *numbers, const char *dir)
{
    struct mt_shares made;
    if (!mt_cli_arguments(c, 0) || numbers == NULL || dir == NULL) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_shares_numbers(numbers, &made);
    if (mt_failed(e)) {
        (void)mt_cli_fail(c, e, numbers);
        return MT_EXIT_USAGE;
    }
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    e = mt_shares_add(&c->s, dir, &made);
    return mt_failed(e) ? mt_cli_fail(c, e, dir) : tell(c, dir, &made);
}

int mt_cli_keyslot_check(struct mt_cli *c)
{
    struct mt_shares s;
    struct mt_cli_answer a;
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_shares_check(&c->s, c->argv[0], &s);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    mt_cli_answer_begin(&a);
    mt_json_put_uint(&a.j, "slot", s.slot);
    mt_json_put_hex(&a.j, "shares_of", mt_id_bytes(&s.set));
    mt_json_put_uint(&a.j, "share", s.index);
    mt_json_put_uint(&a.j, "count", s.count);
    mt_json_put_uint(&a.j, "threshold", s.threshold);
    return mt_cli_answer_end(c, &a);
}
