/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "mesatee/home.h"
#include "mesatee/statement.h"
#include "wire/json.h"

enum { BAR = 30, BAR_EVERY_MS = 100 };

static uint64_t ticks_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void show_bar(struct mt_transfer *t, bool is_last)
{
    uint64_t now = ticks_ms();
    if (!t->has_bar || (!is_last && now - t->shown_ms < BAR_EVERY_MS)) {
        return;
    }
    t->shown_ms = now;
    uint64_t spent = now - t->started_ms + 1;
    uint64_t rate = t->done_bytes * 1000 / spent;
    uint64_t left_s =
        rate > 0 && t->size_bytes > t->done_bytes ? (t->size_bytes - t->done_bytes) / rate : 0;
    int filled = t->size_bytes > 0 ? (int)(t->done_bytes * BAR / t->size_bytes) : BAR;
    (void)fprintf(stderr, "\r[%.*s%*s] %llu MiB, %llu MiB/s, %llu s left ", filled,
                  "==============================", BAR - filled, "",
                  (unsigned long long)(t->done_bytes >> 20), (unsigned long long)(rate >> 20),
                  (unsigned long long)left_s);
    if (is_last) {
        (void)fputc('\n', stderr);
    }
}

MT_ERR mt_transfer_open(const char *path, bool has_bar, struct mt_transfer *out)
{
    struct stat st;
    struct mt_transfer t = {.has_bar = has_bar};
    t.fd = open(path, O_RDONLY | O_CLOEXEC);
    MT_REQUIRE(t.fd >= 0 && fstat(t.fd, &st) == 0 && S_ISREG(st.st_mode), MT_E_IO,
               "the file cannot be read");
    t.size_bytes = (uint64_t)st.st_size;
    t.started_ms = ticks_ms();
    MT_TRY(mt_hasher_new(&t.hasher));
    *out = t;
    return MT_OK;
}

void mt_transfer_close(struct mt_transfer *t)
{
    if (t->fd >= 0) {
        (void)close(t->fd);
        t->fd = -1;
    }
    mt_hasher_free(&t->hasher);
}

static mt_err read_file(void *state, mt_span out, size_t *got)
{
    struct mt_transfer *t = state;
    ssize_t n = 0;
    do {
        n = read(t->fd, out.ptr, out.len);
    } while (n < 0 && errno == EINTR);
    MT_REQUIRE(n >= 0, MT_E_IO, "the file cannot be read");
    *got = (size_t)n;
    t->done_bytes += *got;
    mt_hasher_add(t->hasher, (mt_bytes){out.ptr, *got});
    show_bar(t, false);
    return MT_OK;
}

static MT_ERR check_put(struct mt_transfer *t, mt_bytes answer)
{
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    mt_hash salt;
    mt_hash commitment;
    mt_hash plain;
    MT_TRY(mt_json_parse(answer, &j, NULL));
    MT_TRY(mt_json_hex(j, "salt", (mt_span){salt.b, sizeof salt.b}));
    MT_TRY(mt_json_hex(j, "commitment", (mt_span){commitment.b, sizeof commitment.b}));
    mt_hasher_end(t->hasher, &plain);
    MT_REQUIRE(mt_commitment_holds(&salt, t->size_bytes, &plain, &commitment), MT_E_PROOF,
               "commitment: the node committed to something else than was sent");
    return MT_OK;
}

MT_ERR mt_transfer_put(struct mt_transfer *t, struct mt_client *c, const char *name,
                       struct mt_buf *answer, uint32_t *status)
{
    char target[128];
    struct mt_answer a;
    (void)snprintf(target, sizeof target, "/data?name=%.64s", name);
    const struct mt_call call = {.method = MT_HTTP_POST,
                                 .target = target,
                                 .source = read_file,
                                 .source_state = t,
                                 .source_len = t->size_bytes};
    mt_err e = mt_client_call(c, &call, &a);
    show_bar(t, true);
    *answer = a.body;
    *status = a.status;
    MT_TRY(e);
    return a.status < 400 ? check_put(t, mt_buf_bytes(&a.body)) : MT_OK;
}

static mt_err write_file(void *state, mt_bytes bytes)
{
    struct mt_transfer *t = state;
    mt_hasher_add(t->hasher, bytes);
    t->done_bytes += bytes.len;
    while (bytes.len > 0) {
        ssize_t n = write(t->fd, bytes.ptr, bytes.len);
        MT_REQUIRE(n > 0 || (n < 0 && errno == EINTR), MT_E_IO, "the file cannot be written");
        bytes = n > 0 ? (mt_bytes){bytes.ptr + n, bytes.len - (size_t)n} : bytes;
    }
    return MT_OK;
}

static MT_ERR get_part(struct mt_transfer *t, struct mt_client *c, const struct mt_call *asked,
                       struct mt_answer *out)
{
    struct mt_call call = *asked;
    mt_hash plain;
    call.sink = write_file;
    call.sink_state = t;
    MT_TRY(mt_client_call(c, &call, out));
    if (out->status != 200) {
        return MT_OK;
    }
    mt_hasher_end(t->hasher, &plain);
    MT_REQUIRE(!out->has_object ||
                   mt_commitment_holds(&out->salt, t->done_bytes, &plain, &out->commitment),
               MT_E_PROOF, "commitment: what arrived is not what was committed to");
    MT_REQUIRE(fsync(t->fd) == 0, MT_E_IO, "the file cannot be written");
    return MT_OK;
}

MT_ERR mt_transfer_get(struct mt_client *c, const char *target, const char *path, bool has_bar,
                       struct mt_answer *out)
{
    const struct mt_call call = {.method = MT_HTTP_GET, .target = target};
    return mt_transfer_fetch(c, &call, path, has_bar, out);
}

MT_ERR mt_transfer_fetch(struct mt_client *c, const struct mt_call *call, const char *path,
                         bool has_bar, struct mt_answer *out)
{
    char part[MT_PATH_MAX];
    struct mt_transfer t = {.has_bar = has_bar, .started_ms = ticks_ms()};
    *out = (struct mt_answer){.body = mt_buf_of_max(0)};
    int len = snprintf(part, sizeof part, "%s.part", path);
    MT_REQUIRE(len > 0 && (size_t)len < sizeof part, MT_E_ARG, "a path is too long");
    (void)unlink(part);
    t.fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    MT_REQUIRE(t.fd >= 0, MT_E_IO, "the file cannot be written");
    mt_err e = mt_hasher_new(&t.hasher);
    e = mt_failed(e) ? e : get_part(&t, c, call, out);
    bool is_whole = !mt_failed(e) && out->status == 200 && rename(part, path) == 0;
    if (!is_whole) {
        (void)unlink(part);
    }
    mt_transfer_close(&t);
    return e;
}
