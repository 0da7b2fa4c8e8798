/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/policy.h"

#include "base/assert.h"
#include "unit/fuzz.h"

/* Canonical: what is accepted is what we would have written. A policy that names an empty list
 * where we leave one out is the one exception, so configurations are looked at first. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    static struct mt_policy policy;
    mt_spki signer;
    MT_DEFER(mt_buf_free) struct mt_buf again = mt_buf_of_max((size_t)1 << 20);
    struct mt_writer w = mt_writer_onto(&again);
    mt_bytes written;
    bool is_file = !mt_failed(mt_policy_file_parse((mt_bytes){data, len}, &signer, &policy));
    if (!is_file && !mt_failed(mt_policy_parse((mt_bytes){data, len}, &policy))) {
        mt_policy_write(&w, &policy);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &written)));
        bool names_none = memmem(data, len, "\"configurations\":[]", 19) != NULL;
        MT_ASSERT(names_none || mt_bytes_equal(written, (mt_bytes){data, len}));
    }
    return 0;
}
