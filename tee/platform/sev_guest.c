/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/sev-guest.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "attest/snp_report.h"
#include "crypto/ct.h"
#include "crypto/kdf.h"
#include "platform/makers.h"

/*
 * /dev/sev-guest (Linux, drivers/virt/coco/sev-guest; AMD 56860, MSG_REPORT_REQ and MSG_KEY_REQ).
 * Responses begin with a status; what was asked for stands 32 bytes on. After an error on the way
 * to the firmware the kernel gives up the key that it talks with, since one number must not seal
 * two messages: until the machine starts again the device answers ENOTTY to everything.
 */
enum {
    BODY_AT = 32,
    STATUS_LEN = 4,
    MESSAGE_VERSION = 1,
    CERTS_BYTES = 16 * 1024, /* the most that the kernel takes (SEV_FW_BLOB_MAX_SIZE) */
    CERTS_ALIGNMENT = 4096,
    ROOT_VCEK = 0,
    FIELD_POLICY = 1 << 0,
    FIELD_MEASUREMENT = 1 << 3,
    FIELD_GUEST_SVN = 1 << 4,
    FIELD_TCB_VERSION = 1 << 5,
    LEVEL_LEN = MT_SNP_TCB_LEN + 4,
    STATUS_INVALID = 0x16,
};
static const char path[] = "/dev/sev-guest";

struct sev_guest {
    struct mt_device device;
    struct mt_device_io *io;
    uint8_t *certs; /* of CERTS_BYTES, as the kernel wants it */
};

static struct sev_guest *guest_of(struct mt_device *d)
{
    return (struct sev_guest *)(void *)d;
}

/* `is_short`: the table of certificates had no room, and there was no other trouble. */
static MT_ERR order(struct mt_device_io *io, unsigned long request, void *in, void *out,
                    bool *is_short)
{
    struct snp_guest_request_ioctl r = {
        .msg_version = MESSAGE_VERSION,
        .req_data = (uint64_t)(uintptr_t)in,
        .resp_data = (uint64_t)(uintptr_t)out,
    };
    int fd = -1;
    MT_TRY(io->ops->open(io, path, MT_IO_BOTH, &fd));
    mt_err e = io->ops->ioctl(io, fd, request, &r);
    io->ops->close(io, fd);
    *is_short = mt_failed(e) && r.vmm_error == SNP_GUEST_VMM_ERR_INVALID_LEN;
    bool is_dead = mt_failed(e) && e.fault->code == MT_E_CLOSED;
    MT_REQUIRE(!is_dead, MT_E_CLOSED,
               "the kernel has given up its key to the firmware: only a restart of the machine "
               "brings it back");
    return e;
}

static MT_ERR read_status(const uint8_t *response, uint32_t *out)
{
    struct mt_reader r = mt_reader_over((mt_bytes){response, STATUS_LEN});
    return mt_read_u32le(&r, out);
}

static MT_ERR check_status(const uint8_t *response)
{
    uint32_t status = 0;
    MT_TRY(read_status(response, &status));
    MT_REQUIRE(status == 0, MT_E_IO, "the firmware refused what it was asked");
    return MT_OK;
}

static mt_err evidence(struct mt_device *d, const uint8_t report_data[MT_REPORT_DATA_LEN],
                       struct mt_device_evidence *out)
{
    struct sev_guest *g = guest_of(d);
    struct snp_report_resp response = {{0}};
    struct snp_ext_report_req request = {
        .certs_address = (uint64_t)(uintptr_t)g->certs,
        .certs_len = CERTS_BYTES,
    };
    bool is_short = false;
    mt_bytes certs = {g->certs, CERTS_BYTES};
    memset(g->certs, 0, CERTS_BYTES); /* a host without certificates writes nothing */
    memcpy(request.data.user_data, report_data, MT_REPORT_DATA_LEN);
    mt_err e = order(g->io, SNP_GET_EXT_REPORT, &request, &response, &is_short);
    if (is_short) { /* a verifier can have the certificate elsewhere */
        certs.len = 0;
        e = order(g->io, SNP_GET_REPORT, &request.data, &response, &is_short);
    }
    MT_TRY(e);
    MT_TRY(check_status(response.data));
    return mt_device_take_snp((mt_bytes){response.data + BODY_AT, MT_SNP_REPORT_LEN}, certs,
                              report_data, out);
}

