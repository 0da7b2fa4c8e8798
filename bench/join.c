/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * private-join-and-compute over three tables made from a seed: join_bench [ROWS [FOLDER]]. Prints
 * the best of five runs; with a folder it also writes the tables and the result there, for a peer
 * to read the same (bench/). Each table holds three quarters of the keys, in an order of its own.
 */
#include "compute/columns/function.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/assert.h"

enum { TABLES = 3, LINE_MAX_BYTES = 64, ROUNDS = 5 };

struct table {
    uint8_t *bytes;
    size_t len;
    size_t at;
};

struct bench {
    struct table tables[TABLES];
    uint64_t peak;
    uint8_t out[4096];
    size_t out_len;
};

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static int line(char *out, uint32_t table, uint32_t key)
{
    uint64_t r = mix((uint64_t)table << 32 | key);
    uint32_t id = (uint32_t)(mix(key) % 1000000000);
    switch (table) {
    case 0:
        return snprintf(out, LINE_MAX_BYTES, "user%09u.%u@example.com,%u.%02u\n", id, key,
                        (uint32_t)(r >> 40) % 10000, (uint32_t)(r >> 20) % 100);
    case 1:
        return snprintf(out, LINE_MAX_BYTES, "user%09u.%u@example.com,segment-%u\n", id, key,
                        (uint32_t)(r >> 40) % 12);
    default:
        return snprintf(out, LINE_MAX_BYTES, "user%09u.%u@example.com,%u\n", id, key,
                        (uint32_t)(r >> 40) % 500);
    }
}

static const char *const headers[TABLES] = {"email,spend\n", "email,segment\n", "email,visits\n"};

static void make(struct table *t, uint32_t table, uint32_t rows)
{
    uint32_t universe = rows / 3 * 4;
    uint32_t *keys = calloc(universe, sizeof *keys);
    t->bytes = malloc((size_t)LINE_MAX_BYTES * universe);
    MT_ASSERT(keys != NULL);
    MT_ASSERT(t->bytes != NULL);
    for (uint32_t i = 0; i < universe; i++) {
        uint32_t j = (uint32_t)(mix((uint64_t)i << 8 | table) % (i + 1));
        keys[i] = keys[j];
        keys[j] = i;
    }
    t->len = (size_t)snprintf((char *)t->bytes, LINE_MAX_BYTES, "%s", headers[table]);
    for (uint32_t i = 0; i < universe; i++) {
        if (mix(((uint64_t)keys[i] << 8 | table) * 7) % 4 != 0) {
            t->len += (size_t)line((char *)t->bytes + t->len, table, keys[i]);
        }
    }
    free(keys);
}

static mt_err read_table(void *context, size_t input, mt_span out, size_t *got)
{
    struct table *t = &((struct bench *)context)->tables[input];
    size_t left = t->len - t->at;
    *got = out.len < left ? out.len : left;
    memcpy(out.ptr, t->bytes + t->at, *got);
    t->at += *got;
    return MT_OK;
}

static mt_err write_result(void *context, size_t output, mt_bytes bytes)
{
    struct bench *b = context;
    MT_REQUIRE(output == 0 && bytes.len <= sizeof b->out - b->out_len, MT_E_LIMIT, "too long");
    memcpy(b->out + b->out_len, bytes.ptr, bytes.len);
    b->out_len += bytes.len;
    return MT_OK;
}

