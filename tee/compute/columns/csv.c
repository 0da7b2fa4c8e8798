/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compute/columns/csv.h"

#include <emmintrin.h>
#include <string.h>

#include "base/assert.h"
#include "compute/columns/csv_text.h"

/* Marks are looked for in blocks of 64 bytes: one bit a byte. */
enum {
    BLOCK = 64,
    ROOM_FIRST = 2 * MT_CSV_PIECE_BYTES,
    ROOM_MAX = MT_CSV_RECORD_BYTES_MAX + MT_CSV_PIECE_BYTES,
};
_Static_assert(ROOM_FIRST <= ROOM_MAX, "the room may grow");
_Static_assert((size_t)MT_CSV_SLACK_BYTES <= BLOCK, "what may be read behind a field is there");

/* What a look at the bytes ahead has found. */
enum found {
    FIELD, /* one that is not the last of its row */
    LAST,  /* the last field of a row */
    MORE,  /* nothing complete: read on */
    END,   /* of the input, between two rows */
    BARE_CR,
    QUOTE_INSIDE,
    QUOTE_FOLLOWED,
    QUOTE_OPEN,
    TOO_MANY,
    TOO_LONG,
};

/*
 * The buffer holds the row under way and what was read beyond it:
 *   0 .. start: done;  start .. end: read;  end .. end + BLOCK: zeros, so that blocks may overhang.
 * When the row under way is not complete, it moves to the front and the next piece is read behind
 * it. Fields are slices of the buffer; doubled quotes are halved in place once the row is complete.
 */
struct mt_csv {
    struct mt_job_memory *memory;
    struct mt_csv_source source;
    bool is_prefix;
    bool has_ended;
    bool has_doubled; /* the row under way has doubled quotes */
    uint8_t *buf;
    size_t room; /* without the BLOCK behind it */
    size_t start;
    size_t end;
    size_t checked;  /* how far the bytes are known to be good */
    size_t bad_at;   /* the first byte that is NUL or not UTF-8; SIZE_MAX if there is none */
    uint64_t offset; /* of buf[0] in the input */
    size_t block_at; /* the block under the cursor */
    uint64_t marks;  /* its marks that lie ahead */
    struct mt_csv_place fault;
    uint64_t row;
    uint32_t columns; /* MT_CSV_COLUMNS_MAX while the header is read */
    uint32_t count;   /* fields of the row under way */
    struct mt_slabs names;
    mt_bytes name[MT_CSV_COLUMNS_MAX];
    mt_bytes field[MT_CSV_COLUMNS_MAX];
};

static uint64_t marks_of_vector(const uint8_t *p)
{
    __m128i v = _mm_loadu_si128((const __m128i_u *)p);
    __m128i ends = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n')),
                                _mm_cmpeq_epi8(v, _mm_set1_epi8('\r')));
    __m128i marks =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(',')), _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(ends, marks));
}

/* Looks for commas, quotes and line ends in the block at `at`. */
static void aim(struct mt_csv *c, size_t at)
{
    const uint8_t *p = c->buf + at;
    c->block_at = at;
    c->marks = marks_of_vector(p) | marks_of_vector(p + 16) << 16 | marks_of_vector(p + 32) << 32 |
               marks_of_vector(p + 48) << 48;
}

/* The next mark ahead; the cursor moves behind it. False at the end of what was read. */
static inline bool next_mark(struct mt_csv *c, size_t *at)
{
    while (c->marks == 0) {
        if (c->end - c->block_at <= BLOCK) {
            return false;
        }
        aim(c, c->block_at + BLOCK);
    }
    *at = c->block_at + (size_t)__builtin_ctzll(c->marks);
    c->marks &= c->marks - 1;
    return true;
}

/* The next mark is known to be at `at`. */
static void pass_mark(struct mt_csv *c, size_t at)
{
    size_t passed = 0;
    bool is_there = next_mark(c, &passed);
    MT_ASSERT(is_there);
    MT_ASSERT(passed == at);
}

struct cut {
    size_t from; /* the field, without its quotes */
    size_t to;
    size_t next; /* where the field after it begins; in a fault, the byte that is wrong */
};

/* What follows the byte at `at` is not there yet, or no whole character. */
static bool is_followed_by_nothing(const struct mt_csv *c, size_t at)
{
    bool is_last = c->has_ended && at + 1 == c->end;
    return at + 1 >= c->checked && !is_last;
}

/* At a carriage return: RFC 4180, "Each record is located on a separate line, delimited by a line
 * break (CRLF)", and TEXTDATA has no CR. */
static enum found cut_at_cr(struct mt_csv *c, size_t at, struct cut *cut)
{
    if (is_followed_by_nothing(c, at)) {
        return MORE;
    }
    cut->next = at;
    if (at + 1 == c->end || c->buf[at + 1] != '\n') {
        return BARE_CR;
    }
    pass_mark(c, at + 1);
    cut->next = at + 2;
    return LAST;
}

