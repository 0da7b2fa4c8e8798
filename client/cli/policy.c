/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "mesatee/policy_file.h"

/* policy: what we trust, in a file under our own signature. */

enum { POLICY_FILE_MAX = 2 * MT_POLICY_BYTES_MAX };

/* Every --NAME HASH there is. */
static MT_ERR take_hashes(struct mt_cli *c, const char *name, mt_hash *out, size_t *count)
{
    *count = 0;
    for (const char *v = mt_cli_option(c, name); v != NULL; v = mt_cli_option(c, name)) {
        MT_REQUIRE(*count < MT_POLICY_HASHES_MAX, MT_E_LIMIT, "too many hashes");
        mt_err e = mt_hex_parse(mt_bytes_of_text(v), (mt_span){out[*count].b, sizeof out->b});
        MT_REQUIRE(!mt_failed(e), MT_E_ARG, "a hash has 64 lower-case digits");
        (*count)++;
    }
    return MT_OK;
}

static MT_ERR take_auditors(struct mt_cli *c, struct mt_auditors *a)
{
    const char *threshold = mt_cli_option(c, "--threshold");
    for (const char *v = mt_cli_option(c, "--auditor"); v != NULL;
         v = mt_cli_option(c, "--auditor")) {
        uint8_t der[MT_SPKI_LEN];
        MT_REQUIRE(a->keys_count < MT_AUDITORS_MAX, MT_E_LIMIT, "a policy names up to 16 auditors");
        mt_err e = mt_hex_parse(mt_bytes_of_text(v), (mt_span){der, sizeof der});
        MT_REQUIRE(!mt_failed(e), MT_E_ARG,
                   "an auditor is named by the public key that mesatee identity show prints");
        memcpy(a->keys[a->keys_count++].b, der, sizeof der);
    }
    a->threshold = a->keys_count;
    MT_REQUIRE(threshold == NULL || mt_cli_number(threshold, &a->threshold), MT_E_ARG,
               "a threshold is a number");
    MT_REQUIRE(a->threshold <= a->keys_count && (a->threshold > 0 || a->keys_count == 0), MT_E_ARG,
               "a threshold is between 1 and the number of auditors");
    return MT_OK;
}

/* Every word there is about hardware. */
static MT_ERR take_hardware(struct mt_cli *c, struct mt_policy *p)
{
    static const char *const words[] = {"--kind",    "--tcb-status", "--advisory",        "--allow",
                                        "--minimum", "--machine",    "--minimum-tcb-date"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        for (const char *v = mt_cli_option(c, words[i]); v != NULL;
             v = mt_cli_option(c, words[i])) {
            MT_TRY(mt_policy_accept(p, words[i] + 2, v));
        }
    }
    mt_policy_accept_default(p);
    return MT_OK;
}

static MT_ERR make_policy(struct mt_cli *c, const char *name, struct mt_policy *p)
{
    const char *level = mt_cli_option(c, "--level");
    memset(p, 0, sizeof *p);
    MT_REQUIRE(level == NULL || (level[0] >= '1' && level[0] <= '5' && level[1] == '\0'), MT_E_ARG,
               "a level is 1 to 5");
    p->name = mt_bytes_of_text(name);
    p->minimum_level = level == NULL ? 2 : (uint64_t)(level[0] - '0');
    MT_TRY(take_hashes(c, "--platform", p->platforms, &p->platforms_count));
    MT_TRY(take_hashes(c, "--operator", p->operators, &p->operators_count));
    MT_TRY(take_hashes(c, "--measurement", p->measurements, &p->measurements_count));
    MT_TRY(take_hashes(c, "--configuration", p->configurations, &p->configurations_count));
    MT_TRY(take_hashes(c, "--tpm-root", p->tpm_roots, &p->tpm_roots_count));
    MT_TRY(take_hardware(c, p));
    return take_auditors(c, &p->auditors);
}

/* The policy as it stands in the file, and by whom: what people and programs see of it. */
static int print_policy(const struct mt_cli *c, const struct mt_policy *p, const mt_hash *signer)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_POLICY_BYTES_MAX);
    MT_DEFER(mt_json_free) struct mt_json *tree = NULL;
    struct mt_writer w = mt_writer_onto(&room);
    struct mt_cli_answer a;
    mt_bytes text;
    mt_policy_json(&w, p);
    mt_err e = mt_write_end(&w, &text);
    e = mt_failed(e) ? e : mt_json_parse(text, &tree, NULL);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "policy");
    }
    mt_cli_answer_begin(&a);
    mt_json_put_hex(&a.j, "hash", mt_hash_bytes(&p->hash));
    mt_json_put_node(&a.j, "policy", tree);
    mt_json_put_hex(&a.j, "signed_by", mt_hash_bytes(signer));
    return mt_cli_answer_end(c, &a);
}

