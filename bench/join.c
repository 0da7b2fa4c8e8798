/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * join FOLDER ROWS MEMORY_MIB: private-join-and-compute over three files of ROWS rows made from a
 * seed: a.csv, b.csv and c.csv in the folder, for a peer to read the same. Each holds three
 * quarters of the keys, in an order of its own. Says `ready`; then, for every line that it reads,
 * joins the files once within the memory limit, writes totals.csv, and says milliseconds, those of
 * processor time, and MiB at most as the job counts them.
 */
#include "compute/columns/function.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum { TABLES = 3, PATH_LEN = 4096 };

struct bench {
    const char *folder;
    uint64_t memory_max_bytes;
    uint64_t peak;
    int in[TABLES];
    FILE *out;
};

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static FILE *create(const char *folder, const char *name)
{
    char path[PATH_LEN];
    (void)snprintf(path, sizeof path, "%s/%s.csv", folder, name);
    FILE *f = fopen(path, "wb");
    MT_ASSERT(f != NULL);
    return f;
}

static void put_row(FILE *f, uint32_t table, uint32_t key)
{
    uint64_t r = mix((uint64_t)table << 32 | key);
    uint32_t id = (uint32_t)(mix(key) % 1000000000);
    (void)fprintf(f, "user%09u.%u@example.com,", id, key);
    switch (table) {
    case 0:
        (void)fprintf(f, "%u.%02u\n", (uint32_t)(r >> 40) % 10000, (uint32_t)(r >> 20) % 100);
        break;
    case 1:
        (void)fprintf(f, "segment-%u\n", (uint32_t)(r >> 40) % 12);
        break;
    default:
        (void)fprintf(f, "%u\n", (uint32_t)(r >> 40) % 500);
        break;
    }
}

static const char *const names[TABLES] = {"a", "b", "c"};
static const char *const headers[TABLES] = {"email,spend\n", "email,segment\n", "email,visits\n"};

/* Every key stands in the three quarters of a table or not by its hash, until there are enough. */
static void make(const char *folder, uint32_t table, uint32_t rows)
{
    uint32_t universe = rows / 3 * 4;
    uint32_t *keys = calloc(universe, sizeof *keys);
    FILE *f = create(folder, names[table]);
    MT_ASSERT(keys != NULL);
    for (uint32_t i = 0; i < universe; i++) {
        uint32_t j = (uint32_t)(mix((uint64_t)i << 8 | table) % (i + 1));
        keys[i] = keys[j];
        keys[j] = i;
    }
    (void)fputs(headers[table], f);
    for (uint32_t i = 0; i < universe; i++) {
        if (mix(((uint64_t)keys[i] << 8 | table) * 7) % 4 != 0) {
            put_row(f, table, keys[i]);
        }
    }
    MT_ASSERT(fclose(f) == 0);
    free(keys);
}

static mt_err read_table(void *context, size_t input, mt_span out, size_t *got)
{
    ssize_t n = read(((struct bench *)context)->in[input], out.ptr, out.len);
    MT_REQUIRE(n >= 0, MT_E_IO, "read");
    *got = (size_t)n;
    return MT_OK;
}

static mt_err write_result(void *context, size_t output, mt_bytes bytes)
{
    FILE *out = ((struct bench *)context)->out;
    MT_REQUIRE(output == 0 && fwrite(bytes.ptr, 1, bytes.len, out) == bytes.len, MT_E_IO, "write");
    return MT_OK;
}

/* bench/duckdb_join.py asks the same in SQL. */
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

static void open_all(struct bench *b, struct mt_function_job *job)
{
    for (size_t i = 0; i < TABLES; i++) {
        char path[PATH_LEN];
        (void)snprintf(path, sizeof path, "%s/%s.csv", b->folder, names[i]);
        b->in[i] = open(path, O_RDONLY | O_CLOEXEC);
        MT_ASSERT(b->in[i] >= 0);
        job->input_bytes[i] = (uint64_t)lseek(b->in[i], 0, SEEK_END);
        MT_ASSERT(lseek(b->in[i], 0, SEEK_SET) == 0);
    }
    b->out = create(b->folder, "totals");
}

static void close_all(struct bench *b)
{
    for (size_t i = 0; i < TABLES; i++) {
        (void)close(b->in[i]);
    }
    MT_ASSERT(fclose(b->out) == 0);
}

static void join(struct bench *b)
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
        .memory_max_bytes = b->memory_max_bytes,
        .seed = {1, 2, 3},
    };
    open_all(b, &job);
    mt_err e = mt_function_run(f, &job, &b->peak, &fault);
    close_all(b);
    if (mt_failed(e)) {
        (void)fprintf(stderr, "%s: %s\n", e.fault->what, fault.detail);
        abort();
    }
}

int main(int argc, char **argv)
{
    MT_ASSERT(argc == 4);
    struct bench b = {.folder = argv[1], .memory_max_bytes = strtoull(argv[3], NULL, 10) << 20};
    uint32_t rows = (uint32_t)strtoul(argv[2], NULL, 10);
    char line[16];
    for (uint32_t t = 0; t < TABLES; t++) {
        make(b.folder, t, rows);
    }
    (void)puts("ready");
    (void)fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        uint64_t wall = bench_now_ns(CLOCK_MONOTONIC);
        uint64_t cpu = bench_now_ns(CLOCK_PROCESS_CPUTIME_ID);
        join(&b);
        (void)printf("%.3f %.3f %.3f\n", (double)(bench_now_ns(CLOCK_MONOTONIC) - wall) / 1e6,
                     (double)(bench_now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e6,
                     (double)b.peak / (1 << 20));
        (void)fflush(stdout);
    }
    return 0;
}
