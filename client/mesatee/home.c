/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/home.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attest/signed.h"
#include "crypto/ct.h"
#include "wire/json.h"

enum { SMALL_FILE_MAX = 256 * 1024 };

static const char identity_head[] = "mesatee-identity-v1 ";

static MT_ERR make_dir(const char *path)
{
    MT_REQUIRE(mkdir(path, 0700) == 0 || errno == EEXIST, MT_E_IO,
               "a directory below your MesaTEE home cannot be made");
    return MT_OK;
}

/* Of the environment, or of the account; `room` holds what the account says. */
static const char *default_home(mt_span room)
{
    const char *home = secure_getenv("HOME");
    struct passwd user;
    struct passwd *found = NULL;
    if (home == NULL && getpwuid_r(getuid(), &user, (char *)room.ptr, room.len, &found) == 0 &&
        found != NULL) {
        home = user.pw_dir;
    }
    return home;
}

MT_ERR mt_home_open(const char *path, struct mt_home *out)
{
    static const char *const dirs[] = {"identities", "contexts"};
    int len = 0;
    path = path != NULL ? path : secure_getenv("MESATEE_HOME");
    if (path != NULL) {
        len = snprintf(out->path, sizeof out->path, "%s", path);
    } else {
        uint8_t room[4096];
        const char *home = default_home((mt_span){room, sizeof room});
        MT_REQUIRE(home != NULL, MT_E_ARG,
                   "you have no home directory: set MESATEE_HOME or use --home");
        len = snprintf(out->path, sizeof out->path, "%s/.mesatee", home);
    }
    MT_REQUIRE(len > 0 && (size_t)len + (size_t)2 * MT_NAME_MAX < sizeof out->path, MT_E_ARG,
               "the path of your MesaTEE home is too long");
    MT_TRY(make_dir(out->path));
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        char sub[MT_PATH_MAX];
        (void)snprintf(sub, sizeof sub, "%.*s/%s", MT_PATH_MAX - 16, out->path, dirs[i]);
        MT_TRY(make_dir(sub));
    }
    return MT_OK;
}

static bool is_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= MT_NAME_MAX && name[0] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len;
}

MT_ERR mt_home_path(const struct mt_home *h, const char *dir, const char *name, const char *suffix,
                    char out[MT_PATH_MAX])
{
    MT_REQUIRE(is_name(name), MT_E_ARG, "a name has 1 to 64 letters, digits, '-', '_' and '.'");
    int len = snprintf(out, MT_PATH_MAX, "%s/%s/%s%s", h->path, dir, name, suffix);
    MT_REQUIRE(len > 0 && len < MT_PATH_MAX, MT_E_ARG, "a path is too long");
    return MT_OK;
}

