/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/soft.h"

#include "base/assert.h"
#include "unit/fuzz.h"

/* Never genuine for report data that it was not made for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    static const uint8_t other[MT_REPORT_DATA_LEN] = {0x5a};
    struct mt_claims claims;
    struct mt_trace trace = {.count = 0};
    const struct mt_soft_input in = {.evidence = {data, len}, .now_ms = 1};
    (void)mt_failed(mt_soft_evidence_show((mt_bytes){data, len}, &claims));
    MT_ASSERT(mt_failed(mt_soft_verify(&in, other, &claims, &trace)));
    MT_ASSERT(mt_trace_failed(&trace) != NULL);
    return 0;
}
