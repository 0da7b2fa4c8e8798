/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CLI_CLI_H
#define MT_CLI_CLI_H

#include <stdio.h>

#include "mesatee/home.h"
#include "wire/json.h"

/* What the verbs share. A verb is a row of a table in main.c; it returns an exit code. */

enum {
    MT_EXIT_DONE = 0,
    MT_EXIT_FAILED = 1,
    MT_EXIT_REFUSED = 2,     /* by policy */
    MT_EXIT_NOT_GENUINE = 3, /* evidence or receipt */
    MT_EXIT_USAGE = 64,
    MT_EXIT_UNREACHABLE = 69,
    MT_EXIT_IO = 74,
};

struct mt_cli {
    struct mt_home home;
    const char *context_name; /* --context; NULL: the one in use */
    bool is_json;
    bool may_go_back; /* set by a verb before it connects: see struct mt_client_options */
    int argc;
    char **argv; /* what follows the verb */
    struct mt_context *context;
    struct mt_client *client;
    struct mt_json *users; /* of the node; asked for once */
};

/* An option "--name VALUE" of the verb, taken out of the arguments; NULL if absent. */
const char *mt_cli_option(struct mt_cli *c, const char *name);
bool mt_cli_flag(struct mt_cli *c, const char *name);
/* Exactly this many arguments are left; says the verb's usage else. */
bool mt_cli_arguments(struct mt_cli *c, int count);

/* What went wrong, in words and as an exit code. */
int mt_cli_fail(const struct mt_cli *c, mt_err e, const char *about);
int mt_cli_exit_of(mt_err e);

/* Loads the context and connects, once. MT_EXIT_DONE, or an exit code after having said why. */
int mt_cli_connect(struct mt_cli *c);
/* One request; on an error status its JSON is printed to stderr and an exit code returned. *out is
 * a parsed answer, owned by the caller. */
int mt_cli_request(struct mt_cli *c, enum mt_http_method method, const char *target, mt_bytes body,
                   struct mt_json **out);
/* The same, and prints the answer. */
int mt_cli_show(struct mt_cli *c, enum mt_http_method method, const char *target, mt_bytes body);
/* For an answer with an error status. */
int mt_cli_refused(const struct mt_cli *c, const struct mt_answer *a);

/* A tree for people: names, colons, indentation. With --json as it is. */
void mt_cli_print(const struct mt_cli *c, const struct mt_json *node);
void mt_cli_print_bytes(FILE *to, mt_bytes b);
void mt_cli_print_hex(FILE *to, mt_bytes b);
void mt_cli_print_trace(FILE *to, const struct mt_trace *t, bool is_long);

/* "alice" or 64 digits: a subject; "visits", "alice/visits" or 32 digits: a data set. */
int mt_cli_subject(struct mt_cli *c, mt_bytes text, mt_hash *out);
int mt_cli_data(struct mt_cli *c, mt_bytes text, mt_id *out);
/* The number of its newest version. */
int mt_cli_newest_version(struct mt_cli *c, const mt_id *data, uint64_t *out);
/* The name of a subject for people, or its first digits. */
void mt_cli_subject_name(struct mt_cli *c, const mt_hash *subject, char out[80]);

/* An object into a file, checked against its commitment; the file appears only when it is whole. */
int mt_cli_download(struct mt_cli *c, const char *target, const char *path);

uint64_t mt_cli_now_ms(void);

struct mt_verb {
    const char *noun;
    const char *verb; /* NULL: the noun is the verb */
    const char *usage;
    const char *help;
    int (*run)(struct mt_cli *c);
};
extern const struct mt_verb mt_verbs[];

int mt_cli_identity_new(struct mt_cli *c);
int mt_cli_identity_show(struct mt_cli *c);
int mt_cli_context_add(struct mt_cli *c);
int mt_cli_context_use(struct mt_cli *c);
int mt_cli_context_list(struct mt_cli *c);
int mt_cli_user_add(struct mt_cli *c);
int mt_cli_user_list(struct mt_cli *c);
int mt_cli_user_revoke(struct mt_cli *c);
int mt_cli_dev(struct mt_cli *c);
int mt_cli_verify(struct mt_cli *c);
int mt_cli_status(struct mt_cli *c);
int mt_cli_doctor(struct mt_cli *c);
int mt_cli_version(struct mt_cli *c);
int mt_cli_backup(struct mt_cli *c);
int mt_cli_restore(struct mt_cli *c);
int mt_cli_time_accept(struct mt_cli *c);
int mt_cli_keyslot_list(struct mt_cli *c);
int mt_cli_keyslot_add(struct mt_cli *c);
int mt_cli_keyslot_remove(struct mt_cli *c);
int mt_cli_data_put(struct mt_cli *c);
int mt_cli_data_get(struct mt_cli *c);
int mt_cli_data_list(struct mt_cli *c);
int mt_cli_data_show(struct mt_cli *c);
int mt_cli_data_grant(struct mt_cli *c);
int mt_cli_data_revoke(struct mt_cli *c);
int mt_cli_data_delete(struct mt_cli *c);
int mt_cli_function_list(struct mt_cli *c);
int mt_cli_function_show(struct mt_cli *c);
int mt_cli_task_create(struct mt_cli *c);
int mt_cli_task_show(struct mt_cli *c);
int mt_cli_task_approve(struct mt_cli *c);
int mt_cli_task_reject(struct mt_cli *c);
int mt_cli_task_withdraw(struct mt_cli *c);
int mt_cli_task_run(struct mt_cli *c);
int mt_cli_task_watch(struct mt_cli *c);
int mt_cli_task_cancel(struct mt_cli *c);
int mt_cli_task_list(struct mt_cli *c);
int mt_cli_task_result(struct mt_cli *c);
int mt_cli_receipt_get(struct mt_cli *c);
int mt_cli_receipt_verify(struct mt_cli *c);
int mt_cli_receipt_compare(struct mt_cli *c);
int mt_cli_audit_list(struct mt_cli *c);
int mt_cli_audit_verify(struct mt_cli *c);
int mt_cli_policy_new(struct mt_cli *c);
int mt_cli_policy_show(struct mt_cli *c);

#endif
