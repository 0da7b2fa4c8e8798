/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Runs a fuzz target without a fuzzer: each committed input, each of its truncations and each
 * single flipped bit, every input in memory of exactly its size, so that a sanitizer sees the first
 * byte too many. Thus every compiler and every `make test` run the targets, and the parsers that
 * they reach are counted from these programs (tools/parsers.py). Arguments: how many inputs there
 * are at most, and the corpus folder.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct corpus {
    size_t files;
    size_t inputs;
    size_t budget; /* mutated inputs for each file */
};

static void feed(struct corpus *c, const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    if (exact == NULL) {
        (void)fprintf(stderr, "no memory for an input\n");
        abort();
    }
    memcpy(exact, bytes, len);
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    c->inputs++;
}

static void feed_mutants(struct corpus *c, uint8_t *bytes, size_t len)
{
    size_t step = 1 + len * 9 / c->budget; /* all, or evenly spread as many as the budget allows */
    for (size_t i = 0; i < len; i += step) {
        feed(c, bytes, i);
    }
    for (size_t bit = 0; bit < len * 8; bit += step) {
        uint8_t mask = (uint8_t)(1U << (bit % 8));
        bytes[bit / 8] ^= mask;
        feed(c, bytes, len);
        bytes[bit / 8] ^= mask;
    }
}

static void feed_file(struct corpus *c, const char *folder, const char *name)
{
    static uint8_t bytes[FILE_BYTES_MAX];
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        (void)fprintf(stderr, "%s: cannot open\n", path);
        abort();
    }
    size_t len = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    feed(c, bytes, len);
    if (c->budget > 0) {
        feed_mutants(c, bytes, len);
    }
    c->files++;
}

static void feed_folder(struct corpus *c, const char *folder)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, NULL, alphasort);
    if (count < 0) {
        (void)fprintf(stderr, "%s: cannot open the corpus\n", folder);
        abort();
    }
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.') {
            feed_file(c, folder, names[i]->d_name);
        }
        free(names[i]);
    }
    free(names);
}

int main(int argc, char **argv)
{
    struct corpus counted = {0, 0, 0}; /* as committed, unmutated: how many are there? */
    size_t most = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
    if (most == 0) {
        (void)fprintf(stderr, "usage: replay INPUTS CORPUS\n");
        return 64;
    }
    feed_folder(&counted, argv[2]);
    struct corpus c = {0, 0, counted.files > 0 ? most / counted.files + 64 : 1};
    feed_folder(&c, argv[2]);
    bool is_good = c.files > 0;
    (void)printf(
        "1..1\n%s 1 - a corpus of %zu files, mutated to %zu inputs, is parsed or refused\n",
        is_good ? "ok" : "not ok", c.files, c.inputs);
    return is_good ? 0 : 1;
}
