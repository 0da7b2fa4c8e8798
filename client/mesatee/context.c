/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/context.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attest/signed.h"
#include "base/assert.h"
#include "wire/json.h"

enum { SMALL_FILE_MAX = 256 * 1024 };

void mt_context_free(struct mt_context **cp)
{
    struct mt_context *c = *cp;
    if (c != NULL) {
        mt_key_free(&c->key);
        mt_buf_free(&c->policy_file);
        mt_buf_free(&c->auditors);
        free(c->policy);
        free(c);
        *cp = NULL;
    }
}

static MT_ERR check_signer(const struct mt_context *c, const mt_spki *signer)
{
    MT_REQUIRE(mt_bytes_equal(mt_spki_bytes(signer), mt_spki_bytes(mt_key_public(c->key))),
               MT_E_PROOF, "policy-signer: the context's policy is not signed by its identity");
    return MT_OK;
}

/* An old list that was put back is refused, whatever the policy itself demands. */
static void raise_sequence(struct mt_context *c)
{
    uint64_t *minimum = &c->policy->auditors.minimum_sequence;
    *minimum = *minimum > c->auditors_sequence ? *minimum : c->auditors_sequence;
}

static MT_ERR take_policy(struct mt_context *c, const char *path)
{
    mt_spki signer;
    MT_TRY(mt_file_load(path, SMALL_FILE_MAX, &c->policy_file));
    c->policy = calloc(1, sizeof *c->policy);
    MT_REQUIRE(c->policy != NULL, MT_E_NOMEM, "no memory for a policy");
    MT_TRY(mt_policy_file_parse(mt_buf_bytes(&c->policy_file), &signer, c->policy));
    return check_signer(c, &signer);
}

static void free_list(struct mt_auditors_list **l)
{
    free(*l);
    *l = NULL;
}

