/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The example of docs/functions.md, run as it stands there. Argument: the page. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "compute/columns/function.h"
#include "unit/runner.h"

enum { PAGE_BYTES_MAX = 64 * 1024, OUT_BYTES_MAX = 4096, PARTIES = 3 };

static char page[PAGE_BYTES_MAX];

/* The block that begins with ```kind name. */
static mt_bytes block(const char *kind, const char *name)
{
    char begin[64];
    (void)snprintf(begin, sizeof begin, "\n```%s %s\n", kind, name);
    const char *from = strstr(page, begin);
    MT_ASSERT(from != NULL);
    from += strlen(begin);
    const char *to = strstr(from, "\n```\n");
    MT_ASSERT(to != NULL);
    return (mt_bytes){(const uint8_t *)from, (size_t)(to - from) + 1};
}

struct world {
    mt_bytes inputs[PARTIES];
    struct mt_buf outputs[PARTIES];
};

static mt_err read_world(void *context, size_t input, mt_span out, size_t *got)
{
    mt_bytes *in = &((struct world *)context)->inputs[input];
    size_t len = in->len < out.len ? in->len : out.len;
    memcpy(out.ptr, in->ptr, len);
    *in = (mt_bytes){in->ptr + len, in->len - len};
    *got = len;
    return MT_OK;
}

/* Without the CR of each CRLF, which the page does not show. */
static mt_err write_world(void *context, size_t output, mt_bytes bytes)
{
    struct mt_buf *out = &((struct world *)context)->outputs[output];
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] != '\r') {
            MT_TRY(mt_buf_append(out, (mt_bytes){bytes.ptr + i, 1}));
        }
    }
    return MT_OK;
}

static void the_example_of_the_page_gives_what_the_page_says(void)
{
    static const char *const inputs[PARTIES] = {"shop", "club", "clinic"};
    static const char *const outputs[PARTIES] = {"for-shop", "for-club", "for-clinic"};
    const struct mt_function *f = mt_function_find(MT_LITERAL("private-join-and-compute"), 1);
    struct mt_function_fault fault;
    struct world w;
    mt_bytes input_names[PARTIES];
    mt_bytes output_names[PARTIES];
    struct mt_function_job job = {.arguments = block("json", "arguments"),
                                  .inputs_count = PARTIES,
                                  .outputs_count = PARTIES,
                                  .context = &w,
                                  .read = read_world,
                                  .write = write_world,
                                  .memory_max_bytes = (uint64_t)1024 * 1024};
    for (size_t i = 0; i < PARTIES; i++) {
        input_names[i] = mt_bytes_of_text(inputs[i]);
        output_names[i] = mt_bytes_of_text(outputs[i]);
        w.inputs[i] = block("csv", inputs[i]);
        w.outputs[i] = mt_buf_of_max(OUT_BYTES_MAX);
        job.input_bytes[i] = w.inputs[i].len;
    }
    const struct mt_function_task task = {job.arguments, PARTIES, PARTIES, input_names,
                                          output_names};
    MT_ASSERT(!mt_failed(mt_function_check(f, &task, &fault)));
    MT_ASSERT(!mt_failed(mt_function_run(f, &job, NULL, &fault)));
    for (size_t i = 0; i < PARTIES; i++) {
        MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&w.outputs[i]), block("csv", outputs[i])));
        mt_buf_free(&w.outputs[i]);
    }
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(the_example_of_the_page_gives_what_the_page_says),
    };
    MT_ASSERT(argc == 2);
    FILE *f = fopen(argv[1], "rb");
    MT_ASSERT(f != NULL);
    size_t len = fread(page, 1, sizeof page - 1, f);
    MT_ASSERT(fclose(f) == 0);
    MT_ASSERT(len > 0);
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