/* The committed TCB version, which firmware is never taken back below, and the guest's own number:
 * the most that a derived key may be asked to be of. */
static mt_err level(struct mt_device *d, struct mt_buf *out)
{
    struct snp_report_req request = {.user_data = {0}};
    struct snp_report_resp response = {{0}};
    struct mt_snp_report report;
    bool is_short = false;
    mt_bytes all;
    struct mt_writer w = mt_writer_onto(out);
    MT_TRY(order(guest_of(d)->io, SNP_GET_REPORT, &request, &response, &is_short));
    MT_TRY(check_status(response.data));
    MT_TRY(mt_snp_report_parse((mt_bytes){response.data + BODY_AT, MT_SNP_REPORT_LEN}, &report));
    mt_write_bytes(&w, report.committed_tcb);
    mt_write_u32le(&w, report.guest_svn);
    return mt_write_end(&w, &all);
}

static mt_err is_current(struct mt_device *d, mt_bytes kept, bool *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf now = mt_buf_of_max(LEVEL_LEN);
    MT_TRY(level(d, &now));
    *out = mt_bytes_equal(mt_buf_bytes(&now), kept);
    return MT_OK;
}

static MT_ERR ask_for_level(mt_bytes of_level, struct snp_derived_key_req *request)
{
    struct mt_reader r = mt_reader_over(of_level);
    uint64_t tcb_version = 0;
    if (of_level.len == 0) {
        return MT_OK;
    }
    MT_TRY(mt_read_u64le(&r, &tcb_version));
    MT_TRY(mt_read_u32le(&r, &request->guest_svn));
    request->tcb_version = tcb_version;
    request->guest_field_select |= FIELD_GUEST_SVN | FIELD_TCB_VERSION;
    return mt_read_end(&r);
}

/* "Must not exceed CommittedTcb": that it does is the one thing that can be wrong with a request
 * that this firmware has granted before. */
static MT_ERR check_granted(const uint8_t *response, bool has_level)
{
    uint32_t status = 0;
    MT_TRY(read_status(response, &status));
    MT_REQUIRE(status != STATUS_INVALID || !has_level, MT_E_DENIED,
               "the machine's firmware is older than the key slot: it was taken back");
    return check_status(response);
}

/* Of this chip, for a guest of this measurement under this policy: without both, whatever else the
 * host starts on the machine would have the key. */
static mt_err derive(struct mt_device *d, mt_bytes context, mt_bytes of_level, mt_span out)
{
    struct sev_guest *g = guest_of(d);
    struct snp_derived_key_req request = {
        .root_key_select = ROOT_VCEK,
        .guest_field_select = FIELD_POLICY | FIELD_MEASUREMENT,
    };
    struct snp_derived_key_resp response = {{0}};
    bool is_short = false;
    MT_TRY(ask_for_level(of_level, &request));
    mt_err e = order(g->io, SNP_GET_DERIVED_KEY, &request, &response, &is_short);
    e = mt_failed(e) ? e : check_granted(response.data, of_level.len > 0);
    e = mt_failed(e) ? e
                     : mt_kdf((mt_bytes){response.data + BODY_AT, MT_DEVICE_SECRET_LEN},
                              MT_LABEL_DEVICE_SNP, context, out);
    mt_wipe((mt_span){response.data, sizeof response.data});
    return e;
}

static void guest_close(struct mt_device *d)
{
    free(guest_of(d)->certs);
    free(d);
}

MT_ERR mt_sev_guest_new(struct mt_device_io *io, struct mt_device **out)
{
    static const struct mt_device_ops ops = {
        .evidence = evidence,
        .level = level,
        .derive = derive,
        .is_current = is_current,
        .close = guest_close,
    };
    int fd = -1;
    MT_TRY(io->ops->open(io, path, MT_IO_BOTH, &fd));
    io->ops->close(io, fd);
    struct sev_guest *g = calloc(1, sizeof *g);
    uint8_t *certs = aligned_alloc(CERTS_ALIGNMENT, CERTS_BYTES);
    if (g == NULL || certs == NULL) {
        free(g);
        free(certs);
        MT_FAIL(MT_E_NOMEM, "no memory for a device");
    }
    *g = (struct sev_guest){{&ops, MT_EVIDENCE_SNP}, io, certs};
    *out = &g->device;
    return MT_OK;
}
