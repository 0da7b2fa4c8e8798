/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/context.h"
#include "crypto/sign.h"
#include "gate/gate.h"
#include "ledger/ledger.h"
#include "platform/posix/fs.h"
#include "platform/process.h"
#include "seal/root.h"
#include "seal/shred.h"

/*
 * fill STATE KEYFILE TRANSACTIONS OBJECTS: a state directory as a busy node leaves it: so many
 * transactions, each with an audit claim and a row of 200 bytes, and so many live objects.
 */
enum { ROWS = 20000, GATE_WRAPS = 3, WRAP_BYTES = 16 + MT_OBJECT_WRAP_LEN + 140, PER_BLOCK = 256 };

static const struct mt_map_def maps[] = {
    {"fill.rows", false}, {"gate.wraps", false}, {NULL, false}};

static void check(mt_err e)
{
    if (mt_failed(e)) {
        fprintf(stderr, "fill: %s\n", e.fault->what);
        _Exit(1); /* nothing of ours waits to be written */
    }
}

static void write_block(struct mt_ledger *l)
{
    struct mt_ledger_write *w = NULL;
    check(mt_ledger_cut(l, &w));
    if (w != NULL) {
        mt_err e = mt_ledger_write_run(w);
        check(mt_ledger_written(l, &w, e));
    }
}

static void make_object(struct mt_fs *fs, const mt_id *id)
{
    char name[64] = "objects/";
    struct mt_file *f = NULL;
    for (size_t i = 0; i < 16; i++) {
        (void)snprintf(name + 8 + 2 * i, 3, "%02x", id->b[i]);
    }
    (void)snprintf(name + 40, sizeof name - 40, ".mto");
    check(mt_fs_open(fs, name, MT_FS_CREATE, &f));
    check(mt_file_write_at(f, 0, mt_id_bytes(id)));
    mt_file_close(&f);
}

static void commit(struct mt_ledger *l, struct mt_fs *fs, uint64_t i, bool is_object)
{
    uint8_t value[WRAP_BYTES];
    struct mt_tx *tx = NULL;
    uint64_t version = 0;
    uint32_t index = 0;
    uint64_t row = i % ROWS;
    mt_id id;
    check(mt_random((mt_span){value, sizeof value}));
    check(mt_ledger_begin(l, maps, mt_ledger_time_ms(l) + 1, &tx));
    check(mt_tx_claim(tx, (mt_bytes){value, 120}, &index));
    check(mt_tx_put(tx, &maps[0], MT_BYTES_OF(row), (mt_bytes){value, 200}));
    if (is_object) {
        memcpy(id.b, value, sizeof id.b);
        make_object(fs, &id);
        check(mt_tx_put(tx, &maps[1], mt_id_bytes(&id), MT_BYTES_OF(value)));
    }
    check(mt_ledger_commit(l, &tx, &version));
}

/* What a node makes at its first start beside the ledger, and never again. */
static void make_keys(struct mt_fs *fs, const struct mt_root *root)
{
    struct mt_shred *shred = NULL;
    struct mt_key *platform = NULL;
    uint8_t d[MT_PRIVATE_LEN];
    check(mt_shred_open(fs, root, &shred));
    check(mt_key_new(&platform));
    check(mt_key_private(platform, (mt_span){d, sizeof d}));
    check(mt_small_file_write(fs, root, "platform.mts", MT_BYTES_OF(d)));
    mt_key_free(&platform);
    mt_shred_free(&shred);
}

int main(int argc, char **argv)
{
    struct mt_buf keyfile = mt_buf_of_max(4096);
    struct mt_fs *fs = NULL;
    struct mt_root *root = NULL;
    struct mt_secret *secret = NULL;
    struct mt_key *key = NULL;
    struct mt_ledger *l = NULL;
    if (argc != 5) {
        fprintf(stderr, "usage: fill STATE KEYFILE TRANSACTIONS OBJECTS\n");
        return 64;
    }
    uint64_t transactions = strtoull(argv[3], NULL, 10);
    uint64_t objects = strtoull(argv[4], NULL, 10);
    check(mt_crypto_init(mt_process_entropy, NULL));
    check(mt_process_read_file(argv[2], 4096, &keyfile));
    check(mt_fs_open_posix(argv[1], &fs));
    const struct mt_credential c = {.kind = MT_SLOT_FILE, .secret = mt_buf_bytes(&keyfile)};
    check(mt_root_create(fs, &c, 0, &root));
    check(mt_root_derive(root, MT_LABEL_LEDGER_SECRET, (mt_bytes){NULL, 0}, &secret));
    make_keys(fs, root);
    check(mt_key_new(&key));
    check(mt_fs_make_dir(fs, "objects"));
    const struct mt_ledger_options o = {
        .fs = fs,
        .secret = mt_secret_bytes(secret),
        .incarnation = *mt_key_public(key),
        .host_time_ms = 1000,
    };
    check(mt_ledger_create(&o, &l));
    for (uint64_t i = 0; i < transactions; i++) {
        commit(l, fs, i, i < objects);
        if (i % PER_BLOCK == PER_BLOCK - 1) {
            write_block(l);
        }
    }
    write_block(l);
    printf("%llu transactions, %llu bytes\n", (unsigned long long)mt_ledger_durable(l),
           (unsigned long long)mt_ledger_bytes(l));
    mt_ledger_free(&l);
    mt_key_free(&key);
    mt_secret_free(&secret);
    mt_root_free(&root);
    mt_fs_close(&fs);
    mt_buf_free(&keyfile);
    mt_crypto_done();
    return 0;
}
