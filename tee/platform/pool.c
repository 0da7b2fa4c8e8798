/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/assert.h"
#include "platform/loop.h"

struct mt_pool {
    struct mt_loop *loop;
    size_t threads_count;
    size_t queue_max;
    pthread_t *threads;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct mt_work *first;
    struct mt_work **end;
    size_t waiting;
    bool is_ending;
};

static struct mt_work *take(struct mt_pool *p)
{
    (void)pthread_mutex_lock(&p->lock);
    while (p->first == NULL && !p->is_ending) {
        (void)pthread_cond_wait(&p->changed, &p->lock);
    }
    struct mt_work *w = p->is_ending ? NULL : p->first;
    if (w != NULL) {
        p->first = w->next;
        if (p->first == NULL) {
            p->end = &p->first;
        }
        p->waiting--;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return w;
}

static void *work(void *state)
{
    struct mt_pool *p = state;
    for (struct mt_work *w = take(p); w != NULL; w = take(p)) {
        mt_loop_post(p->loop, w, w->run(w));
    }
    return NULL;
}

/* Signals are the loop's business. */
static bool start_thread(struct mt_pool *p, pthread_t *thread)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, work, p);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0;
}

MT_ERR mt_pool_new(struct mt_loop *loop, const char *name, size_t threads, size_t queue_max,
                   struct mt_pool **out)
{
    struct mt_pool *p = calloc(1, sizeof *p);
    MT_REQUIRE(p != NULL, MT_E_NOMEM, "no memory for threads");
    p->loop = loop;
    p->queue_max = queue_max;
    p->end = &p->first;
    p->threads = calloc(threads, sizeof *p->threads);
    bool ok = p->threads != NULL && pthread_mutex_init(&p->lock, NULL) == 0 &&
              pthread_cond_init(&p->changed, NULL) == 0;
    while (ok && p->threads_count < threads) {
        ok = start_thread(p, &p->threads[p->threads_count]);
        if (ok) {
            (void)pthread_setname_np(p->threads[p->threads_count], name);
            p->threads_count++;
        }
    }
    if (!ok) {
        mt_pool_free(&p);
        MT_FAIL(MT_E_LIMIT, "the kernel gives us no threads");
    }
    *out = p;
    return MT_OK;
}

MT_ERR mt_pool_submit(struct mt_pool *p, struct mt_work *w)
{
    w->next = NULL;
    (void)pthread_mutex_lock(&p->lock);
    bool has_room = p->waiting < p->queue_max && !p->is_ending;
    if (has_room) {
        *p->end = w;
        p->end = &w->next;
        p->waiting++;
    }
    (void)pthread_mutex_unlock(&p->lock);
    if (has_room) { /* behind the lock: who wakes wants it at once */
        (void)pthread_cond_signal(&p->changed);
    }
    MT_REQUIRE(has_room, MT_E_BUSY, "too much work is waiting");
    return MT_OK;
}

size_t mt_pool_waiting(struct mt_pool *p)
{
    (void)pthread_mutex_lock(&p->lock);
    size_t waiting = p->waiting;
    (void)pthread_mutex_unlock(&p->lock);
    return waiting;
}

void mt_pool_free(struct mt_pool **pp)
{
    static const struct mt_fault closed = {MT_E_CLOSED, __LINE__, __FILE__, "the node is stopping"};
    struct mt_pool *p = *pp;
    if (p == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&p->lock);
    p->is_ending = true;
    (void)pthread_cond_broadcast(&p->changed);
    (void)pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->threads_count; i++) {
        int rc = pthread_join(p->threads[i], NULL);
        MT_ASSERT(rc == 0);
    }
    struct mt_work *next = NULL;
    for (struct mt_work *w = p->first; w != NULL; w = next) {
        next = w->next;
        mt_loop_post(p->loop, w, (mt_err){&closed});
    }
    (void)pthread_cond_destroy(&p->changed);
    (void)pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free(p);
    *pp = NULL;
}
