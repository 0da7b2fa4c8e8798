/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/tcg_log.h"

#include "base/assert.h"
#include "unit/fuzz.h"

/* A log that replays for one bank has so many events for the other too, or is refused by it. */
static mt_err count(void *state, const struct mt_tcg_event *e)
{
    size_t *events = state;
    MT_ASSERT(e->digest.len == 0 || e->digest.len == 32 || e->digest.len == 48);
    (*events)++;
    return MT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    struct mt_tcg_replay pcrs;
    struct mt_tcg_replay rtmrs;
    bool is_pcrs = !mt_failed(mt_tcg_log_replay((mt_bytes){data, len}, MT_TCG_PCRS_SHA256, &pcrs));
    bool is_rtmrs =
        !mt_failed(mt_tcg_log_replay((mt_bytes){data, len}, MT_TCG_RTMRS_SHA384, &rtmrs));
    MT_ASSERT(!is_pcrs || !is_rtmrs || pcrs.events == rtmrs.events);
    size_t events = 0;
    bool is_log =
        !mt_failed(mt_tcg_log_parse((mt_bytes){data, len}, MT_TCG_PCRS_SHA256, count, &events));
    MT_ASSERT(!is_pcrs || (is_log && events == pcrs.events));
    MT_ASSERT(!is_rtmrs || rtmrs.touched < 1U << 4);
    return 0;
}
