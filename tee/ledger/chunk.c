/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "ledger/sector.h"

enum {
    VERSION = 1,
    NAME_DIGITS = 20,
    /* "ledger/ledger_" digits ".mtl" NUL */
    NAME_ROOM = 14 + NAME_DIGITS + 4 + 1,
    READ_BYTES = 1024 * 1024,
};

static const char unfinished[] = "ledger/unfinished.new";
static const uint8_t magic[8] = {'M', 'T', 'L', 'E', 'D', 'G', 'R', '1'};

_Static_assert(MT_LEDGER_CHUNK_BYTES % MT_SECTOR_LEN == 0, "a chunk is whole sectors");
_Static_assert(MT_LEDGER_CHUNK_BYTES % MT_LEDGER_STEP_BYTES == 0, "a chunk is whole steps");

void mt_chunk_header_write(const struct mt_chunk_header *h, uint8_t out[MT_CHUNK_HEADER_LEN])
{
    struct mt_writer w = mt_writer_over((mt_span){out, MT_CHUNK_HEADER_LEN});
    mt_bytes done;
    mt_write_bytes(&w, MT_BYTES_OF(magic));
    mt_write_u32le(&w, VERSION);
    mt_write_u32le(&w, 0);
    mt_write_bytes(&w, mt_hash_bytes(&h->cluster_id));
    mt_write_u64le(&w, h->first_block);
    mt_write_u64le(&w, h->first_txid);
    mt_write_bytes(&w, mt_hash_bytes(&h->previous));
    mt_err e = mt_write_end(&w, &done);
    MT_ASSERT(!mt_failed(e));
    MT_ASSERT(done.len == MT_CHUNK_HEADER_LEN);
}

MT_ERR mt_chunk_header_parse(mt_bytes in, struct mt_chunk_header *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_chunk_header h;
    mt_bytes start;
    uint32_t version = 0;
    uint32_t zero = 0;
    MT_TRY(mt_read_bytes(&r, sizeof magic, &start));
    MT_REQUIRE(mt_bytes_equal(start, MT_BYTES_OF(magic)), MT_E_FORMAT, "not a chunk of a ledger");
    MT_TRY(mt_read_u32le(&r, &version));
    MT_REQUIRE(version == VERSION, MT_E_CONFLICT, "a chunk of another version");
    MT_TRY(mt_read_u32le(&r, &zero));
    MT_REQUIRE(zero == 0, MT_E_FORMAT, "a chunk of a kind we do not know");
    MT_TRY(mt_read_copy(&r, (mt_span){h.cluster_id.b, sizeof h.cluster_id.b}));
    MT_TRY(mt_read_u64le(&r, &h.first_block));
    MT_TRY(mt_read_u64le(&r, &h.first_txid));
    MT_TRY(mt_read_copy(&r, (mt_span){h.previous.b, sizeof h.previous.b}));
    MT_TRY(mt_read_end(&r));
    MT_REQUIRE(h.first_block > 0 && h.first_txid > 0, MT_E_FORMAT,
               "blocks and transactions are numbered from 1");
    *out = h;
    return MT_OK;
}

static void write_name(uint64_t first_block, char out[NAME_ROOM])
{
    static const char start[] = "ledger/ledger_";
    static const char end[] = ".mtl";
    memcpy(out, start, sizeof start - 1);
    for (size_t i = 0; i < NAME_DIGITS; i++) {
        out[sizeof start - 1 + NAME_DIGITS - 1 - i] = (char)('0' + first_block % 10);
        first_block /= 10;
    }
    memcpy(out + sizeof start - 1 + NAME_DIGITS, end, sizeof end);
}

void mt_chunk_name(uint64_t first_block, char out[MT_CHUNK_NAME_ROOM])
{
    _Static_assert((int)MT_CHUNK_NAME_ROOM >= (int)NAME_ROOM, "room for a name");
    write_name(first_block, out);
}

