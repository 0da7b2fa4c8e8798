/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, ADDRESS_MAX = 64 };

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

static MT_ERR parse_port(const char *text, uint16_t *out)
{
    uint32_t port = 0;
    MT_REQUIRE(*text != '\0' && strlen(text) <= 5, MT_E_ARG,
               "an address ends with a port: 127.0.0.1:7700 or [::1]:7700");
    for (; *text != '\0'; text++) {
        MT_REQUIRE(*text >= '0' && *text <= '9', MT_E_ARG, "a port is a number");
        port = port * 10 + (uint32_t)(*text - '0');
    }
    MT_REQUIRE(port <= UINT16_MAX, MT_E_ARG, "a port is at most 65535");
    *out = (uint16_t)port;
    return MT_OK;
}

static MT_ERR parse_address(const char *address, union any_address *out, socklen_t *len)
{
    char host[ADDRESS_MAX];
    uint16_t port = 0;
    const char *colon = strrchr(address, ':');
    MT_REQUIRE(colon != NULL, MT_E_ARG,
               "an address ends with a port: 127.0.0.1:7700 or [::1]:7700");
    MT_TRY(parse_port(colon + 1, &port));
    size_t host_len = (size_t)(colon - address);
    bool is_v6 = host_len > 2 && address[0] == '[' && address[host_len - 1] == ']';
    const char *from = is_v6 ? address + 1 : address;
    host_len -= is_v6 ? 2 : 0;
    MT_REQUIRE(host_len > 0 && host_len < sizeof host, MT_E_ARG, "an address has a numeric host");
    memcpy(host, from, host_len);
    host[host_len] = '\0';
    memset(out, 0, sizeof *out);
    if (is_v6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        *len = sizeof out->v6;
        MT_REQUIRE(inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1, MT_E_ARG,
                   "not an IPv6 address");
        return MT_OK;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(port);
    *len = sizeof out->v4;
    MT_REQUIRE(inet_pton(AF_INET, host, &out->v4.sin_addr) == 1, MT_E_ARG,
               "not an IPv4 address: names are not looked up");
    return MT_OK;
}

static MT_ERR listen_on(const union any_address *a, socklen_t len, int *out)
{
    static const int yes = 1;
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    MT_REQUIRE(fd >= 0, MT_E_LIMIT, "the kernel gives us no socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, &a->any, len) != 0 || listen(fd, BACKLOG) != 0) {
        int why = errno;
        (void)close(fd);
        MT_REQUIRE(why != EADDRINUSE, MT_E_BUSY, "the address is in use");
        MT_FAIL(MT_E_IO, "the address cannot be listened on");
    }
    *out = fd;
    return MT_OK;
}

MT_ERR mt_net_listen(const char *address, int *fd)
{
    union any_address a;
    socklen_t len = 0;
    MT_TRY(parse_address(address, &a, &len));
    return listen_on(&a, len, fd);
}

MT_ERR mt_net_listen_unix(const char *path, int *fd)
{
    union any_address a;
    struct stat st;
    memset(&a, 0, sizeof a);
    a.local.sun_family = AF_UNIX;
    MT_REQUIRE(strlen(path) < sizeof a.local.sun_path, MT_E_ARG, "a socket's path is too long");
    memcpy(a.local.sun_path, path, strlen(path));
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        (void)unlink(path);
    }
    return listen_on(&a, sizeof a.local, fd); /* the process's umask makes it 0600 */
}

MT_ERR mt_net_port(int fd, uint16_t *out)
{
    union any_address a = {.v6 = {0}};
    socklen_t len = sizeof a;
    MT_REQUIRE(getsockname(fd, &a.any, &len) == 0, MT_E_IO, "a socket has no name");
    *out = ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
    return MT_OK;
}

MT_ERR mt_net_accept(int listener, int *out)
{
    static const int yes = 1;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        MT_REQUIRE(errno != EMFILE && errno != ENFILE, MT_E_LIMIT,
                   "out of descriptors: raise RLIMIT_NOFILE");
        MT_FAIL(MT_E_BUSY, "nobody waits");
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    *out = fd;
    return MT_OK;
}

MT_ERR mt_net_wait(int fd, bool is_output, uint64_t within_ms)
{
    struct pollfd p = {.fd = fd, .events = is_output ? POLLOUT : POLLIN};
    int n = 0;
    MT_REQUIRE(within_ms <= INT32_MAX, MT_E_ARG, "a wait is too long");
    do {
        n = poll(&p, 1, (int)within_ms);
    } while (n < 0 && errno == EINTR);
    MT_REQUIRE(n > 0, MT_E_CLOSED, "the peer does not answer in time");
    return MT_OK;
}

static MT_ERR finish_connecting(int fd, uint64_t within_ms)
{
    int why = 0;
    socklen_t len = sizeof why;
    MT_TRY(mt_net_wait(fd, true, within_ms));
    MT_REQUIRE(getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) == 0 && why == 0, MT_E_CLOSED,
               "the peer cannot be reached");
    return MT_OK;
}

MT_ERR mt_net_connect(const char *address, uint64_t within_ms, int *out)
{
    static const int yes = 1;
    union any_address a;
    socklen_t len = 0;
    MT_TRY(parse_address(address, &a, &len));
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    MT_REQUIRE(fd >= 0, MT_E_LIMIT, "the kernel gives us no socket");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    bool is_begun = connect(fd, &a.any, len) == 0 || errno == EINPROGRESS;
    static const struct mt_fault nobody = {MT_E_CLOSED, __LINE__, __FILE__,
                                           "the peer cannot be reached"};
    mt_err e = is_begun ? finish_connecting(fd, within_ms) : (mt_err){&nobody};
    if (mt_failed(e)) {
        (void)close(fd);
        return e;
    }
    *out = fd;
    return MT_OK;
}

MT_ERR mt_net_read(int fd, mt_span out, size_t *got)
{
    ssize_t n = 0;
    do {
        n = recv(fd, out.ptr, out.len, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        MT_REQUIRE(errno != EAGAIN && errno != EWOULDBLOCK, MT_E_BUSY, "nothing has arrived");
        MT_FAIL(MT_E_CLOSED, "the connection broke");
    }
    *got = (size_t)n;
    return MT_OK;
}

MT_ERR mt_net_write(int fd, mt_bytes bytes, size_t *taken)
{
    ssize_t n = 0;
    do {
        n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        MT_REQUIRE(errno != EAGAIN && errno != EWOULDBLOCK, MT_E_BUSY,
                   "the peer does not take more");
        MT_FAIL(MT_E_CLOSED, "the connection broke");
    }
    *taken = (size_t)n;
    return MT_OK;
}

void mt_net_end(int fd)
{
    (void)shutdown(fd, SHUT_WR);
}

void mt_net_close(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}
