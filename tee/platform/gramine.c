/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>

#include "base/limits.h"
#include "crypto/ct.h"
#include "crypto/kdf.h"
#include "platform/makers.h"

/*
 * /dev/attestation of Gramine (its Documentation/attestation.rst). What user_report_data holds
 * belongs to the process, not to a descriptor, and reading `quote` asks about whatever it holds
 * then: writing and reading are one step, under one lock for all of the process, and the quote is
 * asked what it is about all the same.
 */
enum { TEXT_MAX = 64, KEY_LEN = 16 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct gramine {
    struct mt_device device;
    struct mt_device_io *io;
};

static MT_ERR quote_about(struct mt_device_io *io, const uint8_t report_data[MT_REPORT_DATA_LEN],
                          struct mt_buf *quote)
{
    (void)pthread_mutex_lock(&lock);
    mt_err e = mt_io_put(io, "/dev/attestation/user_report_data",
                         (mt_bytes){report_data, MT_REPORT_DATA_LEN});
    e = mt_failed(e) ? e : mt_io_get(io, "/dev/attestation/quote", quote);
    (void)pthread_mutex_unlock(&lock);
    return e;
}

static mt_err evidence(struct mt_device *d, const uint8_t report_data[MT_REPORT_DATA_LEN],
                       struct mt_device_evidence *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf quote = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    MT_TRY(quote_about(((struct gramine *)(void *)d)->io, report_data, &quote));
    return mt_device_take_quote(MT_EVIDENCE_SGX, mt_buf_bytes(&quote), report_data, out);
}

/* Of this processor, for an enclave of this MRENCLAVE, at this level of its microcode. EGETKEY
 * would give those of earlier levels too; Gramine's file gives the one of now and takes no word for
 * which.
 */
static mt_err derive(struct mt_device *d, mt_bytes context, mt_bytes level, mt_span out)
{
    MT_REQUIRE(level.len == 0, MT_E_FORMAT, "Gramine gives keys of the level of now alone");
    MT_DEFER(mt_buf_free) struct mt_buf key = mt_buf_of_max(TEXT_MAX); /* wiped when freed */
    MT_TRY(
        mt_io_get(((struct gramine *)(void *)d)->io, "/dev/attestation/keys/_sgx_mrenclave", &key));
    MT_REQUIRE(key.len == KEY_LEN, MT_E_FORMAT, "a key of the enclave has another length");
    return mt_kdf(mt_buf_bytes(&key), MT_LABEL_DEVICE_SGX, context, out);
}

static void gramine_close(struct mt_device *d)
{
    free(d);
}

MT_ERR mt_gramine_new(struct mt_device_io *io, struct mt_device **out)
{
    static const struct mt_device_ops ops = {
        .evidence = evidence, .derive = derive, .close = gramine_close};
    MT_DEFER(mt_buf_free) struct mt_buf type = mt_buf_of_max(TEXT_MAX);
    MT_TRY(mt_io_get(io, "/dev/attestation/attestation_type", &type));
    MT_REQUIRE(
        mt_bytes_equal(mt_buf_bytes(&type), MT_LITERAL("dcap")), MT_E_NOTFOUND,
        "Gramine runs without DCAP: its manifest must say sgx.remote_attestation = \"dcap\"");
    struct gramine *g = calloc(1, sizeof *g);
    MT_REQUIRE(g != NULL, MT_E_NOMEM, "no memory for a device");
    *g = (struct gramine){{&ops, MT_EVIDENCE_SGX}, io};
    *out = &g->device;
    return MT_OK;
}