/* What was written is read back: a policy that cannot be loaded must not be found out later. */
static int print_file(const struct mt_cli *c, mt_bytes file)
{
    static struct mt_policy p;
    mt_hash signer;
    memset(&p, 0, sizeof p);
    mt_err e = mt_policy_load(file, &signer, &p);
    return mt_failed(e) ? mt_cli_fail(c, e, "policy") : print_policy(c, &p, &signer);
}

int mt_cli_policy_new(struct mt_cli *c)
{
    static struct mt_policy p;
    static struct mt_policy again;
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf file = mt_buf_of_max(POLICY_FILE_MAX);
    mt_hash signer;
    const char *identity = mt_cli_option(c, "--identity");
    const char *name = mt_cli_option(c, "--name");
    mt_err e = make_policy(c, name == NULL ? "" : name, &p);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, "policy");
    }
    if (identity == NULL || name == NULL || !mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    e = mt_identity_load(&c->home, identity, &k);
    e = mt_failed(e) ? e : mt_policy_sign(k, &p, &file);
    e = mt_failed(e) ? e : mt_policy_load(mt_buf_bytes(&file), &signer, &again);
    e = mt_failed(e) ? e : mt_file_store(c->argv[0], mt_buf_bytes(&file));
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    return c->is_json ? print_policy(c, &again, &signer) : MT_EXIT_DONE;
}

int mt_cli_policy_sign(struct mt_cli *c)
{
    static struct mt_policy p;
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf file = mt_buf_of_max(0);
    MT_DEFER(mt_buf_free) struct mt_buf ours = mt_buf_of_max(POLICY_FILE_MAX);
    const char *identity = mt_cli_option(c, "--identity");
    if (identity == NULL || !mt_cli_arguments(c, 2)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_identity_load(&c->home, identity, &k);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, identity);
    }
    e = mt_file_load(c->argv[0], POLICY_FILE_MAX, &file);
    e = mt_failed(e) ? e : mt_policy_adopt(k, mt_buf_bytes(&file), &p, &ours);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, c->argv[0]);
    }
    e = mt_file_store(c->argv[1], mt_buf_bytes(&ours));
    return mt_failed(e) ? mt_cli_fail(c, e, c->argv[1]) : print_file(c, mt_buf_bytes(&ours));
}

int mt_cli_policy_show(struct mt_cli *c)
{
    MT_DEFER(mt_buf_free) struct mt_buf file = mt_buf_of_max(0);
    if (c->argc == 0) {
        mt_err e = mt_session_load(&c->s);
        return mt_failed(e) ? mt_cli_fail(c, e, "context")
                            : print_file(c, mt_buf_bytes(&c->s.context->policy_file));
    }
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = mt_file_load(c->argv[0], POLICY_FILE_MAX, &file);
    return mt_failed(e) ? mt_cli_fail(c, e, c->argv[0]) : print_file(c, mt_buf_bytes(&file));
}

static MT_ERR check_signer(const struct mt_key *k, const mt_hash *signer)
{
    mt_hash us;
    mt_identity_subject(k, &us);
    MT_REQUIRE(mt_hash_equal(&us, signer), MT_E_PROOF,
               "policy-signer: the policy is signed by another key than this identity's: read it, "
               "then mesatee policy sign");
    return MT_OK;
}

/* Default deny is easy to overdo. */
static MT_ERR check_accepts(const struct mt_policy *p)
{
    MT_REQUIRE(p->platforms_count + p->operators_count > 0, MT_E_DENIED,
               "policy-empty: the policy names no platform and no operator, so it refuses every "
               "node: mesatee policy new --platform HASH");
    MT_REQUIRE(p->measurements_count > 0 || p->auditors.threshold > 0, MT_E_DENIED,
               "policy-empty: the policy names no measurement and no auditors, so it refuses every "
               "node: mesatee policy new --measurement HASH");
    return MT_OK;
}

int mt_cli_policy_check(struct mt_cli *c)
{
    static struct mt_policy p;
    MT_DEFER(mt_identity_free) struct mt_key *k = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf file = mt_buf_of_max(0);
    mt_hash signer;
    const char *identity = mt_cli_option(c, "--identity");
    if (!mt_cli_arguments(c, 1)) {
        return MT_EXIT_USAGE;
    }
    mt_err e = identity == NULL ? MT_OK : mt_identity_load(&c->home, identity, &k);
    if (mt_failed(e)) {
        return mt_cli_fail(c, e, identity);
    }
    e = mt_file_load(c->argv[0], POLICY_FILE_MAX, &file);
    e = mt_failed(e) ? e : mt_policy_load(mt_buf_bytes(&file), &signer, &p);
    e = mt_failed(e) || k == NULL ? e : check_signer(k, &signer);
    e = mt_failed(e) ? e : check_accepts(&p);
    return mt_failed(e) ? mt_cli_fail(c, e, c->argv[0]) : print_policy(c, &p, &signer);
}
