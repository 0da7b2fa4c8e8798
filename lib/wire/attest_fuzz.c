/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/attest.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t room[2 * MT_ATTEST_MESSAGE_BYTES_MAX];

static void check_message(mt_bytes in)
{
    struct mt_attest_request q;
    struct mt_attest a;
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    if (!mt_failed(mt_attest_request_parse(in, &q))) {
        mt_attest_request_write(&w, &q);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &out)) && mt_bytes_equal(in, out));
        MT_ASSERT(mt_failed(mt_attest_parse(in, &a))); /* never both */
    } else if (!mt_failed(mt_attest_parse(in, &a))) {
        mt_attest_write(&w, &a);
        MT_ASSERT(!mt_failed(mt_write_end(&w, &out)) && mt_bytes_equal(in, out));
    }
}

/* Frames first, as they come from a peer; then the whole input as one message. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    mt_bytes in = {data, len};
    mt_bytes message;
    bool is_whole = true;
    while (is_whole && !mt_failed(mt_attest_frame_read(&in, &message, &is_whole)) && is_whole) {
        MT_ASSERT(message.len > 0 && message.len <= MT_ATTEST_MESSAGE_BYTES_MAX);
        check_message(message);
    }
    if (len <= MT_ATTEST_MESSAGE_BYTES_MAX) {
        check_message((mt_bytes){data, len});
    }
    return 0;
}