/* Ours are exactly the names that write_name() makes. */
static bool read_name(const char *name, uint64_t *first_block)
{
    char again[NAME_ROOM];
    mt_bytes n = mt_bytes_of_text(name);
    uint64_t value = 0;
    if (n.len != NAME_ROOM - 1 - 7) {
        return false;
    }
    for (size_t i = 7; i < 7 + NAME_DIGITS; i++) {
        value = value * 10 + (uint64_t)(n.ptr[i] - '0'); /* wraps for a name that is not ours */
    }
    write_name(value, again);
    *first_block = value;
    return value > 0 && mt_bytes_equal(n, (mt_bytes){(const uint8_t *)again + 7, n.len});
}

static mt_err list_one(void *state, const char *name)
{
    struct mt_buf *out = state;
    uint64_t first_block = 0;
    if (!read_name(name, &first_block)) {
        return MT_OK;
    }
    return mt_buf_append(out, MT_BYTES_OF(first_block));
}

static MT_ERR remove_unfinished(struct mt_fs *fs)
{
    mt_err e = mt_fs_remove(fs, unfinished);
    return mt_failed(e) && e.fault->code == MT_E_NOTFOUND ? MT_OK : e;
}

MT_ERR mt_chunk_list(struct mt_fs *fs, struct mt_buf *out)
{
    MT_TRY(remove_unfinished(fs));
    MT_TRY(mt_fs_list(fs, "ledger", list_one, out));
    MT_REQUIRE(out->len > 0, MT_E_NOTFOUND, "there is no ledger here");
    return MT_OK;
}

MT_ERR mt_chunk_open(struct mt_fs *fs, uint64_t first_block, struct mt_file **out)
{
    char name[NAME_ROOM];
    write_name(first_block, name);
    return mt_fs_open(fs, name, MT_FS_READ, out);
}

