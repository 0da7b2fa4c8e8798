/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_NET_TEST_H
#define MT_SERVER_NET_TEST_H

#include "jobs/world_test.h"
#include "platform/net.h"

/*
 * Sockets and watches without a kernel, beside the loop of jobs/loop_test.h: a descriptor is a
 * number below LINES, a line has two directions, and nothing arrives but when a test says so.
 */
enum { LINES = 200, NET_NOWHERE = -1 };

struct line {
    bool is_open;   /* at the server's end */
    bool has_ended; /* the server writes no more */
    bool is_gone;   /* the peer: nothing more will come */
    bool is_reset;  /* and nothing arrives there */
    size_t room;    /* bytes that the peer lets lie unread */
    struct mt_buf to_server;
    struct mt_buf from_server;
    struct mt_watch *watch;
};
static struct line lines[LINES];
static int net_calling[LINES]; /* who has dialled, and is not accepted yet */
static size_t net_calls;
static bool net_has_no_descriptors;

static inline int net_dial(void)
{
    for (int i = 0; i < LINES; i++) {
        struct line *l = &lines[i];
        if (!l->is_open && l->from_server.max == 0) {
            *l = (struct line){.is_open = true, .room = SIZE_MAX / 4};
            l->to_server = mt_buf_of_max(SIZE_MAX / 4);
            l->from_server = mt_buf_of_max(SIZE_MAX / 4);
            return i;
        }
    }
    MT_ASSERT(false);
    return NET_NOWHERE;
}

static inline void net_forget(int fd)
{
    mt_buf_free(&lines[fd].to_server);
    mt_buf_free(&lines[fd].from_server);
    lines[fd] = (struct line){.is_open = false};
}

MT_ERR mt_net_read(int fd, mt_span out, size_t *got)
{
    struct line *l = &lines[fd];
    MT_ASSERT(l->is_open);
    MT_REQUIRE(!l->is_reset, MT_E_CLOSED, "reset, says the test");
    MT_REQUIRE(l->to_server.len > 0 || l->is_gone, MT_E_BUSY, "nothing, says the test");
    size_t len = out.len < l->to_server.len ? out.len : l->to_server.len;
    if (len > 0) {
        memcpy(out.ptr, l->to_server.ptr, len);
        mt_buf_drop(&l->to_server, len);
    }
    *got = len;
    return MT_OK;
}

MT_ERR mt_net_write(int fd, mt_bytes bytes, size_t *taken)
{
    struct line *l = &lines[fd];
    MT_ASSERT(l->is_open);
    MT_ASSERT(!l->has_ended);
    MT_REQUIRE(!l->is_reset, MT_E_CLOSED, "reset, says the test");
    size_t room = l->from_server.len < l->room ? l->room - l->from_server.len : 0;
    MT_REQUIRE(room > 0, MT_E_BUSY, "full, says the test");
    *taken = bytes.len < room ? bytes.len : room;
    return mt_buf_append(&l->from_server, (mt_bytes){bytes.ptr, *taken});
}

void mt_net_end(int fd)
{
    lines[fd].has_ended = true;
}

void mt_net_close(int *fd)
{
    if (*fd >= 0) {
        lines[*fd].is_open = false;
        *fd = NET_NOWHERE;
    }
}

MT_ERR mt_net_listen(const char *address, int *fd)
{
    MT_REQUIRE(address[0] != 'x', MT_E_ARG, "not an address, says the test");
    *fd = net_dial();
    return MT_OK;
}

MT_ERR mt_net_listen_unix(const char *path, int *fd)
{
    return mt_net_listen(path, fd);
}

MT_ERR mt_net_port(int fd, uint16_t *out)
{
    *out = (uint16_t)(7700 + fd);
    return MT_OK;
}

MT_ERR mt_net_accept(int listener, int *fd)
{
    (void)listener;
    MT_REQUIRE(net_calls > 0, MT_E_BUSY, "nobody waits");
    MT_REQUIRE(!net_has_no_descriptors, MT_E_LIMIT, "no descriptors, says the test");
    *fd = net_calling[--net_calls];
    return MT_OK;
}

MT_ERR mt_watch_begin(struct mt_loop *l, struct mt_watch *w, int fd, unsigned events)
{
    (void)l;
    w->fd = fd;
    w->wanted = events;
    lines[fd].watch = w;
    return MT_OK;
}

MT_ERR mt_watch_change(struct mt_loop *l, struct mt_watch *w, unsigned events)
{
    (void)l;
    w->wanted = events;
    return MT_OK;
}

void mt_watch_end(struct mt_loop *l, struct mt_watch *w)
{
    (void)l;
    if (w->fd >= 0 && lines[w->fd].watch == w) {
        lines[w->fd].watch = NULL;
    }
}

/* What epoll would say of a line: level by level, and hang-ups to those too who have not asked. */
static inline unsigned net_events(const struct line *l)
{
    if (l->watch == NULL) {
        return 0;
    }
    if (l->is_reset) {
        return MT_WATCH_READ | MT_WATCH_WRITE;
    }
    unsigned there = (l->to_server.len > 0 || l->is_gone ? MT_WATCH_READ : 0U) |
                     (l->from_server.len < l->room ? MT_WATCH_WRITE : 0U);
    return there & l->watch->wanted;
}

/* Until nothing moves; the disk stands still. */
static inline void net_spin(void)
{
    enum { TURNS_MAX = 100000 };
    bool has_moved = true;
    for (int turns = 0; has_moved; turns++) {
        MT_ASSERT(turns < TURNS_MAX); /* else the loop would spin for ever */
        has_moved = false;
        run_posted();
        for (int i = 0; i < LINES; i++) {
            unsigned events = net_events(&lines[i]);
            if (events != 0) {
                has_moved = true;
                lines[i].watch->ready(lines[i].watch, events);
            }
        }
    }
}

#endif
