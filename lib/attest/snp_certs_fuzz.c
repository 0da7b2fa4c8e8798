/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/snp_certs.h"
#include "unit/fuzz.h"

static bool is_inside(mt_bytes part, mt_bytes whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.len <= whole.len &&
                             (size_t)(part.ptr - whole.ptr) <= whole.len - part.len);
}

/* What is found lies in the table. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mt_snp_certs c;
    const mt_bytes in = {data, len};
    fuzz_begin();
    if (!mt_failed(mt_snp_certs_parse(in, &c))) {
        MT_ASSERT(is_inside(c.vcek, in));
        MT_ASSERT(is_inside(c.vlek, in));
    }
    return 0;
}
