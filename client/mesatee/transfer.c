/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "mesatee/statement.h"

enum { WRITE_BEHIND_BYTES = 1024 * 1024 };

struct transfer {
    int fd;
    uint64_t size_bytes;
    uint64_t done_bytes;
    uint64_t behind_bytes; /* of a file that is written: those that the disk was asked to take */
    struct mt_progress progress;
    struct mt_answer answer; /* to a get: knows how much will come */
    struct mt_hasher *hasher;
};

static void tell(const struct transfer *t, uint64_t all)
{
    if (t->progress.tell != NULL) {
        t->progress.tell(t->progress.state, t->done_bytes, all);
    }
}

static void close_transfer(struct transfer *t)
{
    if (t->fd >= 0) {
        (void)close(t->fd);
        t->fd = -1;
    }
    mt_hasher_free(&t->hasher);
}

static MT_ERR open_source(struct transfer *t, const char *path)
{
    struct stat st;
    t->fd = open(path, O_RDONLY | O_CLOEXEC);
    MT_REQUIRE(t->fd >= 0 || errno != ENOENT, MT_E_NOTFOUND, "no such file");
    MT_REQUIRE(t->fd >= 0, MT_E_IO, "the file cannot be read");
    MT_REQUIRE(fstat(t->fd, &st) == 0 && S_ISREG(st.st_mode), MT_E_IO,
               "only a regular file is uploaded: its size is said first");
    t->size_bytes = (uint64_t)st.st_size;
    return mt_hasher_new(&t->hasher);
}

static mt_err read_file(void *state, mt_span out, size_t *got)
{
    struct transfer *t = state;
    ssize_t n = 0;
    do {
        n = read(t->fd, out.ptr, out.len);
    } while (n < 0 && errno == EINTR);
    MT_REQUIRE(n >= 0, MT_E_IO, "the file cannot be read");
    *got = (size_t)n;
    t->done_bytes += *got;
    mt_hasher_add(t->hasher, (mt_bytes){out.ptr, *got});
    tell(t, t->size_bytes);
    return MT_OK;
}

static MT_ERR check_put(const struct transfer *t, const struct mt_json *answer)
{
    mt_hash salt;
    mt_hash commitment;
    mt_hash plain;
    MT_TRY(mt_json_hex(answer, "salt", (mt_span){salt.b, sizeof salt.b}));
    MT_TRY(mt_json_hex(answer, "commitment", (mt_span){commitment.b, sizeof commitment.b}));
    mt_hasher_end(t->hasher, &plain);
    MT_REQUIRE(mt_commitment_holds(&salt, t->size_bytes, &plain, &commitment), MT_E_PROOF,
               "commitment: the node committed to something else than was sent");
    return MT_OK;
}

static MT_ERR put(struct mt_session *s, struct transfer *t, const char *name, struct mt_json **out)
{
    char target[128];
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    (void)snprintf(target, sizeof target, "/data?name=%s", name);
    const struct mt_call call = {.method = MT_HTTP_POST,
                                 .target = target,
                                 .source = read_file,
                                 .source_state = t,
                                 .source_len = t->size_bytes};
    MT_TRY(mt_session_request(s, &call, &j));
    MT_TRY(check_put(t, j));
    *out = j;
    j = NULL; /* given */
    return MT_OK;
}

MT_ERR mt_transfer_put(struct mt_session *s, const char *name, const char *path,
                       struct mt_progress progress, struct mt_json **out)
{
    MT_DEFER(close_transfer) struct transfer t = {.fd = -1, .progress = progress};
    MT_REQUIRE(strlen(name) > 0 && strlen(name) <= MT_NAME_BYTES_MAX, MT_E_ARG,
               "a data set's name has 1 to 64 letters");
    MT_TRY(open_source(&t, path));
    return put(s, &t, name, out);
}

static mt_err write_file(void *state, mt_bytes bytes)
{
    struct transfer *t = state;
    mt_hasher_add(t->hasher, bytes);
    t->done_bytes += bytes.len;
    tell(t, t->answer.body_len);
    while (bytes.len > 0) {
        ssize_t n = write(t->fd, bytes.ptr, bytes.len);
        MT_REQUIRE(n > 0 || (n < 0 && errno == EINTR), MT_E_IO, "the file cannot be written");
        bytes = n > 0 ? (mt_bytes){bytes.ptr + n, bytes.len - (size_t)n} : bytes;
    }
    if (t->done_bytes - t->behind_bytes >= WRITE_BEHIND_BYTES) {
        /* The disk may begin while the rest arrives; what it cannot write, fsync will say. */
        (void)sync_file_range(t->fd, (off_t)t->behind_bytes,
                              (off_t)(t->done_bytes - t->behind_bytes), SYNC_FILE_RANGE_WRITE);
        t->behind_bytes = t->done_bytes;
    }
    return MT_OK;
}

static MT_ERR get(struct mt_session *s, struct transfer *t, const struct mt_call *asked)
{
    struct mt_call call = *asked;
    const struct mt_answer *a = &t->answer;
    mt_hash plain;
    call.sink = write_file;
    call.sink_state = t;
    mt_err e = mt_session_call(s, &call, &t->answer);
    mt_buf_free(&t->answer.body);
    MT_TRY(e);
    MT_REQUIRE(a->status == 200, MT_E_FORMAT, "the node answers with something else than bytes");
    mt_hasher_end(t->hasher, &plain);
    MT_REQUIRE(!a->has_object ||
                   mt_commitment_holds(&a->salt, t->done_bytes, &plain, &a->commitment),
               MT_E_PROOF, "commitment: what arrived is not what was committed to");
    MT_REQUIRE(fsync(t->fd) == 0, MT_E_IO, "the file cannot be written");
    return MT_OK;
}

MT_ERR mt_transfer_get(struct mt_session *s, const struct mt_call *call, const char *path,
                       struct mt_progress progress)
{
    char part[MT_PATH_MAX];
    MT_DEFER(close_transfer) struct transfer t = {.fd = -1, .progress = progress};
    int len = snprintf(part, sizeof part, "%s.part", path);
    MT_REQUIRE(len > 0 && (size_t)len < sizeof part, MT_E_ARG, "a path is too long");
    MT_TRY(mt_hasher_new(&t.hasher));
    (void)unlink(part);
    t.fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    MT_REQUIRE(t.fd >= 0, MT_E_IO, "the file cannot be written");
    mt_err e = get(s, &t, call);
    bool is_there = !mt_failed(e) && rename(part, path) == 0;
    if (!is_there) {
        (void)unlink(part);
    }
    MT_TRY(e);
    MT_REQUIRE(is_there, MT_E_IO, "the file cannot be written");
    return MT_OK;
}