/* From the mark behind an opening quote to the closing one, which is followed by the end of the
 * field. */
static enum found find_closing(struct mt_csv *c, size_t *closing)
{
    size_t at = 0;
    while (next_mark(c, &at)) {
        if (c->buf[at] != '"') {
            continue;
        }
        *closing = at;
        if (is_followed_by_nothing(c, at)) {
            return MORE;
        }
        if (at + 1 == c->end) {
            return LAST;
        }
        if (c->buf[at + 1] != '"') {
            return FIELD;
        }
        pass_mark(c, at + 1);
        c->has_doubled = true;
    }
    return c->has_ended ? QUOTE_OPEN : MORE;
}

/* At a quote or a carriage return. */
static __attribute__((noinline)) enum found cut_odd(struct mt_csv *c, size_t at, struct cut *cut)
{
    if (c->buf[at] == '\r') {
        return cut_at_cr(c, at, cut);
    }
    cut->next = at;
    if (at != cut->from) {
        return QUOTE_INSIDE;
    }
    enum found found = find_closing(c, &cut->to);
    if (found == LAST) {
        cut->from++;
        cut->next = c->end;
    }
    if (found != FIELD) {
        return found;
    }
    cut->from++;
    at = cut->to + 1;
    cut->next = at;
    if (c->buf[at] != ',' && c->buf[at] != '\n' && c->buf[at] != '\r') {
        return QUOTE_FOLLOWED;
    }
    pass_mark(c, at);
    cut->next = at + 1;
    if (c->buf[at] == '\r') {
        return cut_at_cr(c, at, cut);
    }
    return c->buf[at] == ',' ? FIELD : LAST;
}

/* No mark is left in what was read. */
static enum found cut_at_end(struct mt_csv *c, struct cut *cut)
{
    if (!c->has_ended) {
        return MORE;
    }
    cut->to = c->end;
    cut->next = c->end;
    return c->start == c->end ? END : LAST;
}

static inline enum found cut_field(struct mt_csv *c, struct cut *cut)
{
    size_t at = 0;
    cut->from = cut->next;
    if (!next_mark(c, &at)) {
        return cut_at_end(c, cut);
    }
    cut->to = at;
    cut->next = at + 1;
    if (c->buf[at] == ',') {
        return FIELD;
    }
    return c->buf[at] == '\n' ? LAST : cut_odd(c, at, cut);
}

/* Cuts the row at `start` into fields. `stop` is where it ends, or where it is wrong. */
static enum found cut_row(struct mt_csv *c, size_t *stop)
{
    struct cut cut = {.next = c->start};
    enum found found = FIELD;
    c->count = 0;
    c->has_doubled = false;
    while (found == FIELD) {
        found = cut_field(c, &cut);
        if (found > LAST) {
            break;
        }
        c->field[c->count] = (mt_bytes){c->buf + cut.from, cut.to - cut.from};
        c->count++;
        if (c->count == c->columns && found == FIELD) {
            found = TOO_MANY;
            cut.next--; /* it is the comma that says so */
        }
    }
    *stop = cut.next;
    return found;
}

/* RFC 4180: 'a double-quote appearing inside a field must be escaped by preceding it with another
 * double quote'. Unquoted fields have none. */
static void halve_quotes(struct mt_csv *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        uint8_t *p = c->buf + (c->field[i].ptr - c->buf);
        size_t len = 0;
        for (size_t from = 0; from < c->field[i].len; from++) {
            p[len++] = p[from];
            from += p[from] == '"';
        }
        c->field[i].len = len;
    }
}

static mt_err source_read(const struct mt_csv_source *s, mt_span out, size_t *got)
{
    return s->read(s->context, out, got);
}

static MT_ERR grow(struct mt_csv *c)
{
    size_t room = c->room == 0 ? ROOM_FIRST : c->room * 2;
    room = room < ROOM_MAX ? room : ROOM_MAX;
    void *ptr = NULL;
    MT_TRY(mt_job_memory_get(c->memory, room + BLOCK, &ptr));
    if (c->room > 0) {
        memcpy(ptr, c->buf, c->end);
        mt_job_memory_put(c->memory, c->buf, c->room + BLOCK);
    }
    c->buf = ptr;
    c->room = room;
    return MT_OK;
}

/* Notes the first bad byte of what has been read since. A prefix may end within a character, which
 * is then dropped. */
