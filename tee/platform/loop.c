/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

enum { EVENTS_PER_TURN = 256, IDLE_MS = 1000, WHEEL_SLOTS = 1024, WHEEL_MS = 16 };

/*
 * Timers lie in a wheel of slots by their due time: setting and clearing one, which every request
 * does, is O(1). A slot also holds timers of later rounds, which are passed over.
 */
struct mt_loop {
    int epoll;
    int wakes[2]; /* a pipe, for not every kernel under us has eventfd(2): read, write */
    bool is_stopping;
    uint64_t ticks_ms;
    uint64_t wheel_ms; /* everything due before this has run */
    size_t timers_count;
    struct mt_timer *wheel[WHEEL_SLOTS];
    void (*turn_end)(void *state);
    void *turn_end_state;
    pthread_mutex_t lock;
    struct epoll_event events[EVENTS_PER_TURN]; /* of this turn */
    int events_count;
    int events_at;          /* the next one to run */
    struct mt_work *posted; /* under the lock; oldest first */
    struct mt_work **posted_end;
};

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec t;
    int rc = clock_gettime(clock, &t);
    MT_ASSERT(rc == 0);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

MT_ERR mt_loop_new(struct mt_loop **out)
{
    struct mt_loop *l = calloc(1, sizeof *l);
    MT_REQUIRE(l != NULL, MT_E_NOMEM, "no memory for the loop");
    l->posted_end = &l->posted;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = l};
    bool has_wakes = pipe2(l->wakes, O_CLOEXEC | O_NONBLOCK) == 0;
    bool ok = l->epoll >= 0 && has_wakes &&
              epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->wakes[0], &ev) == 0 &&
              pthread_mutex_init(&l->lock, NULL) == 0;
    if (!ok) {
        (void)(has_wakes && (close(l->wakes[0]) == 0) && (close(l->wakes[1]) == 0));
        (void)(l->epoll >= 0 && close(l->epoll) == 0);
        free(l);
        MT_FAIL(MT_E_LIMIT, "the kernel gives us no event loop");
    }
    l->ticks_ms = clock_ms(CLOCK_MONOTONIC);
    l->wheel_ms = l->ticks_ms;
    *out = l;
    return MT_OK;
}

void mt_loop_free(struct mt_loop **l)
{
    if (*l != NULL) {
        (void)close((*l)->epoll);
        (void)close((*l)->wakes[0]);
        (void)close((*l)->wakes[1]);
        (void)pthread_mutex_destroy(&(*l)->lock);
        free(*l);
        *l = NULL;
    }
}

uint64_t mt_loop_ticks_ms(const struct mt_loop *loop)
{
    return loop->ticks_ms;
}

uint64_t mt_loop_host_time_ms(const struct mt_loop *loop)
{
    (void)loop;
    return clock_ms(CLOCK_REALTIME);
}

void mt_loop_set_turn_end(struct mt_loop *loop, void (*run)(void *state), void *state)
{
    loop->turn_end = run;
    loop->turn_end_state = state;
}

static struct mt_timer **slot_of(struct mt_loop *loop, uint64_t due_ms)
{
    return &loop->wheel[due_ms / WHEEL_MS % WHEEL_SLOTS];
}

void mt_timer_clear(struct mt_loop *loop, struct mt_timer *t)
{
    if (!t->is_set) {
        return;
    }
    if (t->previous != NULL) {
        t->previous->next = t->next;
    } else {
        *slot_of(loop, t->due_ms) = t->next;
    }
    if (t->next != NULL) {
        t->next->previous = t->previous;
    }
    t->is_set = false;
    loop->timers_count--;
}

void mt_timer_set(struct mt_loop *loop, struct mt_timer *t, uint64_t after_ms)
{
    mt_timer_clear(loop, t);
    t->due_ms = loop->ticks_ms + after_ms;
    struct mt_timer **slot = slot_of(loop, t->due_ms);
    t->previous = NULL;
    t->next = *slot;
    if (t->next != NULL) {
        t->next->previous = t;
    }
    *slot = t;
    t->is_set = true;
    loop->timers_count++;
}

static void run_slot(struct mt_loop *loop, struct mt_timer **slot)
{
    struct mt_timer *t = *slot;
    while (t != NULL) {
        if (t->due_ms <= loop->ticks_ms) {
            mt_timer_clear(loop, t);
            t->run(t);
            t = *slot; /* whatever it did to the list: begin anew */
        } else {
            t = t->next;
        }
    }
}

static void run_timers(struct mt_loop *loop)
{
    uint64_t from = loop->wheel_ms / WHEEL_MS;
    uint64_t to = loop->ticks_ms / WHEEL_MS;
    if (to - from >= WHEEL_SLOTS) {
        from = to - WHEEL_SLOTS + 1;
    }
    for (uint64_t i = from; i <= to && loop->timers_count > 0; i++) {
        run_slot(loop, &loop->wheel[i % WHEEL_SLOTS]);
    }
    loop->wheel_ms = loop->ticks_ms;
}

