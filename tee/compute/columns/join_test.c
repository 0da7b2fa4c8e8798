/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "compute/columns/decimal.h"
#include "compute/columns/function.h"
#include "unit/runner.h"

/*
 * The join against its definition: small random tables, joined by nested loops over all rows, whose
 * numbers are 64-bit integers. Nothing of the code under test is used but the text of decimals.
 */
enum { TABLES_MAX = 4, ROWS_MAX = 40, KEYS = 24, GROUPS = 5, TEXT_MAX = 16384 };

struct row {
    uint32_t key;
    uint32_t group;
    int64_t value; /* in hundredths */
};

struct table {
    struct row rows[ROWS_MAX];
    uint32_t count;
    bool may_repeat;
};

struct world {
    struct table tables[TABLES_MAX];
    uint32_t count;
    bool is_left;
    bool has_group;
    uint32_t group_table;
    uint32_t minimum;
    char texts[TABLES_MAX][TEXT_MAX];
    size_t at[TABLES_MAX];
    char out[TEXT_MAX];
    size_t out_len;
    uint64_t state;
    struct mt_function_fault fault;
};

static uint32_t next_random(struct world *w, uint32_t below)
{
    w->state = w->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(w->state >> 33) % below;
}

/* Keys are told apart by what stands in a row, groups by the key, so that they do not conflict. */
static void make_table(struct world *w, uint32_t t)
{
    struct table *table = &w->tables[t];
    table->may_repeat = next_random(w, 2) == 1;
    table->count = 0;
    uint32_t wanted = next_random(w, ROWS_MAX + 1);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < wanted; i++) {
        uint32_t key = next_random(w, KEYS);
        if (!table->may_repeat && (seen >> key & 1) == 1) {
            continue;
        }
        seen |= UINT32_C(1) << key;
        int64_t value = (int64_t)next_random(w, 2000001) - 1000000;
        table->rows[table->count++] = (struct row){key, (key * 7 + t) % GROUPS, value};
    }
}

static const char *const group_cells[GROUPS] = {"", "north", "\"nor\"\"th\"", "\"s,outh\"",
                                                "\xc3\xa9st"};

/* The same key in many forms, all of one canonical form. */
static void write_table(struct world *w, uint32_t t)
{
    static const char *const before[] = {"Key-", "\"key-", "  key-", "\" KEY-"};
    static const char *const behind[] = {"@Example.org", "@example.org\"", "@EXAMPLE.org\t",
                                         "@example.ORG\""};
    static const char *const ends[] = {"\n", "\r\n"};
    size_t len = 0;
    char *text = w->texts[t];
    len += (size_t)snprintf(text + len, TEXT_MAX - len, "junk,v,k,g%s", ends[next_random(w, 2)]);
    for (uint32_t i = 0; i < w->tables[t].count; i++) {
        const struct row *r = &w->tables[t].rows[i];
        uint64_t size = (uint64_t)(r->value < 0 ? -r->value : r->value);
        len += (size_t)snprintf(text + len, TEXT_MAX - len, "\"x,\"\"\n\",%s%u.%02u,",
                                r->value < 0 ? "-" : "", (uint32_t)(size / 100),
                                (uint32_t)(size % 100));
        uint32_t form = next_random(w, 4);
        len += (size_t)snprintf(text + len, TEXT_MAX - len, "%s%u%s", before[form], r->key,
                                behind[form]);
        len += (size_t)snprintf(text + len, TEXT_MAX - len, ",%s%s", group_cells[r->group],
                                ends[next_random(w, 2)]);
    }
    MT_ASSERT(len < TEXT_MAX);
}

static void make_world(struct world *w, uint64_t seed)
{
    w->state = seed * 977 + 1;
    w->count = 2 + next_random(w, TABLES_MAX - 1);
    w->is_left = next_random(w, 2) == 1;
    w->has_group = next_random(w, 4) != 0;
    w->group_table = next_random(w, w->count);
    w->minimum = 1 + next_random(w, 3);
    for (uint32_t t = 0; t < w->count; t++) {
        make_table(w, t);
        write_table(w, t);
    }
}

