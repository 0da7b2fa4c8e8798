/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "base/limits.h"
#include "ledger/write_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static size_t read_changes(mt_bytes item, struct mt_change *out, size_t max)
{
    struct mt_changes_cursor c;
    bool is_end = false;
    size_t count = 0;
    MT_ASSERT(!mt_failed(mt_changes_begin(item, &c)));
    while (count < max) {
        MT_ASSERT(!mt_failed(mt_changes_next(&c, &out[count], &is_end)));
        if (is_end) {
            break;
        }
        count++;
    }
    return count;
}

static size_t read_tagged(mt_bytes item, struct mt_tagged *out)
{
    struct mt_tagged_cursor c;
    bool is_end = false;
    size_t count = 0;
    MT_ASSERT(!mt_failed(mt_tagged_begin(item, &c)));
    for (;;) {
        struct mt_tagged t;
        MT_ASSERT(!mt_failed(mt_tagged_next(&c, &t, &is_end)));
        if (is_end) {
            return count;
        }
        MT_ASSERT(count < MT_TX_EVENTS_MAX);
        out[count++] = t;
    }
}

/* The public part, then the private one. What is accepted is written back byte for byte. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    enum { CHANGES_MAX = 1000 };
    static struct mt_change changes[CHANGES_MAX];
    static struct mt_tagged claims[MT_TX_EVENTS_MAX];
    static struct mt_tagged events[MT_TX_EVENTS_MAX];
    static uint8_t room[1024 * 1024];
    struct mt_reader public_ = mt_reader_over((mt_bytes){data, len});
    struct mt_write_set s;
    mt_bytes written;

    /* Both from one reader: one stands behind the other. */
    if (mt_failed(mt_write_set_parse(&public_, &public_, &s)) || len > sizeof room) {
        return 0;
    }
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    size_t count = read_changes(s.public_, changes, CHANGES_MAX);
    if (count < CHANGES_MAX) {
        mt_public_part_write(&w, changes, count);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &written)));
        MT_ASSERT(mt_bytes_equal(written, s.public_));
    }
    struct mt_private_part p = {.nonce = s.nonce, .claims = claims, .changes = changes};
    p.changes_count = read_changes(s.changes, changes, CHANGES_MAX);
    p.claims_count = read_tagged(s.claims, claims);
    p.events = events;
    p.events_count = read_tagged(s.events, events);
    if (p.changes_count < CHANGES_MAX) {
        w = mt_writer_over((mt_span){room, sizeof room});
        mt_private_part_write(&w, &p);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &written)));
        MT_ASSERT(mt_bytes_equal(written, s.private_));
    }
    return 0;
}
