/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_TCG_LOG_H
#define MT_ATTEST_TCG_LOG_H

#include "base/bytes.h"

/*
 * Event logs of firmware, crypto-agile (TCG PC Client Platform Firmware Profile 1.05, 10.2): what
 * was extended into PCRs, or into the RTMRs of a TDX guest (CCEL), little endian. A log explains
 * values that hardware has signed, and is never trusted by itself: the digest does not cover an
 * event's type, nor always its data.
 */
enum { MT_TCG_PCRS_MAX = 24, MT_TCG_DIGEST_MAX = 48, MT_TCG_EVENTS_MAX = 4096 };

enum mt_tcg_bank {
    MT_TCG_PCRS_SHA256,  /* registers are PCRs */
    MT_TCG_RTMRS_SHA384, /* registers 0 to 3; events say 1 to 4 */
};

struct mt_tcg_replay {
    uint8_t values[MT_TCG_PCRS_MAX][MT_TCG_DIGEST_MAX];
    uint32_t touched; /* a bit for each register that an event went into, or that was set */
    size_t events;
};

/* Replays the bank. MT_E_FORMAT for anything cut, out of bounds, or without a digest of the bank.
 */
MT_ERR mt_tcg_log_replay(mt_bytes log, enum mt_tcg_bank bank, struct mt_tcg_replay *out);

struct mt_tcg_event {
    uint32_t index; /* as the log says it */
    uint32_t type;
    mt_bytes digest; /* of the bank; empty: it has none */
    mt_bytes data;
};
/* For people: each event in turn. */
MT_ERR mt_tcg_log_parse(mt_bytes log, enum mt_tcg_bank bank,
                        mt_err (*each)(void *state, const struct mt_tcg_event *e), void *state);

#endif