static void check(struct mt_csv *c)
{
    bool is_cut = false;
    size_t len = c->end - c->checked;
    if (c->bad_at != SIZE_MAX) {
        return;
    }
    size_t good = mt_csv_text_count((mt_bytes){c->buf + c->checked, len}, &is_cut);
    c->checked += good;
    if (is_cut && c->is_prefix && c->has_ended) {
        c->end = c->checked;
    } else if (good < len && (!is_cut || c->has_ended)) {
        c->bad_at = c->checked;
    }
}

/* Moves the row under way to the front and reads on. At least doubles a long one, so that a row is
 * not looked at more often than its length has digits. */
static MT_ERR fill(struct mt_csv *c)
{
    if (c->start > 0) {
        memmove(c->buf, c->buf + c->start, c->end - c->start);
        c->offset += c->start;
        c->end -= c->start;
        c->checked -= c->start;
        c->bad_at -= c->bad_at == SIZE_MAX ? 0 : c->start;
        c->start = 0;
    }
    size_t wanted = c->end * 2 + 1;
    while (!c->has_ended && c->end < wanted && c->end <= MT_CSV_RECORD_BYTES_MAX) {
        size_t got = 0;
        if (c->room - c->end < MT_CSV_PIECE_BYTES) {
            MT_TRY(grow(c));
        }
        mt_span room = {c->buf + c->end, MT_CSV_PIECE_BYTES};
        MT_TRY(source_read(&c->source, room, &got));
        MT_ASSERT(got <= room.len);
        c->end += got;
        c->has_ended = got == 0;
    }
    check(c);
    memset(c->buf + c->end, 0, BLOCK);
    aim(c, 0);
    return MT_OK;
}

static void note_fault(struct mt_csv *c, size_t at)
{
    uint32_t column = 1;
    for (uint32_t i = 0; i < c->count; i++) {
        column += c->buf + at >= c->field[i].ptr + c->field[i].len;
    }
    c->fault = (struct mt_csv_place){c->row, column, c->offset + at};
}

/* The row is wrong at `at`; an earlier bad byte, or a length beyond the limit, comes first. */
static MT_ERR refuse(struct mt_csv *c, enum found why, size_t at)
{
    size_t too_long_at = c->start + MT_CSV_RECORD_BYTES_MAX;
    size_t known_at = why == QUOTE_OPEN ? c->end : at; /* the first byte that makes it a fault */
    if (c->bad_at < too_long_at && c->bad_at <= known_at) {
        note_fault(c, c->bad_at);
        MT_REQUIRE(c->buf[c->bad_at] != 0, MT_E_FORMAT, "a NUL byte");
        MT_FAIL(MT_E_FORMAT, "not UTF-8");
    }
    why = known_at > too_long_at ? TOO_LONG : why;
    note_fault(c, why == TOO_LONG ? too_long_at : at);
    switch (why) {
    case BARE_CR:
        MT_FAIL(MT_E_FORMAT, "a carriage return without a line feed, outside quotes");
    case QUOTE_INSIDE:
        MT_FAIL(MT_E_FORMAT, "a quote inside a field that does not begin with one");
    case QUOTE_FOLLOWED:
        MT_FAIL(MT_E_FORMAT, "something follows a closing quote");
    case QUOTE_OPEN:
        MT_FAIL(MT_E_FORMAT, "a quote is not closed");
    case TOO_MANY:
        MT_REQUIRE(c->row > 1, MT_E_LIMIT, "the header has too many columns");
        MT_FAIL(MT_E_FORMAT, "more fields than the header has");
    case TOO_LONG:
        MT_FAIL(MT_E_LIMIT, "a row is longer than 1 MiB");
    case FIELD:
    case LAST:
    case MORE:
    case END:
        break;
    }
    MT_ASSERT(false);
    MT_FAIL(MT_E_INTERNAL, "no fault");
}
_Static_assert(MT_CSV_RECORD_BYTES_MAX == 1024 * 1024, "the text above says so");

/* Whether all that is wrong with the row under way is that it lacks its end, in a source that may
 * stop anywhere. */
static bool is_cut_off(const struct mt_csv *c, enum found found, size_t stop)
{
    if (!c->is_prefix || !c->has_ended || c->bad_at != SIZE_MAX ||
        c->end - c->start > MT_CSV_RECORD_BYTES_MAX) {
        return false;
    }
    return found == QUOTE_OPEN || (found == BARE_CR && stop + 1 == c->end) ||
           (found == LAST && c->buf[stop - 1] != '\n');
}

/* A whole row of the input, of as many fields as it has. */
static MT_ERR next_row(struct mt_csv *c, bool *is_row)
{
    size_t stop = 0;
    enum found found = cut_row(c, &stop);
    c->row++;
    while (found == MORE) {
        if (c->bad_at != SIZE_MAX || c->end - c->start > MT_CSV_RECORD_BYTES_MAX) {
            return refuse(c, TOO_LONG, c->end);
        }
        MT_TRY(fill(c));
        found = cut_row(c, &stop);
    }
    if (is_cut_off(c, found, stop)) {
        found = END;
    }
    *is_row = found == LAST;
    if (found == END) {
        return MT_OK;
    }
    if (found != LAST || c->bad_at < stop || stop - c->start > MT_CSV_RECORD_BYTES_MAX) {
        return refuse(c, found == LAST ? TOO_LONG : found, stop);
    }
    if (c->has_doubled) {
        halve_quotes(c);
    }
    c->start = stop;
    return MT_OK;
}