void mt_chunk_writer_done(struct mt_chunk_writer *w)
{
    mt_file_close(&w->file);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Zeros that are there already are written again as such: what a file system has only promised, it
 * must enter into its books when it is first written, and a sync waits for that. */
static MT_ERR fill_room(struct mt_chunk_writer *w, uint64_t room)
{
    static const uint8_t zeros[64 * 1024];
    for (uint64_t at = later(w->room, w->at); at < room; at += sizeof zeros) {
        uint64_t left = room - at;
        mt_bytes piece = {zeros, left < sizeof zeros ? (size_t)left : sizeof zeros};
        MT_TRY(mt_file_write_at(w->file, at, piece));
    }
    return MT_OK;
}

/* Room for `end` bytes, in steps, so that most appends leave the file's size alone. */
static MT_ERR make_room(struct mt_chunk_writer *w, uint64_t end)
{
    if (end <= w->room) {
        return MT_OK;
    }
    uint64_t room = (end + MT_LEDGER_STEP_BYTES - 1) / MT_LEDGER_STEP_BYTES * MT_LEDGER_STEP_BYTES;
    room = room <= w->bytes_max ? room : later(w->bytes_max, end);
    MT_TRY(mt_file_allocate(w->file, room));
    MT_TRY(fill_room(w, room));
    w->room = room;
    return MT_OK;
}

MT_ERR mt_chunk_resume(struct mt_chunk_writer *w, struct mt_place end, uint64_t torn_bytes)
{
    char name[NAME_ROOM];
    write_name(end.chunk, name);
    MT_TRY(mt_fs_open(w->fs, name, MT_FS_WRITE, &w->file));
    w->chunk = end.chunk;
    w->at = end.offset;
    if (torn_bytes > 0) {
        MT_TRY(mt_file_truncate(w->file, w->at));
        MT_TRY(mt_file_sync(w->file));
    }
    return mt_file_size(w->file, &w->room);
}

/* A new chunk gets its name when its first block is durable in it. */
static MT_ERR begin_chunk(struct mt_chunk_writer *w, const struct mt_chunk_header *h,
                          mt_bytes sectors)
{
    char name[NAME_ROOM];
    uint8_t header[MT_CHUNK_HEADER_LEN];
    uint8_t sector[MT_SECTOR_LEN];
    mt_chunk_header_write(h, header);
    mt_sectors_write(MT_BYTES_OF(header), (mt_span){sector, sizeof sector});
    write_name(h->first_block, name);
    mt_file_close(&w->file);
    MT_TRY(mt_fs_open(w->fs, unfinished, MT_FS_CREATE, &w->file));
    w->chunk = h->first_block;
    w->room = 0;
    w->at = MT_SECTOR_LEN;
    MT_TRY(make_room(w, w->at + sectors.len));
    MT_TRY(mt_file_write_at(w->file, 0, MT_BYTES_OF(sector)));
    MT_TRY(mt_file_write_at(w->file, w->at, sectors));
    MT_TRY(mt_file_sync(w->file));
    MT_TRY(mt_fs_rename(w->fs, unfinished, name));
    return mt_fs_sync_dir(w->fs, "ledger");
}

MT_ERR mt_chunk_append(struct mt_chunk_writer *w, const struct mt_chunk_header *h, mt_bytes sectors,
                       struct mt_place *out)
{
    MT_ASSERT(sectors.len <= MT_LEDGER_CHUNK_BYTES - MT_SECTOR_LEN);
    if (w->file == NULL || w->at + sectors.len > w->bytes_max) {
        MT_TRY(begin_chunk(w, h, sectors));
    } else {
        MT_TRY(make_room(w, w->at + sectors.len));
        MT_TRY(mt_file_write_at(w->file, w->at, sectors));
        MT_TRY(mt_file_sync(w->file));
    }
    *out = (struct mt_place){w->chunk, w->at};
    w->at += sectors.len;
    return MT_OK;
}

struct mt_chunk_scan {
    struct mt_file *file;
    struct mt_chunk_header header;
    uint64_t size;
    uint64_t at; /* of the next block in the file */
    uint8_t *window;
    size_t window_room;
    size_t begin; /* of what is read and not yet used */
    size_t end;
    uint64_t read_to; /* file offset of window[end] */
    uint8_t *block;
};

void mt_chunk_scan_close(struct mt_chunk_scan **s)
{
    if (*s != NULL) {
        mt_file_close(&(*s)->file);
        free((*s)->window);
        free((*s)->block);
        free(*s);
        *s = NULL;
    }
}

/* At least `want` bytes in the window, or all that the file has; an odd end is filled up with
 * zeros to a whole sector, for a file cut there says no more than one that goes on with zeros. */
static MT_ERR fill(struct mt_chunk_scan *s, size_t want)
{
    if (s->end - s->begin >= want || s->read_to == s->size) {
        return MT_OK;
    }
    memmove(s->window, s->window + s->begin, s->end - s->begin);
    s->end -= s->begin;
    s->begin = 0;
    uint64_t left = s->size - s->read_to;
    size_t len = want - s->end > READ_BYTES ? want - s->end : READ_BYTES;
    size_t got = 0;
    len = len < left ? len : (size_t)left;
    MT_ASSERT(len <= s->window_room - s->end);
    MT_TRY(mt_file_read_at(s->file, s->read_to, (mt_span){s->window + s->end, len}, &got));
    MT_REQUIRE(got == len, MT_E_PROOF, "a chunk of the ledger became shorter while it was read");
    s->end += got;
    s->read_to += got;
    if (s->read_to == s->size && s->size % MT_SECTOR_LEN != 0) {
        size_t odd = (size_t)(MT_SECTOR_LEN - s->size % MT_SECTOR_LEN);
        memset(s->window + s->end, 0, odd);
        s->end += odd;
    }
    return MT_OK;
}

static MT_ERR read_chunk_header(struct mt_chunk_scan *s, uint64_t first_block)
{
    uint8_t header[MT_CHUNK_HEADER_LEN];
    MT_TRY(fill(s, MT_SECTOR_LEN));
    MT_REQUIRE(s->end - s->begin >= MT_SECTOR_LEN, MT_E_PROOF, "a chunk of the ledger is empty");
    MT_TRY(mt_sectors_read((mt_bytes){s->window, MT_SECTOR_LEN}, (mt_span){header, sizeof header}));
    MT_TRY(mt_chunk_header_parse(MT_BYTES_OF(header), &s->header));
    MT_REQUIRE(s->header.first_block == first_block, MT_E_PROOF,
               "a chunk of the ledger stands under another's name");
    s->begin = MT_SECTOR_LEN;
    s->at = MT_SECTOR_LEN;
    return MT_OK;
}

/* For the largest block, or all of a small file. */
static MT_ERR make_window(struct mt_chunk_scan *s)
{
    size_t most = mt_sector_room(MT_BLOCK_BYTES_MAX) + MT_SECTOR_LEN + READ_BYTES;
    s->window_room = s->size + MT_SECTOR_LEN < most ? (size_t)s->size + MT_SECTOR_LEN : most;
    s->window = malloc(s->window_room);
    s->block = malloc(s->window_room < MT_BLOCK_BYTES_MAX ? s->window_room : MT_BLOCK_BYTES_MAX);
    MT_REQUIRE(s->window != NULL && s->block != NULL, MT_E_NOMEM, "no memory to read the ledger");
    return MT_OK;
}

MT_ERR mt_chunk_scan_open(struct mt_fs *fs, uint64_t first_block, struct mt_chunk_scan **out)
{
    MT_DEFER(mt_chunk_scan_close) struct mt_chunk_scan *s = calloc(1, sizeof *s);
    MT_REQUIRE(s != NULL, MT_E_NOMEM, "no memory to read the ledger");
    MT_TRY(mt_chunk_open(fs, first_block, &s->file));
    MT_TRY(mt_file_size(s->file, &s->size));
    MT_REQUIRE(s->size <= MT_LEDGER_CHUNK_BYTES, MT_E_PROOF,
               "a chunk of the ledger is longer than we make them");
    MT_TRY(make_window(s));
    MT_TRY(read_chunk_header(s, first_block));
    *out = s;
    s = NULL; /* given */
    return MT_OK;
}

const struct mt_chunk_header *mt_chunk_scan_header(const struct mt_chunk_scan *s)
{
    return &s->header;
}

uint64_t mt_chunk_scan_at(const struct mt_chunk_scan *s)
{
    return s->at;
}

uint64_t mt_chunk_scan_size(const struct mt_chunk_scan *s)
{
    return s->size;
}

/* The header of the block in the sector at hand. */
static MT_ERR peek(const struct mt_chunk_scan *s, struct mt_block_header *out)
{
    return mt_block_header_parse((mt_bytes){s->window + s->begin, MT_BLOCK_HEADER_LEN}, out);
}

static bool are_all_whole(const uint8_t *sectors, size_t len)
{
    for (size_t at = 0; at < len; at += MT_SECTOR_LEN) {
        if (mt_sector_kind(sectors + at) != MT_SECTOR_WHOLE) {
            return false;
        }
    }
    return true;
}

MT_ERR mt_chunk_scan_next(struct mt_chunk_scan *s, mt_bytes *block, bool *is_end)
{
    struct mt_block_header h;
    MT_TRY(fill(s, MT_SECTOR_LEN));
    if (s->end == s->begin || mt_sector_kind(s->window + s->begin) != MT_SECTOR_WHOLE) {
        *is_end = true;
        return MT_OK;
    }
    MT_TRY(peek(s, &h));
    size_t len = mt_block_len(&h);
    size_t room = mt_sector_room(len);
    MT_TRY(fill(s, room));
    if (s->end - s->begin < room || !are_all_whole(s->window + s->begin, room)) {
        *is_end = true;
        return MT_OK;
    }
    MT_TRY(mt_sectors_read((mt_bytes){s->window + s->begin, room}, (mt_span){s->block, len}));
    s->begin += room;
    s->at += room;
    *block = (mt_bytes){s->block, len};
    *is_end = false;
    return MT_OK;
}

/* What is known of the torn write from its first sector. */
struct torn {
    uint64_t sectors_max; /* how far it can reach */
    bool has_head;        /* its first sector is whole: it was written from the start */
};

static MT_ERR judge_head(const struct mt_chunk_scan *s, const struct mt_tail *t, struct torn *out)
{
    struct mt_block_header h;
    struct torn torn = {.sectors_max = mt_sector_room(MT_BLOCK_BYTES_MAX) / MT_SECTOR_LEN};
    const uint8_t *head = s->window + s->begin;
    enum mt_sector kind = mt_sector_kind(head);
    if (!t->is_last_chunk) {
        torn.sectors_max = 0;
    } else if (kind == MT_SECTOR_WHOLE) {
        MT_TRY(peek(s, &h));
        MT_REQUIRE(h.number == t->number && mt_hash_equal(&h.previous, &t->previous), MT_E_PROOF,
                   "what follows the last block is not the beginning of the next");
        torn.sectors_max = mt_sector_room(mt_block_len(&h)) / MT_SECTOR_LEN;
        torn.has_head = true;
    } else if (kind == MT_SECTOR_PARTIAL) {
        MT_REQUIRE(head[0] == 'M', MT_E_PROOF,
                   "what follows the last block is not the beginning of the next");
    }
    *out = torn;
    return MT_OK;
}

/* A single bit in the zeros: rather a fault of the disk than a write of which nothing else came. */
static bool has_one_bit(const uint8_t *sector)
{
    size_t bytes = 0;
    uint8_t all = 0;
    for (size_t i = 0; i < MT_SECTOR_LEN; i++) {
        bytes += sector[i] != 0 ? 1 : 0;
        all |= sector[i];
    }
    return bytes == 1 && (all & (all - 1)) == 0;
}

MT_ERR mt_chunk_scan_tail(struct mt_chunk_scan *s, const struct mt_tail *t, uint64_t *torn_bytes)
{
    struct torn torn = {0};
    uint64_t used = 0;
    bool is_cut = false;
    for (uint64_t i = 0;; i++) {
        MT_TRY(fill(s, MT_SECTOR_LEN));
        if (s->end == s->begin) {
            break;
        }
        if (i == 0) {
            MT_TRY(judge_head(s, t, &torn));
        }
        enum mt_sector kind = mt_sector_kind(s->window + s->begin);
        MT_REQUIRE(kind != MT_SECTOR_DAMAGED, MT_E_PROOF,
                   "a sector of the ledger is not as it was written");
        MT_REQUIRE(kind == MT_SECTOR_EMPTY || i < torn.sectors_max, MT_E_PROOF,
                   "something lies behind the last block");
        /* A write is cut short inside one sector, and of what comes after it nothing was written.
         */
        MT_REQUIRE(kind == MT_SECTOR_EMPTY || !is_cut, MT_E_PROOF,
                   "free room of the ledger is not zero");
        is_cut = is_cut || kind == MT_SECTOR_PARTIAL;
        MT_REQUIRE(kind != MT_SECTOR_PARTIAL || i == 0 || torn.has_head ||
                       !has_one_bit(s->window + s->begin),
                   MT_E_PROOF, "free room of the ledger is not zero");
        used = kind == MT_SECTOR_EMPTY ? used : i + 1;
        s->begin += MT_SECTOR_LEN;
    }
    *torn_bytes = used * MT_SECTOR_LEN;
    return MT_OK;
}

MT_ERR mt_chunk_read(struct mt_fs *fs, struct mt_place place, struct mt_buf *out)
{
    uint8_t first[MT_SECTOR_LEN];
    struct mt_block_header h;
    mt_span room;
    mt_span whole;
    size_t got = 0;
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    MT_TRY(mt_chunk_open(fs, place.chunk, &f));
    MT_TRY(mt_file_read_at(f, place.offset, (mt_span){first, sizeof first}, &got));
    MT_REQUIRE(got == sizeof first, MT_E_PROOF, "a block of the ledger is no longer there");
    MT_TRY(mt_block_header_parse((mt_bytes){first, MT_BLOCK_HEADER_LEN}, &h));
    size_t len = mt_block_len(&h);
    MT_DEFER(mt_buf_free) struct mt_buf sectors = mt_buf_of_max(mt_sector_room(MT_BLOCK_BYTES_MAX));
    MT_TRY(mt_buf_reserve(&sectors, mt_sector_room(len), &room));
    MT_TRY(mt_file_read_at(f, place.offset, room, &got));
    MT_REQUIRE(got == room.len, MT_E_PROOF, "a block of the ledger is no longer there");
    mt_buf_drop(out, out->len);
    MT_TRY(mt_buf_reserve(out, len, &whole));
    MT_TRY(mt_sectors_read(mt_bytes_of(room), whole));
    out->len = len;
    return MT_OK;
}
