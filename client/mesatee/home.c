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

#include "crypto/ct.h"

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

/* A secret goes through here: the rooms are wiped. CT: leaks nothing but the length, which is
 * fixed. */
static MT_ERR store_key(const char *path, const struct mt_key *k)
{
    uint8_t d[MT_PRIVATE_LEN];
    uint8_t room[128];
    mt_bytes text;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
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
    return e;
}

MT_ERR mt_identity_new(const struct mt_home *h, const char *name, struct mt_key **out)
{
    char path[MT_PATH_MAX];
    MT_DEFER(mt_key_free) struct mt_key *k = NULL;
    MT_TRY(mt_home_path(h, "identities", name, ".key", path));
    MT_REQUIRE(access(path, F_OK) != 0, MT_E_CONFLICT,
               "there is an identity of this name: an identity is never overwritten");
    MT_TRY(mt_key_new(&k));
    MT_TRY(store_key(path, k));
    *out = k;
    k = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_identity_read(const char *path, struct mt_key **out)
{
    uint8_t d[MT_PRIVATE_LEN];
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(256);
    size_t head = sizeof identity_head - 1;
    MT_TRY(mt_file_load(path, 256, &text));
    MT_REQUIRE(text.len == head + 2 * sizeof d + 1 &&
                   mt_bytes_start_with(mt_buf_bytes(&text), mt_bytes_of_text(identity_head)),
               MT_E_FORMAT, "an identity file is damaged");
    mt_err e = mt_hex_parse((mt_bytes){text.ptr + head, 2 * sizeof d}, (mt_span){d, sizeof d});
    e = mt_failed(e) ? e : mt_key_of_private(MT_BYTES_OF(d), out);
    mt_wipe((mt_span){d, sizeof d});
    return e;
}

MT_ERR mt_identity_load(const struct mt_home *h, const char *name, struct mt_key **out)
{
    char path[MT_PATH_MAX];
    MT_TRY(mt_home_path(h, "identities", name, ".key", path));
    mt_err e = mt_identity_read(path, out);
    MT_REQUIRE(!mt_failed(e) || e.fault->code != MT_E_NOTFOUND, MT_E_NOTFOUND,
               "there is no identity of this name: mesatee identity new NAME");
    return e;
}

/* A second name for the old key's file, the first that is free; then the new key takes the first
 * name, by a rename. */
static MT_ERR keep_old(const struct mt_home *h, const char *path, const char *name,
                       char old[MT_NAME_MAX + 1])
{
    enum { OLD_MAX = 10000 };
    for (int n = 1; n < OLD_MAX; n++) {
        char kept[MT_PATH_MAX];
        int len = snprintf(old, MT_NAME_MAX + 1, "%.48s.old-%d", name, n);
        MT_REQUIRE(len > 0 && strlen(name) <= 48, MT_E_ARG,
                   "the name of an identity that is rotated has at most 48 letters");
        MT_TRY(mt_home_path(h, "identities", old, ".key", kept));
        if (link(path, kept) == 0) {
            return MT_OK;
        }
        MT_REQUIRE(errno == EEXIST, MT_E_IO, "the old key cannot be kept");
    }
    MT_FAIL(MT_E_LIMIT, "an identity was rotated too often");
}

MT_ERR mt_identity_rotate(const struct mt_home *h, const char *name, char old[MT_NAME_MAX + 1],
                          struct mt_key **out)
{
    char path[MT_PATH_MAX];
    MT_DEFER(mt_key_free) struct mt_key *before = NULL;
    MT_DEFER(mt_key_free) struct mt_key *k = NULL;
    MT_TRY(mt_identity_load(h, name, &before)); /* what is damaged is not worth keeping */
    MT_TRY(mt_home_path(h, "identities", name, ".key", path));
    MT_TRY(mt_key_new(&k));
    MT_TRY(keep_old(h, path, name, old));
    MT_TRY(store_key(path, k));
    *out = k;
    k = NULL; /* given */
    return MT_OK;
}
