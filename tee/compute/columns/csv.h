/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_CSV_H
#define MT_COMPUTE_COLUMNS_CSV_H

#include "base/limits.h"
#include "compute/columns/memory.h"

/*
 * CSV as RFC 4180 has it, read in pieces and written in rows.
 *
 * The reader is strict: a header row with distinct, non-empty names; every row as many fields as
 * the header (an empty line is a row of one empty field); lines end with CRLF or LF, the last one
 * need not; a quote only at the beginning of a field, doubled within, and after the closing one the
 * field ends; UTF-8 without NUL; no row longer than MT_CSV_RECORD_BYTES_MAX. A byte order mark at
 * the beginning of the input is skipped. Of several faults in a row the first byte's is reported,
 * however the input was cut into pieces.
 */
struct mt_csv;

/* Where bytes come from: as many as there are up to out.len; *got 0 at the end. */
struct mt_csv_source {
    mt_err (*read)(void *context, mt_span out, size_t *got);
    void *context;
};

/* A place in an input, for people. The header is row 1, the first column is 1; 0 is unknown. The
 * offset counts bytes from 0. */
struct mt_csv_place {
    uint64_t row;
    uint32_t column;
    uint64_t offset;
};

/*
 * Reads the header. The caller owns `*out` and ends it with mt_csv_free(). `is_prefix` says that
 * the source may end in the middle of a row, which is then ignored. On failure `place` is set; its
 * row is 0 if the input is not to blame.
 */
MT_ERR mt_csv_open(struct mt_job_memory *memory, struct mt_csv_source source, bool is_prefix,
                   struct mt_csv **out, struct mt_csv_place *place);
void mt_csv_free(struct mt_csv **csv);

uint32_t mt_csv_columns(const struct mt_csv *csv);
mt_bytes mt_csv_name(const struct mt_csv *csv, uint32_t column); /* counted from 0 */

/* The fields of the next row, one for each column, without quotes, valid until the next call; NULL
 * after the last row. MT_CSV_SLACK_BYTES more may be read behind each. After a failure the reader
 * is of no more use but for mt_csv_place_of_fault().
 */
MT_ERR mt_csv_next(struct mt_csv *csv, const mt_bytes **fields);
struct mt_csv_place mt_csv_place_of_fault(const struct mt_csv *csv);

/* Of a field of the row that mt_csv_next() gave last; the column counts from 0. */
struct mt_csv_place mt_csv_place_of_field(const struct mt_csv *csv, uint32_t column);

/* Where written rows go. */
struct mt_csv_sink {
    mt_err (*write)(void *context, mt_bytes bytes);
    void *context;
};

/* Remembers its first failure: write on, and ask once at the end. Lines end with CRLF; a field is
 * quoted only where it must be. */
struct mt_csv_writer {
    struct mt_csv_sink sink;
    mt_err failed;
    size_t used;
    uint32_t fields; /* in this row so far */
    bool is_blank;   /* no byte in this row so far */
    uint8_t room[MT_CSV_PIECE_BYTES];
};

void mt_csv_writer_init(struct mt_csv_writer *w, struct mt_csv_sink sink);
void mt_csv_put(struct mt_csv_writer *w, mt_bytes field);
void mt_csv_end_row(struct mt_csv_writer *w);
/* Hands over the rest. */
MT_ERR mt_csv_writer_end(struct mt_csv_writer *w);

#endif
