/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

enum { WIDTH = 28, EVERY_MS = 100, PERCENT = 100, COUNTED_MAX = 1 << 30 };

static uint64_t ticks_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void put_size(uint64_t bytes, const char *after)
{
    enum { TENTHS = 10 };
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    uint64_t tenths = bytes > UINT64_MAX / TENTHS ? UINT64_MAX : bytes * TENTHS;
    size_t u = 0;
    for (; tenths >= (uint64_t)1024 * TENTHS && u + 1 < sizeof units / sizeof *units; u++) {
        tenths /= 1024;
    }
    (void)fprintf(stderr, "%4llu.%llu %s%s", (unsigned long long)(tenths / TENTHS),
                  (unsigned long long)(tenths % TENTHS), units[u], after);
}

static void put_left(uint64_t spent_ms, uint64_t done, uint64_t all)
{
    enum { SECOND_MS = 1000, MINUTE_S = 60 };
    if (done > 0) {
        uint64_t s = spent_ms * (all - done) / done / SECOND_MS;
        (void)fprintf(stderr, "%3llu:%02llu left", (unsigned long long)(s / MINUTE_S),
                      (unsigned long long)(s % MINUTE_S));
    }
}

static void draw(const struct mt_cli_bar *b, uint64_t done, uint64_t all)
{
    uint64_t spent = ticks_ms() - b->started_ms + 1;
    (void)fputs("\r\033[K", stderr);
    if (all > 0) {
        uint64_t part = done < all ? done * PERCENT / all : PERCENT;
        int filled = (int)(part * WIDTH / PERCENT);
        (void)fprintf(stderr, "[%.*s%*s] %3llu %%  ", filled,
                      "============================", WIDTH - filled, "", (unsigned long long)part);
    }
    if (b->is_bytes) {
        put_size(done, "  ");
        put_size(done * 1000 / spent, "/s  ");
    }
    if (all > done) {
        put_left(spent, done, all);
    }
    (void)fflush(stderr);
}

static void tell(void *state, uint64_t done, uint64_t all)
{
    struct mt_cli_bar *b = state;
    uint64_t now = ticks_ms();
    bool is_last = all > 0 && done == all;
    if (b->has_shown && !is_last && now - b->shown_ms < EVERY_MS) {
        return;
    }
    b->has_shown = true;
    b->shown_ms = now;
    while (!b->is_bytes && (all | done) > COUNTED_MAX) { /* steps of any size: a share is shown */
        all >>= 1;
        done >>= 1;
    }
    draw(b, done, all);
}

struct mt_progress mt_cli_bar_begin(const struct mt_cli *c, struct mt_cli_bar *bar, bool is_bytes)
{
    bool is_wanted = !c->is_json && isatty(STDERR_FILENO) == 1;
    *bar = (struct mt_cli_bar){.is_bytes = is_bytes, .started_ms = ticks_ms()};
    return is_wanted ? (struct mt_progress){tell, bar} : (struct mt_progress){NULL, NULL};
}

void mt_cli_bar_end(struct mt_cli_bar *bar)
{
    if (bar->has_shown) {
        (void)fputc('\n', stderr);
        bar->has_shown = false;
    }
}
