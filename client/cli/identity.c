/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"
#include "mesatee/policy_file.h"

/* identity, user: who we are, and who is known to a node. */

static int print_identity(const struct mt_cli *c, const char *name, const struct mt_key *k)
{
    struct mt_cli_answer a;
    mt_hash subject;
    mt_identity_subject(k, &subject);
    mt_cli_answer_begin(&a);
    mt_json_put_text(&a.j, "name", mt_bytes_of_text(name));
    mt_json_put_hex(&a.j, "public_key", mt_spki_bytes(mt_identity_public(k)));
    mt_json_put_hex(&a.j, "subject", mt_hash_bytes(&subject));
    return mt_cli_answer_end(c, &a);
}

int mt_cli_identity_new(struct mt_cli *c)
{
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_identity_new(&c->home, c->argv[0], &k);
    return mt_failed(e) ? mt_cli_fail(c, e, c->argv[0]) : print_identity(c, c->argv[0], k);
}

int mt_cli_identity_show(struct mt_cli *c)
{
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_identity_load(&c->home, c->argv[0], &k);
    return mt_failed(e) ? mt_cli_fail(c, e, c->argv[0]) : print_identity(c, c->argv[0], k);
}

/* The contexts whose policies are signed anew; the others are not ours. */
static MT_ERR sign_contexts(struct mt_cli *c, const char *identity, const struct mt_key *k,
                            struct mt_json_writer *j)
{
    MT_DEFER(mt_context_names_free) struct mt_context_names all = {NULL, 0};
    MT_TRY(mt_context_names_list(&c->home, &all));
    mt_json_begin_array(j, "contexts");
    for (size_t i = 0; i < all.count; i++) {
        bool is_ours = false;
        MT_TRY(mt_context_is_of(&c->home, all.names[i], identity, &is_ours));
        if (is_ours) {
            MT_TRY(mt_context_sign(&c->home, all.names[i], k));
            mt_json_put_text(j, NULL, mt_bytes_of_text(all.names[i]));
        }
    }
    mt_json_end_array(j);
    return MT_OK;
}

int mt_cli_identity_rotate(struct mt_cli *c)
{
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    MT_DEFER(mt_identity_free) struct mt_key *before = NULL;
    struct mt_cli_answer a;
    char old[MT_NAME_MAX + 1];
    mt_hash subject;
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    const char *name = c->argv[0];
    mt_err e = mt_identity_rotate(&c->home, name, old, &k);
    e = mt_failed(e) ? e : mt_identity_load(&c->home, old, &before);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, name);
    }
    mt_cli_answer_begin(&a);
    mt_json_put_text(&a.j, "name", mt_bytes_of_text(name));
    mt_json_put_hex(&a.j, "public_key", mt_spki_bytes(mt_identity_public(k)));
    mt_identity_subject(k, &subject);
    mt_json_put_hex(&a.j, "subject", mt_hash_bytes(&subject));
    mt_json_put_text(&a.j, "old_name", mt_bytes_of_text(old));
    mt_identity_subject(before, &subject);
    mt_json_put_hex(&a.j, "old_subject", mt_hash_bytes(&subject));
    e = sign_contexts(c, name, k, &a.j);
    int rc = mt_cli_answer_end(c, &a);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "a context's policy");
    }
    if (rc == MT_EXIT_DONE && !c->is_json) {
        (void)printf(
            "\nWhat to do now:\n"
            "  1. Have an administrator of each node add the new key: mesatee user add "
            "NAME PUBLIC-KEY.\n"
            "     Until then the node does not know you.\n"
            "  2. Data, grants, tasks and approvals belong to the old key and stay with it. "
            "Reach them as %s:\n"
            "     mesatee policy sign, then mesatee context add with --identity %s. "
            "Download, upload again\n"
            "     under the new key, and grant again what others need.\n"
            "  3. When nothing needs the old key any more, and at once if it was stolen: "
            "mesatee user revoke\n"
            "     with its subject.\n",
            old, old);
    }
    return rc;
}

