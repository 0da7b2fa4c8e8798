/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of curl's manual, EXIT CODES; and what a shell says of a program that is not there. */
enum { CURL_CUT = 18, CURL_TOO_LARGE = 63, NO_PROGRAM = 127 };

void mt_fetched_free(struct mt_fetched *f)
{
    mt_buf_free(&f->all);
}

static void become_curl(const char *url, size_t body_max, int to)
{
    char max[24];
    (void)snprintf(max, sizeof max, "%zu", body_max);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0 && dup2(null, 0) == 0 && dup2(to, 1) == 1 && dup2(null, 2) == 2) {
        /* -q comes first: no .curlrc. */
        (void)execlp("curl", "curl", "-q", "--globoff", "--silent", "--include", "--http1.1",
                     "--suppress-connect-headers", "--proto", "=http,https", "--max-redirs", "0",
                     "--max-filesize", max, "--connect-timeout", "15", "--max-time", "120", "--url",
                     url, (char *)NULL);
    }
    _exit(NO_PROGRAM);
}

static MT_ERR read_all(int fd, struct mt_buf *out)
{
    ssize_t n = 1;
    while (n > 0) {
        mt_span room;
        size_t left = out->max - out->len;
        MT_REQUIRE(left > 0, MT_E_LIMIT, "the server sends more than such an answer can hold");
        MT_TRY(mt_buf_reserve(out, left < 65536 ? left : 65536, &room));
        n = read(fd, room.ptr, room.len);
        n = n < 0 && errno == EINTR ? 1 : n < 0 ? 0 : ((void)(out->len += (size_t)n), n);
    }
    return MT_OK;
}

static MT_ERR fault_of(int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    MT_REQUIRE(code != NO_PROGRAM, MT_E_IO, "the program curl is not on this machine");
    MT_REQUIRE(code != CURL_CUT, MT_E_CLOSED, "the server's answer was cut short");
    MT_REQUIRE(code != CURL_TOO_LARGE, MT_E_LIMIT,
               "the server sends more than such an answer can hold");
    MT_REQUIRE(code == 0, MT_E_CLOSED, "the server cannot be reached, or its key is not believed");
    return MT_OK;
}

static MT_ERR run(const char *url, size_t body_max, struct mt_buf *out)
{
    int ends[2];
    int status = 0;
    MT_REQUIRE(pipe2(ends, O_CLOEXEC) == 0, MT_E_IO, "no pipe to the program that fetches");
    pid_t pid = fork();
    if (pid == 0) {
        become_curl(url, body_max, ends[1]);
    }
    (void)close(ends[1]);
    mt_err e = MT_OK;
    if (pid > 0) {
        e = read_all(ends[0], out);
        if (mt_failed(e)) {
            (void)kill(pid, SIGKILL);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    (void)close(ends[0]);
    MT_REQUIRE(pid > 0, MT_E_IO, "no process for the program that fetches");
    return mt_failed(e) ? e : fault_of(status);
}

/* Answers of status 1xx come before the one that counts. */
MT_ERR mt_fetch(const char *url, size_t body_max, struct mt_fetched *out)
{
    MT_DEFER(mt_fetched_free)
    struct mt_fetched f = {.all = mt_buf_of_max(body_max + 2 * MT_HTTP_HEAD_BYTES_MAX + 1)};
    bool is_whole = true;
    MT_TRY(run(url, body_max, &f.all));
    f.body = mt_buf_bytes(&f.all);
    do {
        MT_TRY(mt_http_response_parse(f.body, &f.head, &is_whole));
        MT_REQUIRE(is_whole, MT_E_CLOSED, "the server's answer was cut short");
        f.body = (mt_bytes){f.body.ptr + f.head.head_len, f.body.len - f.head.head_len};
    } while (f.head.status < 200);
    MT_REQUIRE(f.body.len <= body_max, MT_E_LIMIT,
               "the server sends more than such an answer can hold");
    *out = f;
    f.all = mt_buf_of_max(0); /* given */
    return MT_OK;
}