/* Long enough to sleep, short enough not to miss a slot that has a timer. */
static int sleep_ms(const struct mt_loop *loop)
{
    if (loop->timers_count == 0) {
        return IDLE_MS;
    }
    uint64_t now = loop->ticks_ms / WHEEL_MS;
    for (uint64_t i = 0; i < IDLE_MS / WHEEL_MS; i++) {
        for (const struct mt_timer *t = loop->wheel[(now + i) % WHEEL_SLOTS]; t != NULL;
             t = t->next) {
            if (t->due_ms / WHEEL_MS <= now + i) {
                return t->due_ms > loop->ticks_ms ? (int)(t->due_ms - loop->ticks_ms) : 0;
            }
        }
    }
    return IDLE_MS;
}

/* First the bytes, then the works: who posts between the two wakes the loop once for nothing, and
 * never too seldom. What one read leaves is still to be read at the next turn. */
static void run_posted(struct mt_loop *loop)
{
    uint8_t bytes[64];
    ssize_t n = read(loop->wakes[0], bytes, sizeof bytes);
    (void)n; /* a turn without a byte is one too many, no more */
    (void)pthread_mutex_lock(&loop->lock);
    struct mt_work *w = loop->posted;
    loop->posted = NULL;
    loop->posted_end = &loop->posted;
    (void)pthread_mutex_unlock(&loop->lock);
    while (w != NULL) {
        struct mt_work *next = w->next; /* done() may free it */
        w->done(w, w->result);
        w = next;
    }
}

void mt_loop_post(struct mt_loop *loop, struct mt_work *w, mt_err e)
{
    static const uint8_t one = 1;
    w->result = e;
    w->next = NULL;
    (void)pthread_mutex_lock(&loop->lock);
    bool is_first = loop->posted == NULL; /* else who came first has woken it, or is about to */
    *loop->posted_end = w;
    loop->posted_end = &w->next;
    (void)pthread_mutex_unlock(&loop->lock);
    if (is_first) {
        ssize_t n = write(loop->wakes[1], &one, sizeof one);
        (void)n; /* a full pipe wakes as well */
    }
}

/* A handler may end any watch: mt_watch_end() takes away what is still to come for it. Or change
 * it: what a watch does not want any more it is not told, unless the descriptor is broken. Works
 * that are done come last, so that a write that has ended finds all requests that came meanwhile.
 */
static void run_events(struct mt_loop *loop)
{
    bool is_woken = false;
    while (loop->events_at < loop->events_count) {
        struct epoll_event ev = loop->events[loop->events_at++];
        struct mt_watch *w = ev.data.ptr;
        if (ev.data.ptr == loop) {
            is_woken = true;
        } else if (w != NULL) {
            unsigned got = ((ev.events & EPOLLIN) != 0 ? MT_WATCH_READ : 0U) |
                           ((ev.events & EPOLLOUT) != 0 ? MT_WATCH_WRITE : 0U);
            bool is_broken = (ev.events & (EPOLLERR | EPOLLHUP)) != 0;
            got = is_broken ? MT_WATCH_READ | MT_WATCH_WRITE : got & w->wanted;
            if (got != 0) {
                w->ready(w, got);
            }
        }
    }
    if (is_woken) {
        run_posted(loop);
    }
}

MT_ERR mt_loop_run(struct mt_loop *loop)
{
    while (!loop->is_stopping) {
        int count = epoll_wait(loop->epoll, loop->events, EVENTS_PER_TURN, sleep_ms(loop));
        MT_REQUIRE(count >= 0 || errno == EINTR, MT_E_IO, "the event loop failed");
        loop->events_at = 0;
        loop->events_count = count > 0 ? count : 0;
        loop->ticks_ms = clock_ms(CLOCK_MONOTONIC);
        run_events(loop);
        run_timers(loop);
        if (loop->turn_end != NULL) {
            loop->turn_end(loop->turn_end_state);
        }
    }
    return MT_OK;
}

void mt_loop_stop(struct mt_loop *loop)
{
    loop->is_stopping = true;
}

static uint32_t epoll_events(unsigned events)
{
    return ((events & MT_WATCH_READ) != 0 ? (uint32_t)EPOLLIN : 0U) |
           ((events & MT_WATCH_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0U);
}

MT_ERR mt_watch_begin(struct mt_loop *loop, struct mt_watch *w, int fd, unsigned events)
{
    struct epoll_event ev = {.events = epoll_events(events), .data.ptr = w};
    MT_REQUIRE(epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &ev) == 0, MT_E_LIMIT,
               "the kernel watches no more descriptors for us");
    w->fd = fd;
    w->wanted = events;
    return MT_OK;
}

MT_ERR mt_watch_change(struct mt_loop *loop, struct mt_watch *w, unsigned events)
{
    struct epoll_event ev = {.events = epoll_events(events), .data.ptr = w};
    if (w->wanted == events) {
        return MT_OK;
    }
    MT_REQUIRE(epoll_ctl(loop->epoll, EPOLL_CTL_MOD, w->fd, &ev) == 0, MT_E_IO,
               "the kernel lost a descriptor");
    w->wanted = events;
    return MT_OK;
}

void mt_watch_end(struct mt_loop *loop, struct mt_watch *w)
{
    (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, w->fd, NULL);
    for (int i = loop->events_at; i < loop->events_count; i++) {
        if (loop->events[i].data.ptr == w) {
            loop->events[i].data.ptr = NULL;
        }
    }
}