/* Believed today by the policy: only then is its number worth remembering. */
static MT_ERR take_auditors(struct mt_context *c, const char *path, struct mt_trace *trace)
{
    MT_DEFER(free_list) struct mt_auditors_list *list = calloc(1, sizeof *list);
    struct timespec now = {0};
    MT_REQUIRE(list != NULL, MT_E_NOMEM, "no memory for an auditors' list");
    MT_REQUIRE(c->policy->auditors.threshold > 0, MT_E_ARG,
               "auditors-unnamed: the policy names no auditors, so a list of theirs says nothing");
    MT_TRY(mt_file_load(path, SMALL_FILE_MAX, &c->auditors));
    (void)clock_gettime(CLOCK_REALTIME, &now);
    MT_TRY(mt_auditors_verify(mt_buf_bytes(&c->auditors), &c->policy->auditors,
                              (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000, list,
                              trace));
    c->auditors_sequence = list->sequence;
    raise_sequence(c);
    return MT_OK;
}

static MT_ERR take_words(struct mt_context *c, const struct mt_context_options *o)
{
    int address = snprintf(c->address, sizeof c->address, "%s", o->address);
    int name = snprintf(c->name, sizeof c->name, "%s", o->name == NULL ? "" : o->name);
    int identity =
        snprintf(c->identity, sizeof c->identity, "%s", o->identity == NULL ? "" : o->identity);
    MT_REQUIRE(address > 0 && (size_t)address < sizeof c->address && name >= 0 &&
                   (size_t)name < sizeof c->name && identity >= 0 &&
                   (size_t)identity < sizeof c->identity,
               MT_E_ARG, "a name has at most 64 letters, and an address is HOST:PORT");
    if (o->cluster == NULL) {
        return MT_OK;
    }
    mt_err e =
        mt_hex_parse(mt_bytes_of_text(o->cluster), (mt_span){c->cluster.b, sizeof c->cluster.b});
    MT_REQUIRE(!mt_failed(e), MT_E_ARG, "a cluster's id has 64 lower-case digits");
    return MT_OK;
}

MT_ERR mt_context_new(const struct mt_context_options *o, struct mt_key *key,
                      struct mt_trace *trace, struct mt_context **out)
{
    MT_DEFER(mt_key_free) struct mt_key *k = key;
    MT_DEFER(mt_context_free) struct mt_context *c = calloc(1, sizeof *c);
    MT_REQUIRE(c != NULL, MT_E_NOMEM, "no memory for a context");
    c->key = k;
    k = NULL; /* given */
    MT_TRY(take_words(c, o));
    MT_TRY(take_policy(c, o->policy));
    if (o->auditors != NULL) {
        MT_TRY(take_auditors(c, o->auditors, trace));
    }
    *out = c;
    c = NULL; /* given */
    return MT_OK;
}

static MT_ERR copy_text(const struct mt_json *j, const char *field, char *out, size_t room)
{
    mt_bytes text;
    MT_TRY(mt_json_text(j, field, &text));
    MT_REQUIRE(text.len < room, MT_E_FORMAT, "a context's field is too long");
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return MT_OK;
}

static MT_ERR read_context(mt_bytes text, struct mt_context *c)
{
    static const char *const fields[] = {
        "address", "auditors_sequence", "identity", "cluster_id", "epoch", "size", "root", NULL};
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    MT_TRY(mt_json_parse(text, &j, NULL));
    MT_TRY(mt_json_known(j, fields));
    MT_TRY(copy_text(j, "address", c->address, sizeof c->address));
    MT_TRY(copy_text(j, "identity", c->identity, sizeof c->identity));
    MT_TRY(mt_json_hex(j, "cluster_id", (mt_span){c->cluster.b, sizeof c->cluster.b}));
    MT_TRY(mt_json_uint(j, "epoch", UINT64_MAX >> 11, &c->head.epoch));
    MT_TRY(mt_json_uint(j, "size", UINT64_MAX >> 11, &c->head.size));
    if (mt_json_has(j, "auditors_sequence")) { /* a context of before lists were remembered */
        MT_TRY(mt_json_uint(j, "auditors_sequence", UINT64_MAX >> 11, &c->auditors_sequence));
    }
    return mt_json_hex(j, "root", (mt_span){c->head.root.b, sizeof c->head.root.b});
}

MT_ERR mt_context_current(const struct mt_home *h, char out[MT_NAME_MAX + 1])
{
    char path[MT_PATH_MAX + 16];
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(MT_NAME_MAX);
    (void)snprintf(path, sizeof path, "%s/current", h->path);
    mt_err e = mt_file_load(path, MT_NAME_MAX, &text);
    MT_REQUIRE(!mt_failed(e), MT_E_NOTFOUND,
               "no context is in use: mesatee context add, or mesatee dev");
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return MT_OK;
}

static MT_ERR load_json(const struct mt_home *h, const char *name, struct mt_context *c)
{
    char path[MT_PATH_MAX];
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(SMALL_FILE_MAX);
    MT_TRY(mt_home_path(h, "contexts", name, ".json", path));
    mt_err e = mt_file_load(path, SMALL_FILE_MAX, &text);
    MT_REQUIRE(!mt_failed(e) || e.fault->code != MT_E_NOTFOUND, MT_E_NOTFOUND,
               "there is no context of this name: mesatee context list");
    MT_TRY(e);
    return read_context(mt_buf_bytes(&text), c);
}

MT_ERR mt_context_is_of(const struct mt_home *h, const char *name, const char *identity, bool *out)
{
    MT_DEFER(mt_context_free) struct mt_context *c = calloc(1, sizeof *c);
    MT_REQUIRE(c != NULL, MT_E_NOMEM, "no memory for a context");
    MT_TRY(load_json(h, name, c));
    *out = strcmp(c->identity, identity) == 0;
    return MT_OK;
}

MT_ERR mt_context_inherit(const struct mt_home *h, struct mt_context *c)
{
    MT_DEFER(mt_context_free) struct mt_context *before = calloc(1, sizeof *before);
    MT_REQUIRE(before != NULL, MT_E_NOMEM, "no memory for a context");
    mt_err e = load_json(h, c->name, before);
    if (mt_failed(e)) {
        return e.fault->code == MT_E_NOTFOUND ? MT_OK : e;
    }
    if (!mt_hash_equal(&c->cluster, &before->cluster)) {
        return MT_OK; /* the name is used for another cluster now */
    }
    MT_REQUIRE(c->auditors.len == 0 || c->auditors_sequence >= before->auditors_sequence,
               MT_E_STALE,
               "auditors-sequence: the list is older than one that this context has believed");
    c->head = before->head;
    c->auditors_sequence = before->auditors_sequence > c->auditors_sequence
                               ? before->auditors_sequence
                               : c->auditors_sequence;
    raise_sequence(c);
    return MT_OK;
}

static MT_ERR load_files(const struct mt_home *h, struct mt_context *c)
{
    char path[MT_PATH_MAX];
    MT_TRY(load_json(h, c->name, c));
    MT_TRY(mt_identity_load(h, c->identity, &c->key));
    MT_TRY(mt_home_path(h, "contexts", c->name, ".policy", path));
    MT_TRY(take_policy(c, path));
    raise_sequence(c);
    MT_TRY(mt_home_path(h, "contexts", c->name, ".auditors", path));
    mt_err e = mt_file_load(path, SMALL_FILE_MAX, &c->auditors);
    return mt_failed(e) && e.fault->code == MT_E_NOTFOUND ? MT_OK : e;
}

MT_ERR mt_context_load(const struct mt_home *h, const char *name, struct mt_context **out)
{
    MT_DEFER(mt_context_free) struct mt_context *c = calloc(1, sizeof *c);
    MT_REQUIRE(c != NULL, MT_E_NOMEM, "no memory for a context");
    if (name == NULL) {
        MT_TRY(mt_context_current(h, c->name));
    } else {
        char path[MT_PATH_MAX];
        MT_TRY(mt_home_path(h, "contexts", name, ".json", path)); /* that it is a name at all */
        (void)snprintf(c->name, sizeof c->name, "%s", name);
    }
    MT_TRY(load_files(h, c));
    *out = c;
    c = NULL; /* given */
    return MT_OK;
}

static MT_ERR store_json(const struct mt_home *h, const struct mt_context *c)
{
    char path[MT_PATH_MAX];
    uint8_t room[2048];
    mt_bytes text;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_json_begin_object(&j, NULL);
    mt_json_put_text(&j, "address", mt_bytes_of_text(c->address));
    mt_json_put_uint(&j, "auditors_sequence", c->auditors_sequence);
    mt_json_put_hex(&j, "cluster_id", mt_hash_bytes(&c->cluster));
    mt_json_put_uint(&j, "epoch", c->head.epoch);
    mt_json_put_text(&j, "identity", mt_bytes_of_text(c->identity));
    mt_json_put_hex(&j, "root", mt_hash_bytes(&c->head.root));
    mt_json_put_uint(&j, "size", c->head.size);
    mt_json_end_object(&j);
    MT_TRY(mt_write_end(&w, &text));
    MT_TRY(mt_home_path(h, "contexts", c->name, ".json", path));
    return mt_file_store(path, text);
}

/* The JSON comes last: a context whose storing was cut short is none. */
MT_ERR mt_context_store(const struct mt_home *h, const struct mt_context *c)
{
    char path[MT_PATH_MAX];
    MT_TRY(mt_home_path(h, "contexts", c->name, ".policy", path));
    MT_TRY(mt_file_store(path, mt_buf_bytes(&c->policy_file)));
    if (c->auditors.len > 0) {
        MT_TRY(mt_home_path(h, "contexts", c->name, ".auditors", path));
        MT_TRY(mt_file_store(path, mt_buf_bytes(&c->auditors)));
    }
    return store_json(h, c);
}

MT_ERR mt_context_use(const struct mt_home *h, const char *name)
{
    char path[MT_PATH_MAX + 16];
    MT_DEFER(mt_context_free) struct mt_context *c = NULL;
    MT_TRY(mt_context_load(h, name, &c));
    (void)snprintf(path, sizeof path, "%s/current", h->path);
    return mt_file_store(path, mt_bytes_of_text(name));
}

MT_ERR mt_context_sign(const struct mt_home *h, const char *name, const struct mt_key *k)
{
    MT_DEFER(mt_buf_free) struct mt_buf old = mt_buf_of_max(SMALL_FILE_MAX);
    MT_DEFER(mt_buf_free) struct mt_buf fresh = mt_buf_of_max(SMALL_FILE_MAX);
    char path[MT_PATH_MAX];
    mt_spki signer;
    mt_bytes json;
    mt_bytes bytes;
    struct mt_writer w = mt_writer_onto(&fresh);
    MT_TRY(mt_home_path(h, "contexts", name, ".policy", path));
    MT_TRY(mt_file_load(path, SMALL_FILE_MAX, &old));
    MT_TRY(mt_signed_parse(mt_buf_bytes(&old), MT_LABEL_POLICY, &signer, &json));
    mt_policy_file_write(&w, k, json);
    MT_TRY(mt_write_end(&w, &bytes));
    return mt_file_store(path, bytes);
}

MT_ERR mt_context_connect(const struct mt_context *c, struct mt_client **out)
{
    const struct mt_appraiser a = {c->policy, mt_buf_bytes(&c->auditors)};
    const struct mt_client_options o = {.address = c->address,
                                        .key = c->key,
                                        .appraiser = &a,
                                        .cluster = c->cluster,
                                        .head = c->head,
                                        .may_go_back = c->may_go_back};
    return mt_client_open(&o, out);
}

MT_ERR mt_context_renew(const struct mt_context *c, struct mt_client *client)
{
    const struct mt_appraiser a = {c->policy, mt_buf_bytes(&c->auditors)};
    return mt_client_renew(client, &a);
}

static bool is_newer(const struct mt_head *a, const struct mt_head *b)
{
    return a->epoch > b->epoch || (a->epoch == b->epoch && a->size > b->size);
}

MT_ERR mt_context_refresh(const struct mt_home *h, struct mt_context *c)
{
    MT_DEFER(mt_context_free) struct mt_context *now = NULL;
    MT_ASSERT(c != NULL); /* so that its name is one, and not the one in use */
    MT_TRY(mt_context_load(h, c->name, &now));
    MT_ASSERT(now != NULL);
    MT_REQUIRE(mt_hash_equal(&now->cluster, &c->cluster) && strcmp(now->identity, c->identity) == 0,
               MT_E_DENIED, "context-changed: the context is of another cluster or identity now");
    struct mt_buf policy_file = c->policy_file;
    struct mt_buf auditors = c->auditors;
    struct mt_policy *policy = c->policy;
    c->policy_file = now->policy_file;
    c->auditors = now->auditors;
    c->policy = now->policy;
    c->auditors_sequence = now->auditors_sequence;
    memcpy(c->address, now->address, sizeof c->address);
    if (is_newer(&now->head, &c->head)) { /* another program of the owner's has seen more */
        c->head = now->head;
    }
    now->policy_file = policy_file; /* and goes with it */
    now->auditors = auditors;
    now->policy = policy;
    return MT_OK;
}

MT_ERR mt_context_remember(const struct mt_home *h, struct mt_context *c,
                           const struct mt_client *client)
{
    MT_DEFER(mt_context_free) struct mt_context *now = calloc(1, sizeof *now);
    const struct mt_head *head = mt_client_head(client);
    MT_REQUIRE(now != NULL, MT_E_NOMEM, "no memory for a context");
    if (!is_newer(head, &c->head)) {
        return MT_OK; /* nor what a client that may go back has only looked at */
    }
    c->head = *head;
    /* The rest of the file is as others of the owner's programs have left it meanwhile. */
    memcpy(now->name, c->name, sizeof now->name);
    MT_TRY(load_json(h, now->name, now));
    if (!mt_hash_equal(&now->cluster, &c->cluster) || !is_newer(head, &now->head)) {
        return MT_OK;
    }
    now->head = *head;
    return store_json(h, now);
}

static int is_context(const struct dirent *d)
{
    size_t len = strlen(d->d_name);
    return len > 5 && len - 5 <= MT_NAME_MAX && strcmp(d->d_name + len - 5, ".json") == 0;
}

MT_ERR mt_context_names_list(const struct mt_home *h, struct mt_context_names *out)
{
    char path[MT_PATH_MAX + 16];
    struct dirent **entries = NULL;
    (void)snprintf(path, sizeof path, "%s/contexts", h->path);
    int count = scandir(path, &entries, is_context, alphasort);
    MT_REQUIRE(count >= 0, MT_E_IO, "the contexts of your home cannot be listed");
    *out = (struct mt_context_names){calloc((size_t)count + 1, sizeof *out->names), 0};
    for (int i = 0; i < count; i++) {
        if (out->names != NULL) {
            (void)snprintf(out->names[out->count++], sizeof *out->names, "%.*s",
                           (int)strlen(entries[i]->d_name) - 5, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    MT_REQUIRE(out->names != NULL, MT_E_NOMEM, "no memory for a list of contexts");
    return MT_OK;
}

void mt_context_names_free(struct mt_context_names *n)
{
    free(n->names);
    *n = (struct mt_context_names){NULL, 0};
}