static MT_ERR skip_byte_order_mark(struct mt_csv *c)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    while (c->end <= sizeof mark && !c->has_ended) {
        MT_TRY(fill(c));
    }
    if (mt_bytes_start_with((mt_bytes){c->buf, c->end}, (mt_bytes){mark, sizeof mark})) {
        c->start = sizeof mark;
    }
    return MT_OK;
}

static MT_ERR check_name(const struct mt_csv *c, uint32_t column)
{
    mt_bytes name = c->field[column];
    MT_REQUIRE(name.len > 0, MT_E_FORMAT, "the header has a column without a name");
    for (uint32_t i = 0; i < column; i++) {
        MT_REQUIRE(!mt_bytes_equal(c->field[i], name), MT_E_FORMAT,
                   "the header has two columns of the same name");
    }
    return MT_OK;
}

/* Names are copied: the buffer moves on. */
static MT_ERR take_header(struct mt_csv *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        mt_err e = check_name(c, i);
        if (mt_failed(e)) {
            c->fault = mt_csv_place_of_field(c, i);
            return e;
        }
        uint8_t *copy = NULL;
        MT_TRY(mt_slabs_get(&c->names, c->field[i].len, &copy));
        memcpy(copy, c->field[i].ptr, c->field[i].len);
        c->name[i] = (mt_bytes){copy, c->field[i].len};
    }
    c->columns = c->count;
    return MT_OK;
}

static MT_ERR read_header(struct mt_csv *c)
{
    bool is_row = false;
    MT_TRY(skip_byte_order_mark(c));
    MT_TRY(next_row(c, &is_row));
    if (!is_row) {
        c->fault = (struct mt_csv_place){.row = 1};
        MT_REQUIRE(c->start < c->end, MT_E_FORMAT, "empty: a header row is required");
        MT_FAIL(MT_E_FORMAT, "the header does not end"); /* of a prefix */
    }
    return take_header(c);
}

MT_ERR mt_csv_open(struct mt_job_memory *memory, struct mt_csv_source source, bool is_prefix,
                   struct mt_csv **out, struct mt_csv_place *place)
{
    void *ptr = NULL;
    MT_TRY(mt_job_memory_get_array(memory, 1, sizeof(struct mt_csv), &ptr));
    MT_DEFER(mt_csv_free) struct mt_csv *c = ptr;
    c->memory = memory;
    c->source = source;
    c->is_prefix = is_prefix;
    c->bad_at = SIZE_MAX;
    c->columns = MT_CSV_COLUMNS_MAX;
    mt_slabs_init(&c->names, memory);
    mt_err e = read_header(c);
    if (mt_failed(e)) {
        *place = c->fault;
        return e;
    }
    *out = c;
    c = NULL; /* given */
    return MT_OK;
}

void mt_csv_free(struct mt_csv **csv)
{
    struct mt_csv *c = *csv;
    if (c != NULL) {
        if (c->buf != NULL) {
            mt_job_memory_put(c->memory, c->buf, c->room + BLOCK);
        }
        mt_slabs_done(&c->names);
        mt_job_memory_put(c->memory, c, sizeof *c);
        *csv = NULL;
    }
}

uint32_t mt_csv_columns(const struct mt_csv *csv)
{
    return csv->columns;
}

mt_bytes mt_csv_name(const struct mt_csv *csv, uint32_t column)
{
    MT_ASSERT(column < csv->columns);
    return csv->name[column];
}

MT_ERR mt_csv_next(struct mt_csv *csv, const mt_bytes **fields)
{
    bool is_row = false;
    MT_TRY(next_row(csv, &is_row));
    if (is_row && csv->count < csv->columns) {
        note_fault(csv, csv->start - 1);
        csv->fault.column = csv->count + 1;
        MT_FAIL(MT_E_FORMAT, "fewer fields than the header has");
    }
    *fields = is_row ? csv->field : NULL;
    return MT_OK;
}

struct mt_csv_place mt_csv_place_of_fault(const struct mt_csv *csv)
{
    return csv->fault;
}

struct mt_csv_place mt_csv_place_of_field(const struct mt_csv *csv, uint32_t column)
{
    size_t at = (size_t)(csv->field[column].ptr - csv->buf);
    return (struct mt_csv_place){csv->row, column + 1, csv->offset + at};
}
