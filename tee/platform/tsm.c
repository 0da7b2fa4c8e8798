/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/limits.h"
#include "crypto/context.h"
#include "platform/makers.h"

/*
 * configfs-tsm (Linux, drivers/virt/coco/guest/report.c; fs/configfs/file.c). What one has to know:
 * - inblob takes effect at the last close() of it, and what came of that, EBUSY above all, is told
 *   to nobody. `generation` grows by one with each that was taken: it is the only answer.
 * - Whoever may write to our directory may write between our write and our reading.
 * - Text is kept by the descriptor that read it first: each look opens the file anew.
 * So: a directory of our own with a random name, generation before, after the write, and after the
 * reading; and the report says itself what it is about.
 */
enum { PATH_ROOM = 128, TEXT_MAX = 64, TRIES = 4 };
static const char top[] = "/sys/kernel/config/tsm/report/";

struct tsm {
    struct mt_device device;
    struct mt_device_io *io;
};

/* A directory of ours; gone with the name. */
struct place {
    struct mt_device_io *io;
    char path[PATH_ROOM];
    size_t len;
};

static MT_ERR place_make(struct mt_device_io *io, struct place *out)
{
    uint8_t random[16];
    struct place p = {.io = io};
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)p.path, sizeof p.path - 1});
    MT_TRY(mt_random((mt_span){random, sizeof random}));
    mt_write_bytes(&w, mt_bytes_of_text(top));
    mt_write_bytes(&w, MT_LITERAL("mesatee-"));
    mt_hex_write(&w, MT_BYTES_OF(random));
    p.len = mt_write_done(&w).len;
    MT_TRY(io->ops->make_dir(io, p.path));
    *out = p;
    return MT_OK;
}

static void place_remove(struct place *p)
{
    if (p->io != NULL) {
        p->path[p->len] = '\0';
        mt_err e = p->io->ops->remove_dir(p->io, p->path);
        (void)e; /* what is left behind costs the kernel some bytes, and us nothing */
    }
}

static const char *file_in(struct place *p, const char *name)
{
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)p->path, sizeof p->path - 1});
    w.used = p->len;
    mt_write_u8(&w, '/');
    mt_write_bytes(&w, mt_bytes_of_text(name));
    p->path[mt_write_done(&w).len] = '\0';
    return p->path;
}

static MT_ERR generation_of(struct place *p, uint64_t *out)
{
    enum { DIGITS_MAX = 19 };
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(TEXT_MAX);
    uint64_t n = 0;
    size_t i = 0;
    MT_TRY(mt_io_get(p->io, file_in(p, "generation"), &text));
    for (; i < text.len && i < DIGITS_MAX && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
        n = n * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    bool is_number = i > 0 && i + 1 == text.len && text.ptr[i] == '\n';
    MT_REQUIRE(is_number, MT_E_FORMAT, "the generation of a report is no number");
    *out = n;
    return MT_OK;
}

static MT_ERR kind_in(struct place *p, enum mt_evidence_kind *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf name = mt_buf_of_max(TEXT_MAX);
    MT_TRY(mt_io_get(p->io, file_in(p, "provider"), &name));
    bool is_snp = mt_bytes_equal(mt_buf_bytes(&name), MT_LITERAL("sev_guest\n"));
    MT_REQUIRE(is_snp || mt_bytes_equal(mt_buf_bytes(&name), MT_LITERAL("tdx_guest\n")),
               MT_E_FORMAT, "the kernel's provider of reports is one that we do not know");
    *out = is_snp ? MT_EVIDENCE_SNP : MT_EVIDENCE_TDX;
    return MT_OK;
}

/* Both blobs are of one report if the generation is that of our write before and after. */
static MT_ERR get_report(struct place *p, const uint8_t report_data[MT_REPORT_DATA_LEN],
                         struct mt_buf *report, struct mt_buf *extra)
{
    uint64_t before = 0;
    uint64_t written = 0;
    uint64_t after = 0;
    MT_TRY(generation_of(p, &before));
    MT_TRY(mt_io_put(p->io, file_in(p, "inblob"), (mt_bytes){report_data, MT_REPORT_DATA_LEN}));
    MT_TRY(generation_of(p, &written));
    MT_REQUIRE(written > before, MT_E_BUSY, "the kernel did not take what a report is to be about");
    MT_TRY(mt_io_get(p->io, file_in(p, "outblob"), report));
    mt_err e = mt_io_get(p->io, file_in(p, "auxblob"), extra);
    if (mt_failed(e) && e.fault->code != MT_E_NOTFOUND) { /* only SNP has one */
        return e;
    }
    MT_TRY(generation_of(p, &after));
    MT_REQUIRE(after == before + 1, MT_E_CONFLICT,
               "another process wrote what our report was to be about");
    return MT_OK;
}

static MT_ERR try_evidence(struct tsm *t, const uint8_t report_data[MT_REPORT_DATA_LEN],
                           struct mt_device_evidence *out)
{
    MT_DEFER(place_remove) struct place p = {.io = NULL};
    MT_DEFER(mt_buf_free) struct mt_buf report = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    MT_DEFER(mt_buf_free) struct mt_buf extra = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
    enum mt_evidence_kind kind = MT_EVIDENCE_NONE;
    MT_TRY(place_make(t->io, &p));
    MT_TRY(kind_in(&p, &kind));
    MT_REQUIRE(kind == t->device.kind, MT_E_CONFLICT, "the kernel changed its provider of reports");
    MT_TRY(get_report(&p, report_data, &report, &extra));
    return kind == MT_EVIDENCE_SNP
               ? mt_device_take_snp(mt_buf_bytes(&report), mt_buf_bytes(&extra), report_data, out)
               : mt_device_take_quote(kind, mt_buf_bytes(&report), report_data, out);
}

/* A write that was lost, or a race, is tried again, in a new place. */
static mt_err tsm_evidence(struct mt_device *d, const uint8_t report_data[MT_REPORT_DATA_LEN],
                           struct mt_device_evidence *out)
{
    mt_err e = MT_OK;
    for (size_t i = 0; i < TRIES; i++) {
        e = try_evidence((struct tsm *)(void *)d, report_data, out);
        bool is_race =
            mt_failed(e) && (e.fault->code == MT_E_BUSY || e.fault->code == MT_E_CONFLICT);
        if (!is_race) {
            break;
        }
    }
    return e;
}

static void tsm_close(struct mt_device *d)
{
    free(d);
}

MT_ERR mt_tsm_new(struct mt_device_io *io, struct mt_device **out)
{
    static const struct mt_device_ops ops = {.evidence = tsm_evidence, .close = tsm_close};
    MT_DEFER(place_remove) struct place p = {.io = NULL};
    enum mt_evidence_kind kind = MT_EVIDENCE_NONE;
    MT_TRY(place_make(io, &p));
    MT_TRY(kind_in(&p, &kind));
    struct tsm *t = calloc(1, sizeof *t);
    MT_REQUIRE(t != NULL, MT_E_NOMEM, "no memory for a device");
    *t = (struct tsm){{&ops, kind}, io};
    *out = &t->device;
    return MT_OK;
}