int mt_cli_identity_export(struct mt_cli *c)
{
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf pem = mt_buf_of_max(1024);
    bool has_file = c->argc == 2;
    if (!mt_cli_arguments(c, has_file ? 2 : 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_identity_load(&c->home, c->argv[0], &k);
    e = mt_failed(e) ? e : mt_identity_pem(k, &pem);
    if (!mt_failed(e) && has_file) {
        e = mt_file_store(c->argv[1], mt_buf_bytes(&pem));
    }
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, has_file ? c->argv[1] : c->argv[0]);
    }
    if (!has_file && !c->is_json) {
        mt_cli_print_bytes(stdout, mt_buf_bytes(&pem));
        return MT_EXIT_DONE;
    }
    struct mt_cli_answer a;
    mt_cli_answer_begin(&a);
    mt_json_put_text(&a.j, "name", mt_bytes_of_text(c->argv[0]));
    if (has_file) {
        mt_json_put_text(&a.j, "file", mt_bytes_of_text(c->argv[1]));
    } else {
        mt_json_put_text(&a.j, "pem", mt_buf_bytes(&pem));
    }
    return mt_cli_answer_end(c, &a);
}

int mt_cli_user_add(struct mt_cli *c)
{
    uint8_t room[1024];
    mt_bytes body;
    const char *role = mt_cli_option(c, "--role");
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    if (!mt_cli_arguments(c, 2)) {
        return MT_EXIT_USAGE;
    }
    mt_json_begin_object(&j, NULL);
    mt_json_put_text(&j, "key", mt_bytes_of_text(c->argv[1]));
    mt_json_put_text(&j, "name", mt_bytes_of_text(c->argv[0]));
    mt_json_put_text(&j, "role", mt_bytes_of_text(role == NULL ? "user" : role));
    mt_json_end_object(&j);
    mt_err e = mt_write_end(&w, &body);
    return mt_failed(e) ? mt_cli_fail(c, e, "user") : mt_cli_show(c, MT_HTTP_POST, "/users", body);
}

int mt_cli_user_claim(struct mt_cli *c)
{
    enum { LINE_MAX = 65 };
    mt_bytes body;
    MT_DEFER(mt_buf_free) struct mt_buf file = mt_buf_of_max(0);
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(128);
    struct mt_writer w = mt_writer_onto(&room);
    struct mt_json_writer j = mt_json_writer_over(&w);
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_file_load(c->argv[0], LINE_MAX, &file);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    mt_bytes line = mt_buf_bytes(&file);
    line.len -= line.len > 0 && line.ptr[line.len - 1] == '\n' ? 1 : 0;
    mt_json_begin_object(&j, NULL);
    mt_json_put_text(&j, "secret", line);
    mt_json_end_object(&j);
    e = mt_write_end(&w, &body);
    return mt_failed(e) ? mt_cli_fail(c, e, c->argv[0])
                        : mt_cli_show(c, MT_HTTP_POST, "/claim", body);
}

int mt_cli_user_list(struct mt_cli *c)
{
    return mt_cli_arguments(c, 0) ? mt_cli_show(c, MT_HTTP_GET, "/users", (mt_bytes){NULL, 0})
                                  : MT_EXIT_USAGE;
}

int mt_cli_user_revoke(struct mt_cli *c)
{
    char target[256];
    mt_hash h;
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    int rc = mt_cli_connect(c);
    if (rc != MT_EXIT_DONE) {
        return rc;
    }
    mt_err e = mt_session_subject(&c->s, mt_bytes_of_text(c->argv[0]), &h);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    mt_cli_target(target, "/users", mt_hash_bytes(&h), "");
    return mt_cli_show(c, MT_HTTP_DELETE, target, (mt_bytes){NULL, 0});
}
