/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node/collateral.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "attest/verify.h"
#include "base/limits.h"
#include "platform/process.h"

static const char sealed_name[] = "collateral.mts";

/* spec/evidence-files.md; of several names for one thing the first that is there counts. */
static const struct part {
    const char *file;
    size_t at; /* in struct mt_collateral */
} parts[] = {
#define AT(field_) offsetof(struct mt_collateral, field_)
    {"tcb_info.json", AT(tcb_info)},
    {"tcb_info.sig", AT(tcb_info_signature)},
    {"tcb_info_chain.pem", AT(tcb_info_chain)},
    {"qe_identity.json", AT(qe_identity)},
    {"qe_identity.sig", AT(qe_identity_signature)},
    {"qe_identity_chain.pem", AT(qe_identity_chain)},
    {"root_ca_crl.der", AT(root_ca_crl)},
    {"pck_crl.der", AT(pck_crl)},
    {"pck_chain.pem", AT(pck_chain)},
    {"vcek.der", AT(vek)},
    {"vcek.pem", AT(vek)},
    {"vlek.der", AT(vek)},
    {"vlek.pem", AT(vek)},
    {"amd_crl.der", AT(amd_crl)},
#undef AT
};
enum { PARTS = sizeof parts / sizeof *parts };

static mt_bytes *part_of(struct mt_collateral *c, size_t i)
{
    return (mt_bytes *)(void *)((uint8_t *)c + parts[i].at);
}

struct folder {
    struct mt_buf files[PARTS];
    struct mt_collateral c; /* borrows from them */
};

static void folder_done(struct folder *f)
{
    for (size_t i = 0; i < PARTS; i++) {
        mt_buf_free(&f->files[i]);
    }
}

/* A file that cannot be opened is not there: what is missing then, the verifier names. */
static MT_ERR read_folder(const char *folder, struct folder *out)
{
    char path[1024];
    for (size_t i = 0; i < PARTS; i++) {
        mt_bytes *part = part_of(&out->c, i);
        int len = snprintf(path, sizeof path, "%s/%s", folder, parts[i].file);
        MT_REQUIRE(len > 0 && (size_t)len < sizeof path, MT_E_ARG, "a path is too long");
        if (part->len > 0) {
            continue;
        }
        mt_err e = mt_process_read_file(path, MT_EVIDENCE_BYTES_MAX, &out->files[i]);
        MT_REQUIRE(!mt_failed(e) || e.fault->code != MT_E_LIMIT, MT_E_LIMIT,
                   "a file of collateral is too long to be shown with evidence");
        if (!mt_failed(e)) {
            *part = mt_buf_bytes(&out->files[i]);
        }
    }
    return MT_OK;
}

static void lend(const struct mt_collateral *from, struct mt_collateral *to)
{
    struct mt_collateral all = *from;
    for (size_t i = 0; i < PARTS; i++) {
        if (part_of(to, i)->len == 0) {
            *part_of(to, i) = *part_of(&all, i);
        }
    }
}

void mt_held_lend(const struct mt_held *h, struct mt_collateral *to)
{
    lend(&h->bundle.evidence.collateral, to);
}

void mt_held_free(struct mt_held *h)
{
    mt_buf_free(&h->bytes);
    h->bundle = (struct mt_bundle){.log = {NULL, 0}};
}

MT_ERR mt_held_open(struct mt_fs *fs, const struct mt_root *r, struct mt_held *out)
{
    MT_DEFER(mt_held_free) struct mt_held h = {.bytes = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX)};
    mt_err e = mt_small_file_read(fs, r, sealed_name, &h.bytes);
    bool is_missing = mt_failed(e) && e.fault->code == MT_E_NOTFOUND;
    if (!is_missing) {
        MT_TRY(e);
        MT_TRY(mt_bundle_parse(mt_buf_bytes(&h.bytes), &h.bundle));
    }
    *out = h;
    h.bytes = mt_buf_of_max(0); /* given */
    return MT_OK;
}

static bool is_named_again(size_t i)
{
    return i > 0 && parts[i].at == parts[i - 1].at;
}

MT_ERR mt_held_offer(const char *folder, struct mt_held *out)
{
    MT_DEFER(folder_done) struct folder f = {.c = {.tcb_info = {NULL, 0}}};
    MT_DEFER(mt_held_free) struct mt_held h = {.bytes = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX)};
    MT_TRY(read_folder(folder, &f));
    for (size_t i = 0; i < PARTS; i++) {
        MT_TRY(is_named_again(i) ? MT_OK : mt_buf_append(&h.bytes, *part_of(&f.c, i)));
    }
    mt_bytes rest = mt_buf_bytes(&h.bytes);
    for (size_t i = 0; i < PARTS; i++) {
        const size_t len = part_of(&f.c, i)->len;
        if (!is_named_again(i)) {
            *part_of(&h.bundle.evidence.collateral, i) = (mt_bytes){rest.ptr, len};
            rest = (mt_bytes){rest.ptr + len, rest.len - len};
        }
    }
    mt_held_free(out);
    *out = h;
    h.bytes = mt_buf_of_max(0); /* given */
    return MT_OK;
}

static MT_ERR verify(const struct mt_evidence *own, const struct mt_collateral *c, uint64_t now_ms,
                     struct mt_trace *trace)
{
    struct mt_evidence e = *own;
    e.now_ms = now_ms;
    lend(c, &e.collateral);
    return mt_evidence_collateral_verify(&e, trace);
}

MT_ERR mt_held_check(const struct mt_held *h, const struct mt_bundle *own, uint64_t now_ms,
                     struct mt_trace *trace)
{
    return verify(&own->evidence, &h->bundle.evidence.collateral, now_ms, trace);
}

MT_ERR mt_held_take(struct mt_held *h, const struct mt_held_order *o, struct mt_trace *trace)
{
    MT_DEFER(folder_done) struct folder f = {.c = {.tcb_info = {NULL, 0}}};
    MT_DEFER(mt_held_free) struct mt_held next = {.bytes = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX)};
    struct mt_writer w = mt_writer_onto(&next.bytes);
    struct mt_bundle b = *o->own;
    mt_bytes bytes;
    b.evidence.event_log = (mt_bytes){NULL, 0}; /* says nothing about them, and may leave no room */
    MT_TRY(read_folder(o->folder, &f));
    MT_TRY(verify(&o->own->evidence, &f.c, o->now_ms, trace));
    lend(&f.c, &b.evidence.collateral);
    mt_bundle_write(&w, &b);
    mt_err e = mt_write_end(&w, &bytes);
    MT_CHECK(trace, !mt_failed(e), MT_E_LIMIT, "collateral-size",
             "evidence and collateral together are not too long to be shown",
             "the maker's lists have grown beyond what a node can show: hand them to verifiers "
             "another way");
    MT_TRY(mt_bundle_parse(bytes, &next.bundle));
    if (!mt_bytes_equal(bytes, mt_buf_bytes(&h->bytes))) {
        MT_TRY(mt_small_file_write(o->fs, o->root, sealed_name, bytes));
    }
    mt_held_free(h);
    *h = next;
    next.bytes = mt_buf_of_max(0); /* given */
    return MT_OK;
}
