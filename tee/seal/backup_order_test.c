/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead.h"
#include "seal/backup_inside.h"
#include "seal/world_test.h"

/*
 * Backups made by somebody who knows the credential, and every rule of the cipher, but not the
 * order of things: each frame opens, and the whole is refused all the same.
 */
static const struct mt_credential own = {
    .kind = MT_SLOT_FILE, .secret = {(const uint8_t *)"the backup's own key, of 32 bytes", 33}};
static const uint8_t bytes[64] = {5};

#define LEDGER_NAME MT_LITERAL("ledger/ledger_00000000000000000001.mtl")
#define OBJECT_NAME MT_LITERAL("objects/0123456789abcdef0123456789abcdef.mto")

/* One letter is one frame. */
static struct mt_backup_frame frame_of(char letter, mt_bytes shred_keys)
{
    switch (letter) {
    case 'S':
        return (struct mt_backup_frame){.kind = MT_BACKUP_SECRETS,
                                        .root_key = {bytes, MT_AEAD_KEY_LEN},
                                        .shred_keys = shred_keys,
                                        .platform_key = {bytes, MT_PLATFORM_KEY_LEN}};
    case 'F':
        return (struct mt_backup_frame){.kind = MT_BACKUP_FILE, .name = LEDGER_NAME, .size = 10};
    case 'O':
        return (struct mt_backup_frame){.kind = MT_BACKUP_FILE, .name = OBJECT_NAME, .size = 10};
    case 'B':
        return (struct mt_backup_frame){.kind = MT_BACKUP_FILE, .name = MT_LITERAL("shred.mts")};
    case 'D':
        return (struct mt_backup_frame){.kind = MT_BACKUP_DATA, .data = {bytes, 10}};
    case 'L':
        return (struct mt_backup_frame){.kind = MT_BACKUP_DATA, .data = {bytes, 11}};
    case 'E':
        return (struct mt_backup_frame){.kind = MT_BACKUP_END, .files = 1, .size = 10};
    case 'f':
        return (struct mt_backup_frame){.kind = MT_BACKUP_END, .files = 2, .size = 10};
    default:
        return (struct mt_backup_frame){.kind = MT_BACKUP_END, .files = 1, .size = 9};
    }
}

/* The content of a shred file, as a node has it. */
static void shred_keys_of_a_node(struct mt_secret **out)
{
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    MT_DEFER(mt_shred_free) struct mt_shred *shred = NULL;
    disk_begin();
    OK(mt_root_create(fs, &world_file, 0, &root));
    OK(mt_shred_open(fs, root, &shred));
    OK(mt_shred_export(shred, out));
    mt_shred_free(&shred);
    disk_end();
}

static void put_frame(struct mt_buf *out, struct mt_aead *cipher, uint64_t number,
                      const struct mt_backup_frame *f)
{
    uint8_t nonce[MT_AEAD_NONCE_LEN];
    uint8_t plain_room[512];
    uint8_t sealed[sizeof plain_room + MT_AEAD_TAG_LEN];
    mt_bytes plain;
    struct mt_writer p = mt_writer_over((mt_span){plain_room, sizeof plain_room});
    struct mt_writer len = mt_writer_onto(out);
    mt_backup_frame_write(&p, f);
    OK(mt_write_end(&p, &plain));
    mt_write_u32le(&len, (uint32_t)plain.len);
    OK(len.failed);
    mt_aead_nonce_of(number, nonce);
    OK(mt_aead_seal(cipher, MT_BYTES_OF(nonce), (mt_bytes){NULL, 0}, plain,
                    (mt_span){sealed, plain.len + MT_AEAD_TAG_LEN}));
    OK(mt_buf_append(out, (mt_bytes){sealed, plain.len + MT_AEAD_TAG_LEN}));
}

static struct mt_buf made_of(const char *letters, struct mt_slot slot)
{
    struct mt_buf out = mt_buf_of_max(64 * 1024);
    uint8_t head[MT_BACKUP_HEAD_LEN];
    mt_bytes slot_bytes;
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    MT_DEFER(mt_secret_free) struct mt_secret *shred_keys = NULL;
    MT_DEFER(mt_aead_free) struct mt_aead *cipher = NULL;
    struct mt_backup_head h = {.transactions = 1};
    struct mt_writer s = mt_writer_over((mt_span){h.slot, sizeof h.slot});
    shred_keys_of_a_node(&shred_keys);
    OK(mt_secret_random(MT_SLOT_KEY_LEN, &key));
    OK(mt_slot_seal(&slot, &own, mt_secret_bytes(key)));
    mt_slot_write(&s, &slot);
    OK(mt_write_end(&s, &slot_bytes));
    h.slot_len = slot_bytes.len;
    mt_backup_head_write(&h, head);
    OK(mt_backup_cipher(key, MT_BYTES_OF(head), &cipher));
    OK(mt_buf_append(&out, MT_BYTES_OF(head)));
    for (size_t i = 0; letters[i] != '\0'; i++) {
        const struct mt_backup_frame f = frame_of(letters[i], mt_secret_bytes(shred_keys));
        put_frame(&out, cipher, i, &f);
    }
    return out;
}

static mt_err restore(mt_bytes backup)
{
    MT_DEFER(mt_backup_reader_free) struct mt_backup_reader *r = NULL;
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    struct mt_backup_head head;
    MT_TRY(mt_backup_reader_new(fs, &own, &r));
    MT_TRY(mt_backup_reader_add(r, backup));
    MT_TRY(mt_backup_reader_end(r, &world_file, 5, &head));
    return mt_root_open(fs, &world_file, &root);
}

static mt_err restore_of(const char *letters, struct mt_slot slot)
{
    MT_DEFER(mt_buf_free) struct mt_buf b = made_of(letters, slot);
    disk_begin();
    mt_err e = restore(mt_buf_bytes(&b));
    disk_end();
    return e;
}

static const struct mt_slot for_backup = {.purpose = MT_SLOT_FOR_BACKUP};

static void frames_in_their_order_make_a_node(void)
{
    OK(restore_of("SFDE", for_backup));
}

static void frames_in_any_other_order_make_none(void)
{
    static const char *const wrong[] = {
        "FDE",   /* no keys */
        "FSDE",  /* keys that do not stand first */
        "SSFDE", /* keys twice */
        "SDE",   /* bytes of no file */
        "SFLE",  /* a file that is longer than it says */
        "SFDDE", /* or that goes on */
        "SBDE",  /* one that has no place in a backup */
        "SFE",   /* one that is not complete */
        "SFODE", /* at the beginning of the next */
        "SFFDE", /* one file twice */
        "SFDf",  /* another number of files */
        "SFDz",  /* another number of bytes */
        "SFDED", /* something behind the end */
        "SFDEE", "SFD", "S", "",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        MT_ASSERT(mt_failed(restore_of(wrong[i], for_backup)));
    }
}

static void the_key_slot_of_a_node_opens_no_backup(void)
{
    MT_ASSERT(
        is_code(restore_of("SFDE", (struct mt_slot){.purpose = MT_SLOT_FOR_ROOT}), MT_E_PROOF));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(frames_in_their_order_make_a_node),
        MT_TEST(frames_in_any_other_order_make_none),
        MT_TEST(the_key_slot_of_a_node_opens_no_backup),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
