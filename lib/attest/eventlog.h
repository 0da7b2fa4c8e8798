/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_EVENTLOG_H
#define MT_ATTEST_EVENTLOG_H

#include "base/id.h"
#include "base/limits.h"

/*
 * The measurement log, in the crypto-agile format of the TCG PC Client Platform Firmware Profile
 * (TCG_PCR_EVENT2, SHA-256 bank alone), so that the same log can be extended into a TPM later.
 * Registers: 0 code, 1 configuration, 2 kernel facts; value = SHA-256(value || digest) from zeros.
 */
enum { MT_REGISTER_CODE, MT_REGISTER_CONFIGURATION, MT_REGISTER_KERNEL, MT_REGISTERS };

/* EV_IPL: the digest of a file whose path is the data, or of bytes that the data names. EV_ACTION:
 * the digest of the data itself. */
enum mt_event_type { MT_EV_ACTION = 5, MT_EV_IPL = 13 };

struct mt_event {
    uint32_t index; /* register */
    enum mt_event_type type;
    mt_hash digest;
    mt_bytes data;
};

struct mt_eventlog {
    struct mt_event events[MT_EVENTS_MAX];
    size_t count;
    mt_hash registers[MT_REGISTERS];
};

/* The first record; then events. */
void mt_eventlog_head_write(struct mt_writer *w);
void mt_event_write(struct mt_writer *w, const struct mt_event *e);

/* Parses and replays; recomputes the digest of EV_ACTION from its data. Some KiB: keep it out of
 * deep stacks. Borrows from `in`. */
MT_ERR mt_eventlog_parse(mt_bytes in, struct mt_eventlog *out);

/* What the registers hold in the end, for whoever needs no events: MT_E_NOMEM or as above. */
MT_ERR mt_eventlog_replay(mt_bytes in, mt_hash registers[MT_REGISTERS]);

#endif