/* The arguments: for each table its sum, average, least and most. */
static size_t write_arguments(const struct world *w, char *text, size_t room)
{
    static const char *const shows[] = {"sum", "average", "min", "max"};
    size_t len = (size_t)snprintf(text, room, "{\"inputs\":[");
    for (uint32_t t = 0; t < w->count; t++) {
        len +=
            (size_t)snprintf(text + len, room - len,
                             "%s{\"name\":\"t%u\",\"key\":\"k\",\"canonical\":"
                             "\"trim-lower-ascii\",\"duplicates\":\"%s\",\"columns\":[{\"name\":"
                             "\"v\",\"type\":\"decimal\",\"scale\":2}]}",
                             t > 0 ? "," : "", t, w->tables[t].may_repeat ? "aggregate" : "refuse");
    }
    len += (size_t)snprintf(text + len, room - len, "],\"join\":\"%s\",\"minimum_group_size\":%u,",
                            w->is_left ? "left" : "inner", w->minimum);
    if (w->has_group) {
        len +=
            (size_t)snprintf(text + len, room - len,
                             "\"group_by\":{\"input\":\"t%u\",\"column\":\"g\"},", w->group_table);
    }
    len += (size_t)snprintf(text + len, room - len,
                            "\"outputs\":[{\"name\":\"o\",\"columns\":[%s{\"count\":true,\"as\":"
                            "\"n\"}",
                            w->has_group ? "{\"group\":true,\"as\":\"g\"}," : "");
    for (uint32_t t = 0; t < w->count; t++) {
        for (size_t s = 0; s < 4; s++) {
            len += (size_t)snprintf(text + len, room - len, ",{\"%s\":\"t%u.v\",\"as\":\"%s%u\"}",
                                    shows[s], t, shows[s], t);
        }
    }
    len += (size_t)snprintf(text + len, room - len, "]}]}");
    MT_ASSERT(len < room);
    return len;
}

static bool has_key(const struct table *t, uint32_t key)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->rows[i].key == key) {
            return true;
        }
    }
    return false;
}

static bool is_joined(const struct world *w, uint32_t key)
{
    bool is_in_all = true;
    for (uint32_t t = 0; t < w->count; t++) {
        is_in_all = is_in_all && has_key(&w->tables[t], key);
    }
    return w->is_left ? has_key(&w->tables[0], key) : is_in_all;
}

static uint32_t group_of(const struct world *w, uint32_t key)
{
    const struct table *t = &w->tables[w->group_table];
    return w->has_group && has_key(t, key) ? (key * 7 + w->group_table) % GROUPS : 0;
}

static void put_number(struct world *w, mt_int128 value, uint32_t scale)
{
    uint8_t room[MT_DECIMAL_TEXT_BYTES_MAX];
    struct mt_writer text = mt_writer_over((mt_span){room, sizeof room});
    mt_decimal_write(&text, value, scale);
    w->out_len += (size_t)snprintf(w->out + w->out_len, TEXT_MAX - w->out_len, ",%.*s",
                                   (int)text.used, (const char *)room);
}

/* total / count at six digits more, half to even, by trying. */
static mt_int128 average(int64_t total, int64_t count)
{
    int64_t scaled = total * 1000000;
    int64_t low = scaled / count - 1;
    for (int64_t q = low;; q++) {
        int64_t twice = 2 * (scaled - q * count); /* the first q that is near enough, or even */
        if (twice < count || (twice == count && q % 2 == 0)) {
            return q;
        }
    }
}

static void put_table(struct world *w, uint32_t group, const struct table *t)
{
    int64_t sum = 0;
    int64_t count = 0;
    int64_t least = INT64_MAX;
    int64_t most = INT64_MIN;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct row *r = &t->rows[i];
        if (is_joined(w, r->key) && group_of(w, r->key) == group) {
            sum += r->value;
            count++;
            least = r->value < least ? r->value : least;
            most = r->value > most ? r->value : most;
        }
    }
    if (count == 0) {
        w->out_len += (size_t)snprintf(w->out + w->out_len, TEXT_MAX - w->out_len, ",,,,");
        return;
    }
    put_number(w, sum, 2);
    put_number(w, average(sum, count), 8);
    put_number(w, least, 2);
    put_number(w, most, 2);
}

