/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { TIMEOUT_S = 60, HOST_MAX = 256 };

/* Whom a signal handler cuts: the newest connection of the process. */
static volatile sig_atomic_t newest = -1;
static volatile sig_atomic_t is_interrupted;

/* The flag alone would be lost between a look at it and the call that waits. */
void mt_socket_interrupt(void)
{
    is_interrupted = 1;
    if (newest >= 0) {
        (void)shutdown(newest, SHUT_RDWR);
    }
}

static MT_ERR check_interrupted(void)
{
    MT_REQUIRE(!is_interrupted, MT_E_CANCELLED, "interrupted");
    return MT_OK;
}

static MT_ERR split(const char *address, char host[HOST_MAX], const char **port)
{
    const char *colon = strrchr(address, ':');
    MT_REQUIRE(colon != NULL && colon[1] != '\0', MT_E_ARG, "an address is HOST:PORT");
    size_t len = (size_t)(colon - address);
    bool is_v6 = len > 2 && address[0] == '[' && address[len - 1] == ']';
    const char *from = is_v6 ? address + 1 : address;
    len -= is_v6 ? 2 : 0;
    MT_REQUIRE(len > 0 && len < HOST_MAX, MT_E_ARG, "an address is HOST:PORT");
    memcpy(host, from, len);
    host[len] = '\0';
    *port = colon + 1;
    return MT_OK;
}

static int connect_to(const struct addrinfo *a)
{
    static const int yes = 1;
    static const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

MT_ERR mt_socket_connect(const char *address, int *out)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char host[HOST_MAX];
    const char *port = NULL;
    int fd = -1;
    MT_TRY(split(address, host, &port));
    MT_REQUIRE(getaddrinfo(host, port, &hints, &list) == 0, MT_E_CLOSED,
               "the node's name cannot be looked up");
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
        fd = connect_to(a);
    }
    freeaddrinfo(list);
    newest = fd; /* before the look at the flag: a signal after it knows whom to cut */
    mt_err e = check_interrupted();
    if (mt_failed(e)) {
        mt_socket_close(&fd);
        return e;
    }
    MT_REQUIRE(fd >= 0, MT_E_CLOSED, "the node cannot be reached");
    *out = fd;
    return MT_OK;
}

MT_ERR mt_socket_read(int fd, mt_span out, size_t *got)
{
    ssize_t n = 0;
    do {
        n = recv(fd, out.ptr, out.len, 0);
    } while (n < 0 && errno == EINTR && !is_interrupted);
    MT_TRY(check_interrupted());
    MT_REQUIRE(n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK), MT_E_CLOSED,
               "the node does not answer");
    MT_REQUIRE(n >= 0, MT_E_CLOSED, "the connection broke");
    *got = (size_t)n;
    return MT_OK;
}

MT_ERR mt_socket_write(int fd, mt_bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        MT_TRY(check_interrupted());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        MT_REQUIRE(n > 0, MT_E_CLOSED, "the connection broke");
        bytes = (mt_bytes){bytes.ptr + n, bytes.len - (size_t)n};
    }
    return MT_OK;
}

void mt_socket_close(int *fd)
{
    if (*fd >= 0) {
        newest = newest == *fd ? -1 : newest;
        (void)close(*fd);
        *fd = -1;
    }
}
