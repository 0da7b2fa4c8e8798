/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * echo HOME CONTEXT TASK: from the request to run an approved task until the news that its result
 * is there and durable, as a client on the same machine sees it: the node's own time, and one way
 * through the loopback device more than that. One connection watches, another asks.
 *
 * Says "ready". For each line of input, which is a number, it runs the task so often, one after
 * another, and says the median and the 99th percentile in microseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "crypto/context.h"
#include "mesatee/client.h"
#include "mesatee/context.h"
#include "platform/process.h"

enum { RUNS_MAX = 10000, TARGET_MAX = 128 };

struct echo {
    struct mt_context *context;
    struct mt_client *asker;
    struct mt_client *watcher;
    char runs[TARGET_MAX];
};

static void begin(struct echo *e, char **argv)
{
    struct mt_home home;
    struct mt_answer a;
    char events[TARGET_MAX];
    OK(mt_home_open(argv[1], &home));
    OK(mt_context_load(&home, argv[2], &e->context));
    OK(mt_context_connect(e->context, &e->asker));
    OK(mt_context_connect(e->context, &e->watcher));
    (void)snprintf(e->runs, sizeof e->runs, "/tasks/%s/runs", argv[3]);
    (void)snprintf(events, sizeof events, "/tasks/%s/events", argv[3]);
    const struct mt_call watch = {.method = MT_HTTP_GET, .target = events};
    OK(mt_client_call(e->watcher, &watch, &a));
    MT_ASSERT(a.status == 200);
    mt_buf_free(&a.body);
}

/* The watcher is also told what others did, and of what was before it came: of transaction `txid`
 * and those before it nothing is news. */
static void await_result(struct echo *e, uint64_t txid)
{
    struct mt_buf event = mt_buf_of_max(MT_JSON_BYTES_MAX);
    bool is_done = false;
    while (!is_done) {
        uint64_t at = 0;
        OK(mt_client_next_event(e->watcher, &event, &at));
        is_done = at > txid && memmem(event.ptr, event.len, "run-done", 8) != NULL;
        MT_ASSERT(at <= txid || is_done);
    }
    mt_buf_free(&event);
}

static uint64_t run_once(struct echo *e)
{
    struct mt_answer a;
    uint64_t began = bench_now_ns(CLOCK_MONOTONIC);
    const struct mt_call run = {.method = MT_HTTP_POST, .target = e->runs};
    OK(mt_client_call(e->asker, &run, &a));
    MT_ASSERT(a.status == 202);
    await_result(e, a.txid);
    mt_buf_free(&a.body);
    return bench_now_ns(CLOCK_MONOTONIC) - began;
}

static int by_size(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y ? 1 : 0;
}

static void turn(struct echo *e, size_t count)
{
    static uint64_t took_ns[RUNS_MAX];
    MT_ASSERT(count > 0 && count <= RUNS_MAX);
    for (size_t i = 0; i < count; i++) {
        took_ns[i] = run_once(e);
    }
    qsort(took_ns, count, sizeof *took_ns, by_size);
    (void)printf("%llu %llu\n", (unsigned long long)took_ns[count / 2] / 1000,
                 (unsigned long long)took_ns[count * 99 / 100] / 1000);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct echo e;
    char line[64];
    MT_ASSERT(argc == 4);
    OK(mt_crypto_init(mt_process_entropy, NULL));
    begin(&e, argv);
    (void)puts("ready");
    (void)fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        turn(&e, strtoul(line, NULL, 10));
    }
    mt_client_close(&e.asker);
    mt_client_close(&e.watcher);
    mt_context_free(&e.context);
    mt_crypto_done();
    return 0;
}