/* What should come out. */
static void join_naively(struct world *w)
{
    w->out_len = (size_t)snprintf(w->out, TEXT_MAX, "%sn", w->has_group ? "g," : "");
    for (uint32_t t = 0; t < w->count; t++) {
        w->out_len += (size_t)snprintf(w->out + w->out_len, TEXT_MAX - w->out_len,
                                       ",sum%u,average%u,min%u,max%u", t, t, t, t);
    }
    w->out_len += (size_t)snprintf(w->out + w->out_len, TEXT_MAX - w->out_len, "\r\n");
    static const uint32_t order[GROUPS] = {0, 2, 1, 3, 4}; /* of the names, bytewise */
    for (uint32_t i = 0; i < GROUPS; i++) {
        uint32_t keys = 0;
        for (uint32_t key = 0; key < KEYS; key++) {
            keys += is_joined(w, key) && group_of(w, key) == order[i];
        }
        if (keys < w->minimum) {
            continue;
        }
        w->out_len += (size_t)snprintf(w->out + w->out_len, TEXT_MAX - w->out_len, "%s%s%u",
                                       w->has_group ? group_cells[order[i]] : "",
                                       w->has_group ? "," : "", keys);
        for (uint32_t t = 0; t < w->count; t++) {
            put_table(w, order[i], &w->tables[t]);
        }
        w->out_len += (size_t)snprintf(w->out + w->out_len, TEXT_MAX - w->out_len, "\r\n");
    }
    MT_ASSERT(w->out_len < TEXT_MAX);
}

static mt_err read_world(void *context, size_t input, mt_span out, size_t *got)
{
    struct world *w = context;
    size_t left = strlen(w->texts[input]) - w->at[input];
    size_t len = 1 + next_random(w, 97);
    len = len < out.len ? len : out.len;
    len = len < left ? len : left;
    memcpy(out.ptr, w->texts[input] + w->at[input], len);
    w->at[input] += len;
    *got = len;
    return MT_OK;
}

/* Compares as it goes: what was expected is taken away. */
static mt_err write_world(void *context, size_t output, mt_bytes bytes)
{
    struct world *w = context;
    MT_ASSERT(output == 0);
    bool is_same = mt_bytes_start_with((mt_bytes){(const uint8_t *)w->out, w->out_len}, bytes);
    if (!is_same) {
        (void)fprintf(stderr, "# expected\n%.*s\n# got\n%.*s\n", (int)w->out_len, w->out,
                      (int)bytes.len, (const char *)bytes.ptr);
    }
    MT_ASSERT(is_same);
    memmove(w->out, w->out + bytes.len, w->out_len - bytes.len);
    w->out_len -= bytes.len;
    return MT_OK;
}

static mt_err run(struct world *w, mt_bytes arguments, uint64_t size_hint)
{
    const struct mt_function *f = mt_function_find(MT_LITERAL("private-join-and-compute"), 1);
    struct mt_function_job job = {
        .arguments = arguments,
        .inputs_count = w->count,
        .outputs_count = 1,
        .context = w,
        .read = read_world,
        .write = write_world,
        .memory_max_bytes = 256 * 1024 * 1024,
        .seed = {(uint8_t)w->state},
    };
    for (uint32_t t = 0; t < w->count; t++) {
        job.input_bytes[t] = size_hint;
        w->at[t] = 0;
    }
    return mt_function_run(f, &job, NULL, &w->fault);
}

static void joins_are_what_nested_loops_make_of_them(void)
{
    static struct world w;
    static char arguments[TEXT_MAX];
    for (uint64_t seed = 0; seed < 3000; seed++) {
        make_world(&w, seed);
        size_t len = write_arguments(&w, arguments, sizeof arguments);
        join_naively(&w);
        /* One partition, or up to 1024. */
        mt_err e = run(&w, (mt_bytes){(const uint8_t *)arguments, len},
                       (uint64_t)1 << (10 + seed % 3 * 8));
        if (mt_failed(e)) {
            (void)fprintf(stderr, "# %s, %s\n", e.fault->what, w.fault.detail);
        }
        MT_ASSERT(!mt_failed(e));
        MT_ASSERT(w.out_len == 0);
    }
}

