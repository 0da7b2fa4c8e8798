/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include <string.h>

#include "base/assert.h"
#include "unit/runner.h"

static bool is_read(const char *text, uint64_t ms)
{
    uint64_t got = 0;
    return !mt_failed(mt_time_parse(mt_bytes_of_text(text), &got)) && got == ms;
}

static mt_bytes text_of(uint8_t room[MT_TIME_TEXT_LEN], uint64_t ms)
{
    struct mt_writer w = mt_writer_over((mt_span){room, MT_TIME_TEXT_LEN});
    mt_bytes out;
    mt_time_write(&w, ms);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    return out;
}

static void times_that_are_known_are_read(void)
{
    MT_ASSERT(is_read("1970-01-01T00:00:00Z", 0));
    MT_ASSERT(is_read("2000-02-29T23:59:59Z", UINT64_C(951868799000)));
    MT_ASSERT(is_read("2025-07-01T00:00:00Z", UINT64_C(1751328000000)));
    MT_ASSERT(is_read("9999-12-31T23:59:59Z", UINT64_C(253402300799000)));
}

static void every_day_until_2500_is_written_and_read(void)
{
    uint8_t room[MT_TIME_TEXT_LEN];
    const uint64_t day_ms = UINT64_C(86400000);
    for (uint64_t ms = 0; ms < 530 * 366 * day_ms; ms += day_ms + 3661000) {
        uint64_t again = 1;
        MT_ASSERT(!mt_failed(mt_time_parse(text_of(room, ms + 999), &again)));
        MT_ASSERT(again == ms);
    }
}

static void what_is_no_time_is_refused(void)
{
    static const char *const bad[] = {"",
                                      "2025-07-01",
                                      "2025-07-01T00:00:00",
                                      "2025-07-01T00:00:00+00:00",
                                      "2025-07-01 00:00:00Z",
                                      "2025-07-01T00:00:00z",
                                      "2025-07-01T00:00:00.5Z",
                                      "1969-12-31T23:59:59Z",
                                      "2025-00-01T00:00:00Z",
                                      "2025-13-01T00:00:00Z",
                                      "2025-07-00T00:00:00Z",
                                      "2025-06-31T00:00:00Z",
                                      "2025-02-29T00:00:00Z",
                                      "1900-02-29T00:00:00Z",
                                      "2100-02-29T00:00:00Z",
                                      "2025-07-01T24:00:00Z",
                                      "2025-07-01T00:60:00Z",
                                      "2025-07-01T00:00:60Z",
                                      "2025-07-01T00:00:0aZ",
                                      "+025-07-01T00:00:00Z",
                                      "2025-07-01T00:00:00Z ",
                                      "2025-7-001T00:00:00Z",
                                      "2025/07-01T00:00:00Z",
                                      "2025-07/01T00:00:00Z",
                                      "2025-07-01T00.00:00Z",
                                      "2025-07-01T00:00.00Z"};
    uint64_t ms = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mt_err e = mt_time_parse(mt_bytes_of_text(bad[i]), &ms);
        MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_FORMAT && ms == 0);
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(times_that_are_known_are_read),
        MT_TEST(every_day_until_2500_is_written_and_read),
        MT_TEST(what_is_no_time_is_refused),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