static const char arguments[] =
    "{\"inputs\":["
    "{\"name\":\"a\",\"key\":\"email\",\"canonical\":\"trim-lower-ascii\",\"duplicates\":"
    "\"refuse\","
    "\"columns\":[{\"name\":\"spend\",\"type\":\"decimal\",\"scale\":2}]},"
    "{\"name\":\"b\",\"key\":\"email\",\"canonical\":\"trim-lower-ascii\",\"duplicates\":"
    "\"refuse\"},"
    "{\"name\":\"c\",\"key\":\"email\",\"canonical\":\"trim-lower-ascii\",\"duplicates\":"
    "\"refuse\","
    "\"columns\":[{\"name\":\"visits\",\"type\":\"integer\"}]}],"
    "\"join\":\"inner\",\"group_by\":{\"input\":\"b\",\"column\":\"segment\"},"
    "\"minimum_group_size\":10,"
    "\"outputs\":[{\"name\":\"totals\",\"columns\":[{\"group\":true,\"as\":\"segment\"},"
    "{\"count\":true,\"as\":\"people\"},{\"sum\":\"a.spend\",\"as\":\"spend\"},"
    "{\"average\":\"a.spend\",\"as\":\"mean\"},{\"min\":\"c.visits\",\"as\":\"least\"},"
    "{\"max\":\"c.visits\",\"as\":\"most\"}]}]}";

static uint64_t now_us(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

struct taken {
    uint64_t wall_us;
    uint64_t cpu_us;
};

static struct taken run(struct bench *b)
{
    const struct mt_function *f = mt_function_find(MT_LITERAL("private-join-and-compute"), 1);
    struct mt_function_fault fault;
    struct mt_function_job job = {
        .arguments = {(const uint8_t *)arguments, sizeof arguments - 1},
        .inputs_count = TABLES,
        .outputs_count = 1,
        .context = b,
        .read = read_table,
        .write = write_result,
        .memory_max_bytes = SIZE_MAX,
        .seed = {1, 2, 3},
    };
    for (size_t i = 0; i < TABLES; i++) {
        job.input_bytes[i] = b->tables[i].len;
        b->tables[i].at = 0;
    }
    b->out_len = 0;
    uint64_t begin = now_us(CLOCK_MONOTONIC);
    uint64_t cpu_begin = now_us(CLOCK_PROCESS_CPUTIME_ID);
    mt_err e = mt_function_run(f, &job, &b->peak, &fault);
    struct taken taken = {now_us(CLOCK_MONOTONIC) - begin,
                          now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin};
    if (mt_failed(e)) {
        (void)fprintf(stderr, "%s: %s\n", e.fault->what, fault.detail);
        abort();
    }
    return taken;
}

static void save(const char *folder, const char *name, const uint8_t *bytes, size_t len)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s.csv", folder, name);
    FILE *f = fopen(path, "wb");
    MT_ASSERT(f != NULL);
    MT_ASSERT(fwrite(bytes, 1, len, f) == len);
    MT_ASSERT(fclose(f) == 0);
}

int main(int argc, char **argv)
{
    static struct bench b;
    static const char *const names[TABLES] = {"a", "b", "c"};
    uint32_t rows = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
    struct taken best = {UINT64_MAX, UINT64_MAX};
    size_t bytes = 0;
    for (uint32_t t = 0; t < TABLES; t++) {
        make(&b.tables[t], t, rows);
        bytes += b.tables[t].len;
    }
    for (int i = 0; i < ROUNDS; i++) {
        struct taken taken = run(&b);
        best.wall_us = taken.wall_us < best.wall_us ? taken.wall_us : best.wall_us;
        best.cpu_us = taken.cpu_us < best.cpu_us ? taken.cpu_us : best.cpu_us;
    }
    (void)printf("3 x %u rows, %zu MiB: %" PRIu64 " us (%" PRIu64 " us CPU), %" PRIu64
                 " rows/s, %" PRIu64 " MiB peak\n",
                 rows, bytes >> 20, best.wall_us, best.cpu_us,
                 (uint64_t)rows * TABLES * 1000000 / best.wall_us, b.peak >> 20);
    if (argc > 2) {
        for (uint32_t t = 0; t < TABLES; t++) {
            save(argv[2], names[t], b.tables[t].bytes, b.tables[t].len);
        }
        save(argv[2], "totals", b.out, b.out_len);
    }
    for (uint32_t t = 0; t < TABLES; t++) {
        free(b.tables[t].bytes);
    }
    return 0;
}