/* Refused exactly if a table that may not repeat a key does; the row that is named is the first. */
static void a_repeated_key_is_found_wherever_it_is(void)
{
    static struct world w;
    static char arguments[TEXT_MAX];
    for (uint64_t seed = 0; seed < 1000; seed++) {
        make_world(&w, seed);
        uint32_t t = next_random(&w, w.count);
        struct table *table = &w.tables[t];
        if (table->may_repeat || table->count < 1 || table->count == ROWS_MAX) {
            continue;
        }
        uint32_t of = next_random(&w, table->count);
        table->rows[table->count++] = table->rows[of];
        write_table(&w, t);
        size_t len = write_arguments(&w, arguments, sizeof arguments);
        mt_err e = run(&w, (mt_bytes){(const uint8_t *)arguments, len}, seed << 16);
        char expected[64];
        (void)snprintf(expected, sizeof expected, "input t%u, row %u, column 3 (k)", t,
                       table->count + 1);
        MT_ASSERT(mt_failed(e));
        MT_ASSERT(e.fault->code == MT_E_FORMAT);
        MT_ASSERT(strcmp(w.fault.detail, expected) == 0);
    }
}

/* A hundred thousand rows of two tables that share every third key; the numbers are known. */
struct big {
    uint32_t row[2];
    char out[256];
    size_t out_len;
};

enum { BIG_ROWS = 100000 };

static mt_err read_big(void *context, size_t input, mt_span out, size_t *got)
{
    struct big *b = context;
    size_t len = 0;
    uint32_t step = input == 0 ? 1 : 3;
    while (b->row[input] <= BIG_ROWS && out.len - len > 64) {
        uint32_t i = b->row[input]++;
        char *to = (char *)out.ptr + len;
        size_t room = out.len - len;
        len += (size_t)(i == 0 ? snprintf(to, room, "k,v\n")
                               : snprintf(to, room, "person %u,%u\n", i * step, i));
    }
    *got = len;
    return MT_OK;
}

static mt_err write_big(void *context, size_t output, mt_bytes bytes)
{
    struct big *b = context;
    (void)output;
    MT_ASSERT(bytes.len < sizeof b->out - b->out_len);
    memcpy(b->out + b->out_len, bytes.ptr, bytes.len);
    b->out_len += bytes.len;
    return MT_OK;
}

static void a_hundred_thousand_rows_add_up(void)
{
    static const char arguments[] =
        "{\"inputs\":[{\"name\":\"a\",\"key\":\"k\",\"canonical\":\"none\",\"duplicates\":"
        "\"refuse\",\"columns\":[{\"name\":\"v\",\"type\":\"integer\"}]},{\"name\":\"b\",\"key\":"
        "\"k\",\"canonical\":\"none\",\"duplicates\":\"refuse\",\"columns\":[{\"name\":\"v\","
        "\"type\":\"integer\"}]}],\"join\":\"inner\",\"minimum_group_size\":1,\"outputs\":[{"
        "\"name\":\"o\",\"columns\":[{\"count\":true,\"as\":\"n\"},{\"sum\":\"a.v\",\"as\":\"a\"},"
        "{\"sum\":\"b.v\",\"as\":\"b\"},{\"max\":\"a.v\",\"as\":\"most\"}]}]}";
    static struct big b;
    struct mt_function_fault fault;
    const struct mt_function *f = mt_function_find(MT_LITERAL("private-join-and-compute"), 1);
    struct mt_function_job job = {
        .arguments = mt_bytes_of_text(arguments),
        .inputs_count = 2,
        .input_bytes = {2000000, 2000000},
        .outputs_count = 1,
        .context = &b,
        .read = read_big,
        .write = write_big,
        .memory_max_bytes = 64 * 1024 * 1024,
    };
    MT_ASSERT(!mt_failed(mt_function_run(f, &job, NULL, &fault)));
    /* Joined are the multiples of 3 up to 100,000: 33,333 of them. Sum 3..99,999 by 3; 1..33,333.
     */
    MT_ASSERT(mt_bytes_equal((mt_bytes){(const uint8_t *)b.out, b.out_len},
                             MT_LITERAL("n,a,b,most\r\n33333,1666683333,555561111,99999\r\n")));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(joins_are_what_nested_loops_make_of_them),
        MT_TEST(a_repeated_key_is_found_wherever_it_is),
        MT_TEST(a_hundred_thousand_rows_add_up),
    };
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
