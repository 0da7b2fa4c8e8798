/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/receipt.h"

#include "base/assert.h"
#include "wire/cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t room[MT_RECEIPT_BYTES_MAX];

static void check_written(const struct mt_writer *w, mt_bytes in)
{
    mt_bytes out;
    MT_ASSERT(!mt_failed(mt_write_end(w, &out)) && mt_bytes_equal(in, out));
}

static void check_header(mt_bytes in)
{
    struct mt_receipt_header h;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (!mt_failed(mt_receipt_header_parse(in, &h))) {
        mt_receipt_header_write(&w, &h);
        check_written(&w, in);
    }
}

static void check_proof(mt_bytes in)
{
    static struct mt_receipt_proof p;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (!mt_failed(mt_receipt_proof_parse(in, &p))) {
        mt_receipt_proof_write(&w, &p);
        check_written(&w, in);
    }
}

/* A whole receipt and what is inside; and the input as each of the parts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct mt_receipt r;
    struct mt_cose_sign1 m;
    mt_bytes in = {data, len};
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (!mt_failed(mt_receipt_parse(in, &r))) {
        mt_receipt_write(&w, &r);
        check_written(&w, in);
        if (!mt_failed(mt_cose_sign1_parse(r.signed_, &m))) {
            check_header(m.protected_);
            check_proof(m.unprotected);
        }
    }
    check_header(in);
    check_proof(in);
    return 0;
}
