/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CLI_CLI_H
#define MT_CLI_CLI_H

#include <stdio.h>

#include "mesatee/transfer.h"

/* What the verbs share. A verb is a row of the table in verbs.c; it returns an exit code. */

struct mt_cli {
    struct mt_home home;
    struct mt_session s;
    bool is_json;
    int argc;
    char **argv; /* what follows the verb */
};

/* An option "--name VALUE" of the verb, taken out of the arguments; NULL if absent. */
const char *mt_cli_option(struct mt_cli *c, const char *name);
bool mt_cli_flag(struct mt_cli *c, const char *name);
/* Exactly this many arguments are left, and no option that nobody took. */
bool mt_cli_arguments(struct mt_cli *c, int count);
/* Decimal digits and nothing else. */
bool mt_cli_number(const char *text, uint64_t *out);

/* What went wrong, in words on stderr; the exit code. */
int mt_cli_fail(const struct mt_cli *c, mt_err e, const char *about);
/* For a refusal: the checks that failed, too. */
int mt_cli_fail_trace(const struct mt_cli *c, mt_err e, const char *about,
                      const struct mt_trace *t);

/* Loads the context and connects, once. MT_EXIT_DONE, or an exit code after having said why. */
int mt_cli_connect(struct mt_cli *c);
/* One request, and its answer printed. */
int mt_cli_show(struct mt_cli *c, enum mt_http_method method, const char *target, mt_bytes body);
/* "/data" + "/" + digits + after, for the target of a request. */
void mt_cli_target(char out[256], const char *before, mt_bytes id, const char *after);

/* A tree for people: names, colons, indentation. With --json as it is. */
void mt_cli_print(const struct mt_cli *c, const struct mt_json *node);
void mt_cli_print_bytes(FILE *to, mt_bytes b);
void mt_cli_print_hex(FILE *to, mt_bytes b);

/* An object that is written here, printed as above: begin, put fields into `j`, end. */
struct mt_cli_answer {
    struct mt_buf room;
    struct mt_writer w;
    struct mt_json_writer j;
};
void mt_cli_answer_begin(struct mt_cli_answer *a);
int mt_cli_answer_end(const struct mt_cli *c, struct mt_cli_answer *a);

/* How far something is, with its rate and the time that is left: on a terminal alone. */
struct mt_cli_bar {
    bool is_bytes; /* else steps of a job */
    bool has_shown;
    uint64_t started_ms;
    uint64_t shown_ms;
};
struct mt_progress mt_cli_bar_begin(const struct mt_cli *c, struct mt_cli_bar *bar, bool is_bytes);
void mt_cli_bar_end(struct mt_cli_bar *bar);

struct mt_verb {
    const char *noun;
    const char *verb; /* NULL: the noun is the verb */
    const char *usage;
    const char *help;
    const char *example;
    int (*run)(struct mt_cli *c);
};
extern const struct mt_verb mt_verbs[]; /* ends with a noun NULL */

int mt_cli_audit_list(struct mt_cli *c);
int mt_cli_audit_verify(struct mt_cli *c);
int mt_cli_auditor_new(struct mt_cli *c);
int mt_cli_auditor_sign(struct mt_cli *c);
int mt_cli_backup(struct mt_cli *c);
int mt_cli_collateral_check(struct mt_cli *c);
int mt_cli_collateral_get(struct mt_cli *c);
int mt_cli_collateral_show(struct mt_cli *c);
int mt_cli_context_add(struct mt_cli *c);
int mt_cli_context_list(struct mt_cli *c);
int mt_cli_context_use(struct mt_cli *c);
int mt_cli_data_delete(struct mt_cli *c);
int mt_cli_data_get(struct mt_cli *c);
int mt_cli_data_grant(struct mt_cli *c);
int mt_cli_data_list(struct mt_cli *c);
int mt_cli_data_put(struct mt_cli *c);
int mt_cli_data_revoke(struct mt_cli *c);
int mt_cli_data_show(struct mt_cli *c);
int mt_cli_dev(struct mt_cli *c);
int mt_cli_doctor(struct mt_cli *c);
int mt_cli_evidence_show(struct mt_cli *c);
int mt_cli_function_list(struct mt_cli *c);
int mt_cli_function_show(struct mt_cli *c);
int mt_cli_platform_approve(struct mt_cli *c);
int mt_cli_platform_enrol(struct mt_cli *c);
int mt_cli_identity_export(struct mt_cli *c);
int mt_cli_identity_new(struct mt_cli *c);
int mt_cli_identity_rotate(struct mt_cli *c);
int mt_cli_identity_show(struct mt_cli *c);
int mt_cli_keyslot_add(struct mt_cli *c);
int mt_cli_keyslot_check(struct mt_cli *c);
/* keyslot add with --shares and --out, NULL if absent. */
int mt_cli_keyslot_share(struct mt_cli *c, const char *numbers, const char *dir);
/* With --peer and --policy. */
int mt_cli_keyslot_peer(struct mt_cli *c, const char *context, const char *policy);
int mt_cli_keyslot_kept(struct mt_cli *c);
int mt_cli_keyslot_list(struct mt_cli *c);
int mt_cli_keyslot_remove(struct mt_cli *c);
int mt_cli_policy_check(struct mt_cli *c);
int mt_cli_policy_new(struct mt_cli *c);
int mt_cli_policy_show(struct mt_cli *c);
int mt_cli_policy_sign(struct mt_cli *c);
int mt_cli_receipt_compare(struct mt_cli *c);
int mt_cli_receipt_get(struct mt_cli *c);
int mt_cli_receipt_verify(struct mt_cli *c);
int mt_cli_restore(struct mt_cli *c);
int mt_cli_status(struct mt_cli *c);
int mt_cli_task_approve(struct mt_cli *c);
int mt_cli_task_cancel(struct mt_cli *c);
int mt_cli_task_create(struct mt_cli *c);
int mt_cli_task_list(struct mt_cli *c);
int mt_cli_task_reject(struct mt_cli *c);
int mt_cli_task_result(struct mt_cli *c);
int mt_cli_task_run(struct mt_cli *c);
int mt_cli_task_show(struct mt_cli *c);
int mt_cli_task_watch(struct mt_cli *c);
int mt_cli_task_withdraw(struct mt_cli *c);
int mt_cli_time_accept(struct mt_cli *c);
int mt_cli_user_add(struct mt_cli *c);
int mt_cli_user_claim(struct mt_cli *c);
int mt_cli_user_list(struct mt_cli *c);
int mt_cli_user_revoke(struct mt_cli *c);
int mt_cli_verify(struct mt_cli *c);
int mt_cli_version(struct mt_cli *c);

#endif