MT_ERR mt_file_load(const char *path, size_t max, struct mt_buf *out)
{
    *out = mt_buf_of_max(max + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    MT_REQUIRE(fd >= 0 || errno != ENOENT, MT_E_NOTFOUND, "no such file");
    MT_REQUIRE(fd >= 0, MT_E_IO, "a file cannot be read");
    ssize_t n = 1;
    mt_err e = MT_OK;
    while (n > 0 && !mt_failed(e)) {
        mt_span room;
        size_t left = max + 1 - out->len;
        e = mt_buf_reserve(out, left < 65536 ? left : 65536, &room);
        n = mt_failed(e) || room.len == 0 ? 0 : read(fd, room.ptr, room.len);
        out->len += n > 0 ? (size_t)n : 0;
    }
    (void)close(fd);
    if (!mt_failed(e) && (n < 0 || out->len > max)) {
        mt_buf_free(out);
        MT_REQUIRE(n >= 0, MT_E_IO, "a file cannot be read");
        MT_FAIL(MT_E_LIMIT, "a file is too long");
    }
    return e;
}

MT_ERR mt_file_store(const char *path, mt_bytes content)
{
    char fresh[MT_PATH_MAX + 8];
    int len = snprintf(fresh, sizeof fresh, "%s.new", path);
    MT_REQUIRE(len > 0 && (size_t)len < sizeof fresh, MT_E_ARG, "a path is too long");
    (void)unlink(fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    MT_REQUIRE(fd >= 0, MT_E_IO, "a file cannot be written");
    bool ok = true;
    while (ok && content.len > 0) {
        ssize_t n = write(fd, content.ptr, content.len);
        ok = n > 0;
        content = ok ? (mt_bytes){content.ptr + n, content.len - (size_t)n} : content;
    }
    ok = fsync(fd) == 0 && ok;
    ok = close(fd) == 0 && ok;
    ok = ok && rename(fresh, path) == 0;
    if (!ok) {
        (void)unlink(fresh);
    }
    MT_REQUIRE(ok, MT_E_IO, "a file cannot be written");
    return MT_OK;
}

MT_ERR mt_identity_new(const struct mt_home *h, const char *name, struct mt_key **out)
{
    char path[MT_PATH_MAX];
    uint8_t d[MT_PRIVATE_LEN];
    uint8_t room[128];
    mt_bytes text;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    MT_DEFER(mt_key_free) struct mt_key *k = NULL;
    MT_TRY(mt_home_path(h, "identities", name, ".key", path));
    MT_REQUIRE(access(path, F_OK) != 0, MT_E_CONFLICT,
               "there is an identity of this name: an identity is never overwritten");
    MT_TRY(mt_key_new(&k));
    MT_TRY(mt_key_private(k, (mt_span){d, sizeof d}));
    mt_write_bytes(&w, mt_bytes_of_text(identity_head));
    mt_hex_write(&w, MT_BYTES_OF(d));
    mt_write_u8(&w, '\n');
    mt_err e = mt_write_end(&w, &text);
    if (!mt_failed(e)) {
        e = mt_file_store(path, text);
    }
    mt_wipe((mt_span){d, sizeof d});
    mt_wipe((mt_span){room, sizeof room});
    MT_TRY(e);
    *out = k;
    k = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_identity_load(const struct mt_home *h, const char *name, struct mt_key **out)
{
    char path[MT_PATH_MAX];
    uint8_t d[MT_PRIVATE_LEN];
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(256);
    size_t head = sizeof identity_head - 1;
    MT_TRY(mt_home_path(h, "identities", name, ".key", path));
    mt_err e = mt_file_load(path, 256, &text);
    MT_REQUIRE(!mt_failed(e) || e.fault->code != MT_E_NOTFOUND, MT_E_NOTFOUND,
               "there is no identity of this name: mesatee identity new NAME");
    MT_TRY(e);
    MT_REQUIRE(text.len == head + 2 * sizeof d + 1 &&
                   mt_bytes_start_with(mt_buf_bytes(&text), mt_bytes_of_text(identity_head)),
               MT_E_FORMAT, "an identity file is damaged");
    MT_TRY(mt_hex_parse((mt_bytes){text.ptr + head, 2 * sizeof d}, (mt_span){d, sizeof d}));
    e = mt_key_of_private(MT_BYTES_OF(d), out);
    mt_wipe((mt_span){d, sizeof d});
    return e;
}

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
    static const char *const fields[] = {"address", "identity", "cluster_id", "epoch",
                                         "size",    "root",     NULL};
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    MT_TRY(mt_json_parse(text, &j, NULL));
    MT_TRY(mt_json_known(j, fields));
    MT_TRY(copy_text(j, "address", c->address, sizeof c->address));
    MT_TRY(copy_text(j, "identity", c->identity, sizeof c->identity));
    MT_TRY(mt_json_hex(j, "cluster_id", (mt_span){c->cluster.b, sizeof c->cluster.b}));
    MT_TRY(mt_json_uint(j, "epoch", UINT64_MAX >> 11, &c->head.epoch));
    MT_TRY(mt_json_uint(j, "size", UINT64_MAX >> 11, &c->head.size));
    return mt_json_hex(j, "root", (mt_span){c->head.root.b, sizeof c->head.root.b});
}

static MT_ERR load_policy(const struct mt_home *h, struct mt_context *c)
{
    char path[MT_PATH_MAX];
    mt_spki signer;
    MT_TRY(mt_home_path(h, "contexts", c->name, ".policy", path));
    MT_TRY(mt_file_load(path, SMALL_FILE_MAX, &c->policy_file));
    c->policy = calloc(1, sizeof *c->policy);
    MT_REQUIRE(c->policy != NULL, MT_E_NOMEM, "no memory for a policy");
    MT_TRY(mt_policy_file_parse(mt_buf_bytes(&c->policy_file), &signer, c->policy));
    MT_REQUIRE(mt_bytes_equal(mt_spki_bytes(&signer), mt_spki_bytes(mt_key_public(c->key))),
               MT_E_PROOF, "policy-signer: the context's policy is not signed by its identity");
    MT_TRY(mt_home_path(h, "contexts", c->name, ".auditors", path));
    mt_err e = mt_file_load(path, SMALL_FILE_MAX, &c->auditors);
    return mt_failed(e) && e.fault->code == MT_E_NOTFOUND ? MT_OK : e;
}

static MT_ERR current_name(const struct mt_home *h, char out[MT_NAME_MAX + 1])
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

MT_ERR mt_context_load(const struct mt_home *h, const char *name, struct mt_context **out)
{
    char path[MT_PATH_MAX];
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(SMALL_FILE_MAX);
    MT_DEFER(mt_context_free) struct mt_context *c = calloc(1, sizeof *c);
    MT_REQUIRE(c != NULL, MT_E_NOMEM, "no memory for a context");
    if (name == NULL) {
        MT_TRY(current_name(h, c->name));
    } else {
        MT_REQUIRE(is_name(name), MT_E_ARG, "a name has 1 to 64 letters, digits, '-', '_' and '.'");
        (void)snprintf(c->name, sizeof c->name, "%s", name);
    }
    MT_TRY(mt_home_path(h, "contexts", c->name, ".json", path));
    mt_err e = mt_file_load(path, SMALL_FILE_MAX, &text);
    MT_REQUIRE(!mt_failed(e) || e.fault->code != MT_E_NOTFOUND, MT_E_NOTFOUND,
               "there is no context of this name: mesatee context list");
    MT_TRY(e);
    MT_TRY(read_context(mt_buf_bytes(&text), c));
    MT_TRY(mt_identity_load(h, c->identity, &c->key));
    MT_TRY(load_policy(h, c));
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

MT_ERR mt_context_remember(const struct mt_home *h, struct mt_context *c,
                           const struct mt_client *client)
{
    const struct mt_head *head = mt_client_head(client);
    bool is_news =
        head->epoch > c->head.epoch || (head->epoch == c->head.epoch && head->size > c->head.size);
    if (!is_news) {
        return MT_OK; /* nor what a client that may go back has only looked at */
    }
    c->head = *head;
    return store_json(h, c);
}
