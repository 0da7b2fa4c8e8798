/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include "base/assert.h"

enum { SECOND_MS = 1000, DAY_S = 24 * 60 * 60, YEAR_MAX = 9999 };

static bool is_leap(uint64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static uint64_t days_of_month(uint64_t year, uint64_t month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970 until the first of January of `year`. */
static uint64_t days_before(uint64_t year)
{
    uint64_t y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 - 719162; /* the last is those before 1970 */
}

static bool read_digits(mt_bytes text, size_t at, size_t count, uint64_t *out)
{
    *out = 0;
    for (size_t i = at; i < at + count; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        *out = *out * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    return true;
}

struct fields {
    uint64_t year;
    uint64_t month;
    uint64_t day;
    uint64_t hour;
    uint64_t minute;
    uint64_t second;
};

static bool read_fields(mt_bytes t, struct fields *f)
{
    return t.len == MT_TIME_TEXT_LEN && t.ptr[4] == '-' && t.ptr[7] == '-' && t.ptr[10] == 'T' &&
           t.ptr[13] == ':' && t.ptr[16] == ':' && t.ptr[19] == 'Z' &&
           read_digits(t, 0, 4, &f->year) && read_digits(t, 5, 2, &f->month) &&
           read_digits(t, 8, 2, &f->day) && read_digits(t, 11, 2, &f->hour) &&
           read_digits(t, 14, 2, &f->minute) && read_digits(t, 17, 2, &f->second);
}

MT_ERR mt_time_parse(mt_bytes text, uint64_t *ms)
{
    struct fields f;
    MT_REQUIRE(read_fields(text, &f), MT_E_FORMAT, "a time is written 2025-07-01T00:00:00Z");
    MT_REQUIRE(f.year >= 1970 && f.month >= 1 && f.month <= 12 && f.day >= 1 &&
                   f.day <= days_of_month(f.year, f.month) && f.hour < 24 && f.minute < 60 &&
                   f.second < 60,
               MT_E_FORMAT, "there is no such time, or it is before 1970");
    uint64_t days = days_before(f.year) + f.day - 1;
    for (uint64_t m = 1; m < f.month; m++) {
        days += days_of_month(f.year, m);
    }
    *ms = (days * DAY_S + f.hour * 3600 + f.minute * 60 + f.second) * SECOND_MS;
    return MT_OK;
}

static void write_number(struct mt_writer *w, uint64_t n, unsigned count)
{
    uint64_t unit = 1;
    while (--count > 0) {
        unit *= 10;
    }
    for (; unit > 0; unit /= 10) {
        mt_write_u8(w, (uint8_t)('0' + n / unit % 10));
    }
}

void mt_time_write(struct mt_writer *w, uint64_t ms)
{
    uint64_t days = ms / SECOND_MS / DAY_S;
    uint64_t second = ms / SECOND_MS % DAY_S;
    uint64_t year = 1970 + days / 366; /* not later than the right one */
    uint64_t month = 1;
    while (days_before(year + 1) <= days) {
        year++;
    }
    MT_ASSERT(year <= YEAR_MAX);
    days -= days_before(year);
    while (days >= days_of_month(year, month)) {
        days -= days_of_month(year, month++);
    }
    const struct {
        uint64_t value;
        unsigned digits;
        char after;
    } parts[] = {{year, 4, '-'},
                 {month, 2, '-'},
                 {days + 1, 2, 'T'},
                 {second / 3600, 2, ':'},
                 {second / 60 % 60, 2, ':'},
                 {second % 60, 2, 'Z'}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        write_number(w, parts[i].value, parts[i].digits);
        mt_write_u8(w, (uint8_t)parts[i].after);
    }
}
