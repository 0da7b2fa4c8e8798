/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_LEDGER_CHUNK_H
#define MT_LEDGER_CHUNK_H

#include "ledger/block.h"
#include "platform/fs.h"

/*
 * Chunk files: "ledger/ledger_<first block, 20 digits>.mtl", of at most MT_LEDGER_CHUNK_BYTES, in
 * sectors (sector.h): one for the chunk's header, then blocks, each from a sector of its own, then
 * zeros. A chunk appears under its name whole, with its first block, so that only the last chunk
 * can end in a torn write. spec/ledger-chunk.md. All calls block.
 */
enum { MT_CHUNK_HEADER_LEN = 96 };

struct mt_chunk_header {
    mt_hash cluster_id;
    uint64_t first_block;
    uint64_t first_txid;
    mt_hash previous; /* hash of the block before its first; the cluster id for the first chunk */
};
void mt_chunk_header_write(const struct mt_chunk_header *h, uint8_t out[MT_CHUNK_HEADER_LEN]);
MT_ERR mt_chunk_header_parse(mt_bytes in, struct mt_chunk_header *out);

/* Where a block lies. */
struct mt_place {
    uint64_t chunk; /* first block of its file */
    uint64_t offset;
};

/* The first block of every chunk, in order, appended to `out` as uint64_t. Unfinished new chunks of
 * a crash are removed; other names are not ours and not looked at. MT_E_NOTFOUND: there is none. */
MT_ERR mt_chunk_list(struct mt_fs *fs, struct mt_buf *out);

/* "ledger/ledger_<first block, 20 digits>.mtl" */
enum { MT_CHUNK_NAME_ROOM = 40 };
void mt_chunk_name(uint64_t first_block, char out[MT_CHUNK_NAME_ROOM]);

/* For reading. */
MT_ERR mt_chunk_open(struct mt_fs *fs, uint64_t first_block, struct mt_file **out);

/* Appends blocks. A value; done() closes the file. */
struct mt_chunk_writer {
    struct mt_fs *fs;
    struct mt_file *file; /* NULL: the next block makes a new chunk */
    mt_hash cluster_id;
    uint64_t bytes_max; /* a block that would end behind this begins a new chunk */
    uint64_t chunk;
    uint64_t at;   /* where the next block goes */
    uint64_t room; /* allocated so far */
};
void mt_chunk_writer_done(struct mt_chunk_writer *w);

/* Goes on after the last whole block; `torn_bytes` behind it are first cut off, durably. */
MT_ERR mt_chunk_resume(struct mt_chunk_writer *w, struct mt_place end, uint64_t torn_bytes);

/* Durable on return. `sectors` is the block as sectors, `h` what the header of a new chunk would
 * say. After any failure the writer must not be used again. */
MT_ERR mt_chunk_append(struct mt_chunk_writer *w, const struct mt_chunk_header *h, mt_bytes sectors,
                       struct mt_place *out);

/* Reads a chunk from its start. */
struct mt_chunk_scan;
MT_ERR mt_chunk_scan_open(struct mt_fs *fs, uint64_t first_block, struct mt_chunk_scan **out);
void mt_chunk_scan_close(struct mt_chunk_scan **s);
const struct mt_chunk_header *mt_chunk_scan_header(const struct mt_chunk_scan *s);
/* The bytes of the next whole block, valid until the next call, or *is_end. */
MT_ERR mt_chunk_scan_next(struct mt_chunk_scan *s, mt_bytes *block, bool *is_end);
uint64_t mt_chunk_scan_at(const struct mt_chunk_scan *s); /* where the next block would lie */
uint64_t mt_chunk_scan_size(const struct mt_chunk_scan *s);

/* What lies behind the last whole block: zeros, or in the last chunk a torn write of the block that
 * would be number `number` after `previous`. MT_E_PROOF for anything else. */
struct mt_tail {
    bool is_last_chunk;
    uint64_t number;
    mt_hash previous;
};
MT_ERR mt_chunk_scan_tail(struct mt_chunk_scan *s, const struct mt_tail *t, uint64_t *torn_bytes);

/* One block, whole sectors checked, its bytes in `out`, which is emptied first. */
MT_ERR mt_chunk_read(struct mt_fs *fs, struct mt_place place, struct mt_buf *out);

#endif
