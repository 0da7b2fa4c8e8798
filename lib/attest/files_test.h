/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_FILES_TEST_H
#define MT_ATTEST_FILES_TEST_H

#include <stdio.h>

#include "attest/claims.h"
#include "attest/trace.h"
#include "base/assert.h"

/* Real evidence, from a folder of tests/vectors that the program is given. */
enum { FILE_ROOM = 32 * 1024 };
struct file {
    uint8_t b[FILE_ROOM];
    size_t len;
};

static const char *files_folder;

static inline mt_bytes file_read(const char *set, const char *name, struct file *f)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s/%s", files_folder, set, name);
    FILE *in = fopen(path, "rb");
    MT_ASSERT(in != NULL);
    f->len = fread(f->b, 1, sizeof f->b, in);
    (void)fclose(in);
    MT_ASSERT(f->len > 0 && f->len < sizeof f->b);
    return (mt_bytes){f->b, f->len};
}

static inline bool file_is_there(const char *set, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s/%s", files_folder, set, name);
    FILE *in = fopen(path, "rb");
    if (in != NULL) {
        (void)fclose(in);
    }
    return in != NULL;
}

static inline bool is_number(const struct mt_claims *c, mt_bytes name, uint64_t number)
{
    const struct mt_claimed *x = mt_claimed(c, name);
    return x != NULL && x->is_number && x->number == number;
}

#endif
