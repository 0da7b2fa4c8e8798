/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SEAL_BACKUP_H
#define MT_SEAL_BACKUP_H

#include "crypto/hash.h"
#include "seal/root.h"
#include "seal/shred.h"

/*
 * A backup: root key, shred keys, platform key and files of a node, as of one version of its
 * ledger, sealed under a credential of its own: spec/backup.md. Written on one thread piece by
 * piece, of a length that is known before it begins; read the same way, from whatever brings it.
 * Constant memory.
 */
enum {
    MT_BACKUP_NAME_MAX = 48,
    MT_BACKUP_HEAD_LEN = 216,
    MT_BACKUP_DATA_MAX = 64 * 1024,
    MT_BACKUP_FRAME_MAX = MT_BACKUP_DATA_MAX + 512,
};

/* "ledger/ledger_<20 digits>.mtl", "objects/<32 digits>.mto"; nothing else has a place in a backup.
 */
struct mt_backup_file {
    char name[MT_BACKUP_NAME_MAX];
    uint64_t size_bytes;
};

/* In clear, and under the seal: what it is a backup of. */
struct mt_backup_head {
    mt_hash cluster_id;
    uint64_t transactions;
    mt_hash root; /* of the tree over them */
    uint8_t slot[128];
    size_t slot_len;
};
void mt_backup_head_write(const struct mt_backup_head *h, uint8_t out[MT_BACKUP_HEAD_LEN]);
MT_ERR mt_backup_head_parse(mt_bytes in, struct mt_backup_head *out);

enum mt_backup_kind {
    MT_BACKUP_END,
    MT_BACKUP_SECRETS,
    MT_BACKUP_FILE,
    MT_BACKUP_DATA,
};

/* The content of a frame. Borrows. */
struct mt_backup_frame {
    enum mt_backup_kind kind;
    mt_bytes root_key; /* secrets */
    mt_bytes shred_keys;
    mt_bytes platform_key;
    mt_bytes name;  /* file */
    uint64_t size;  /* of the file; or, at the end, of all files */
    uint64_t files; /* at the end: how many */
    mt_bytes data;
};
void mt_backup_frame_write(struct mt_writer *w, const struct mt_backup_frame *f);
MT_ERR mt_backup_frame_parse(mt_bytes in, struct mt_backup_frame *out);

struct mt_backup_options {
    struct mt_fs *fs;
    const struct mt_root *root;      /* borrowed until the writer is freed */
    const struct mt_shred *shred;    /* its keys are copied as they are now */
    struct mt_credential credential; /* copied; MT_E_ARG beyond MT_SECRET_BYTES_MAX */
    mt_hash cluster_id;
    uint64_t transactions;
    mt_hash tree_root;
    uint64_t host_time_ms;
};

struct mt_backup_writer;
/* `files`: an array of struct mt_backup_file; taken. */
MT_ERR mt_backup_writer_new(const struct mt_backup_options *o, struct mt_buf *files,
                            struct mt_backup_writer **out);
uint64_t mt_backup_writer_bytes(const struct mt_backup_writer *w); /* of the whole backup */
/* The next bytes; *got < out.len only at the end. Blocks. An object that was deleted meanwhile is
 * written as zeros; a ledger file that is not there is MT_E_IO. */
MT_ERR mt_backup_writer_read(struct mt_backup_writer *w, mt_span out, size_t *got);
void mt_backup_writer_free(struct mt_backup_writer **w);

/*
 * Into an empty directory. The files come as the backup does; the keys, without which they open
 * nothing, only in mt_backup_reader_end(), when everything was whole: so what was cut short is no
 * node. MT_E_FORMAT: no backup. MT_E_PROOF: not as it was written, or another credential's.
 */
struct mt_backup_reader;
MT_ERR mt_backup_reader_new(struct mt_fs *fs, const struct mt_credential *credential,
                            struct mt_backup_reader **out); /* copies the credential */
MT_ERR mt_backup_reader_add(struct mt_backup_reader *r, mt_bytes piece);
/* `node` opens the restored node's first key slot. */
MT_ERR mt_backup_reader_end(struct mt_backup_reader *r, const struct mt_credential *node,
                            uint64_t host_time_ms, struct mt_backup_head *out);
void mt_backup_reader_free(struct mt_backup_reader **r);

#endif
