/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A disk that an independent program wrote from the words of spec/sealed-object.md
 * (tests/vectors/seal_formats.py) opens here: from a credential down to the bytes of an object. */
#include "crypto/hash.h"
#include "seal/inside.h"
#include "seal/object.h"
#include "seal/object_format.h"
#include "seal/peers.h"
#include "seal/shred.h"
#include "seal/world_test.h"
#include "vectors/seal_formats.h"
#include "vectors/share_formats.h"

enum { BYTES_MAX = 512 };

struct room {
    uint8_t b[BYTES_MAX];
};

static mt_bytes bytes_of(mt_bytes hex, struct room *room)
{
    MT_ASSERT(hex.len / 2 <= BYTES_MAX);
    OK(mt_hex_parse(hex, (mt_span){room->b, hex.len / 2}));
    return (mt_bytes){room->b, hex.len / 2};
}

static void disk_of_vectors(void)
{
    struct room room;
    disk_begin();
    OK(mt_fs_make_dir(fs, "slots"));
    OK(mt_fs_make_dir(fs, "objects"));
    file_put(fs, "slots/slot-0.mtk", bytes_of(MT_LITERAL(MT_VECTOR_FILE_SLOT), &room));
    file_put(fs, "slots/slot-5.mtk", bytes_of(MT_LITERAL(MT_VECTOR_PASSPHRASE_SLOT), &room));
    file_put(fs, "shred.mts", bytes_of(MT_LITERAL(MT_VECTOR_SHRED_FILE), &room));
    file_put(fs, "objects/02020202020202020202020202020202.mto",
             bytes_of(MT_LITERAL(MT_VECTOR_SEALED_FILE), &room));
}

static bool is_all(mt_bytes b, uint8_t value)
{
    for (size_t i = 0; i < b.len; i++) {
        if (b.ptr[i] != value) {
            return false;
        }
    }
    return b.len > 0;
}

static void slots_open_with_their_credentials(void)
{
    static const struct mt_credential passphrase = {
        .kind = MT_SLOT_PASSPHRASE,
        .secret = {(const uint8_t *)"correct horse battery staple", 28}};
    const struct mt_credential *const both[] = {&world_file, &passphrase};
    disk_of_vectors();
    for (size_t i = 0; i < 2; i++) {
        MT_DEFER(mt_root_free) struct mt_root *root = NULL;
        OK(mt_root_open(fs, both[i], &root));
        MT_ASSERT(is_all(mt_root_key(root), 1));
    }
    disk_end();
}

/* What the vectors say of them: a TPM that opens just these ten bytes, and firmware that derives
 * for just this salt. */
static mt_err opens_ten_bytes(struct mt_device *d, mt_bytes sealed, mt_span out)
{
    static const uint8_t own[] = {10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
    (void)d;
    MT_REQUIRE(mt_bytes_equal(sealed, MT_BYTES_OF(own)), MT_E_PROOF, "not what was sealed");
    memset(out.ptr, 10, out.len);
    return MT_OK;
}

static mt_err seals_nothing(struct mt_device *d, mt_bytes secret, bool is_next, struct mt_buf *out)
{
    (void)d;
    (void)secret;
    (void)is_next;
    (void)out;
    MT_FAIL(MT_E_IO, "no slot is made here");
}

static mt_err derives_for_the_salt(struct mt_device *d, mt_bytes context, mt_bytes level,
                                   mt_span out)
{
    static const uint8_t kept[] = {3, [6] = 5, [7] = 10, [8] = 2, [11] = 0};
    (void)d;
    MT_REQUIRE(level.len == 0 || mt_bytes_equal(level, MT_BYTES_OF(kept)), MT_E_PROOF,
               "another level");
    MT_ASSERT(context.len == MT_SLOT_SALT_LEN);
    MT_REQUIRE(is_all(context, 11), MT_E_PROOF, "another salt");
    memset(out.ptr, 12, out.len);
    return MT_OK;
}

static void slots_of_devices_open_with_them(void)
{
    static const struct mt_device_ops tpm = {.seal = seals_nothing, .unseal = opens_ten_bytes};
    static const struct mt_device_ops firmware = {.derive = derives_for_the_salt};
    struct mt_device devices[] = {{&tpm, MT_EVIDENCE_TPM}, {&firmware, MT_EVIDENCE_SNP}};
    static const char *const slots[] = {MT_VECTOR_TPM_SLOT, MT_VECTOR_DERIVED_SLOT,
                                        MT_VECTOR_LEVEL_SLOT};
    struct room room;
    disk_of_vectors();
    for (size_t i = 0; i < 3; i++) {
        MT_DEFER(mt_root_free) struct mt_root *root = NULL;
        struct mt_credential c;
        file_put(fs, "slots/slot-7.mtk", bytes_of(mt_bytes_of_text(slots[i]), &room));
        OK(mt_credential_of_device(&devices[i > 0 ? 1 : 0], &c));
        OK(mt_root_open(fs, &c, &root));
        MT_ASSERT(is_all(mt_root_key(root), 1));
    }
    disk_end();
}

static void a_kept_key_opens_its_slot(void)
{
    static struct mt_peers peers;
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    struct mt_slot_info info[MT_KEY_SLOTS_MAX];
    struct room room;
    size_t count = 0;
    disk_of_vectors();
    file_put(fs, "slots/slot-3.mtk", bytes_of(MT_LITERAL(MT_VECTOR_PEER_SLOT), &room));
    OK(mt_slot_list(fs, info, MT_KEY_SLOTS_MAX, &count));
    while (count > 0 && info[count - 1].kind != MT_SLOT_PEER) {
        count--;
    }
    MT_ASSERT(count > 0 && is_all(mt_hash_bytes(&info[count - 1].peer.cluster), 17));
    OK(mt_peers_parse(bytes_of(MT_LITERAL(MT_VECTOR_PEERS), &room), &peers));
    const struct mt_peer_key *k = mt_peers_find(&peers, &info[count - 1].peer.key);
    MT_ASSERT(k != NULL && k->made_ms == 1700000000000);
    const struct mt_credential c = {.kind = MT_SLOT_PEER, .secret = k->key};
    OK(mt_root_open(fs, &c, &root));
    MT_ASSERT(is_all(mt_root_key(root), 1));
    room.b[1] = 2;
    MT_ASSERT(is_code(mt_peers_parse((mt_bytes){room.b, 72}, &peers), MT_E_CONFLICT));
    disk_end();
}

static void shares_of_an_independent_program_open_its_slot(void)
{
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    static const char *const texts[] = {MT_VECTOR_SHARE_LAST, MT_VECTOR_SHARE_FIRST,
                                        MT_VECTOR_SHARE_MIDDLE};
    struct mt_share shares[3];
    struct room room;
    size_t at = 0;
    disk_of_vectors();
    file_put(fs, "slots/slot-2.mtk", bytes_of(MT_LITERAL(MT_VECTOR_SHARES_SLOT), &room));
    for (size_t i = 0; i < 3; i++) {
        OK(mt_share_parse(bytes_of(mt_bytes_of_text(texts[i]), &room), &shares[i]));
    }
    OK(mt_root_open_shares(fs, shares, 3, &root, &at));
    MT_ASSERT(is_all(mt_root_key(root), 1));
    disk_end();
}

static void the_object_opens_from_the_ledgers_words(void)
{
    struct room room;
    struct room plain;
    uint8_t out[BYTES_MAX];
    size_t got = 0;
    struct mt_object_handle handle;
    struct mt_object_wrap wrap;
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    struct mt_shred *shred = NULL;
    struct mt_object_reader *reader = NULL;
    disk_of_vectors();
    OK(mt_root_open(fs, &world_file, &root));
    OK(mt_shred_open(fs, root, &shred));
    MT_ASSERT(mt_shred_epoch(shred) == 7);
    mt_bytes wrapped = bytes_of(MT_LITERAL(MT_VECTOR_SEALED_WRAP), &room);
    MT_ASSERT(wrapped.len == sizeof wrap.b);
    memcpy(wrap.b, wrapped.ptr, sizeof wrap.b);
    struct mt_reader r = mt_reader_over(bytes_of(MT_LITERAL(MT_VECTOR_SEALED_HANDLE), &room));
    OK(mt_object_handle_parse(&r, &handle));
    OK(mt_shred_unwrap(shred, &handle.id, &wrap, &key));
    MT_ASSERT(is_all(mt_secret_bytes(key), 3));
    OK(mt_object_reader_new(fs, &handle, mt_secret_bytes(key), &reader));
    OK(mt_object_reader_read_at(reader, 0, (mt_span){out, sizeof out}, &got));
    mt_bytes wanted = bytes_of(MT_LITERAL(MT_VECTOR_SEALED_PLAIN), &plain);
    MT_ASSERT(mt_bytes_equal((mt_bytes){out, got}, wanted));
    mt_object_reader_free(&reader);
    mt_shred_free(&shred);
    disk_end();
}

static void the_handle_commits_to_the_content(void)
{
    struct room room;
    struct room plain;
    struct mt_object_handle handle;
    mt_hash hash;
    mt_hash commitment;
    struct mt_reader r = mt_reader_over(bytes_of(MT_LITERAL(MT_VECTOR_SEALED_HANDLE), &room));
    OK(mt_object_handle_parse(&r, &handle));
    mt_bytes content = bytes_of(MT_LITERAL(MT_VECTOR_SEALED_PLAIN), &plain);
    mt_sha256(&content, 1, &hash);
    mt_object_commit(&handle.salt, content.len, &hash, &commitment);
    MT_ASSERT(mt_hash_equal(&commitment, &handle.commitment));
}

static bool says(mt_err e, const char *words)
{
    return mt_failed(e) && strcmp(e.fault->what, words) == 0;
}

/* spec/versions.md */
static void the_next_version_of_each_is_refused_in_so_many_words(void)
{
    struct room room;
    struct mt_object_handle handle;
    struct mt_slot slot;
    struct mt_shred_keys keys;
    struct mt_shred *shred = NULL;
    MT_DEFER(mt_root_free) struct mt_root *root = NULL;
    mt_bytes in = bytes_of(MT_LITERAL(MT_VECTOR_SEALED_HANDLE), &room);
    room.b[1] = 2;
    struct mt_reader r = mt_reader_over(in);
    MT_ASSERT(
        says(mt_object_handle_parse(&r, &handle), "an object's handle is of another version"));
    in = bytes_of(MT_LITERAL(MT_VECTOR_FILE_SLOT), &room);
    room.b[1] = 3;
    MT_ASSERT(says(mt_slot_parse(in, &slot), "a key slot of another version"));
    room.b[1] = 2; /* nor does a kind of one version pass under the other */
    MT_ASSERT(is_code(mt_slot_parse(in, &slot), MT_E_FORMAT));
    room.b[0] = 0x88;
    MT_ASSERT(is_code(mt_slot_parse(in, &slot), MT_E_FORMAT));
    in = bytes_of(MT_LITERAL(MT_VECTOR_TPM_SLOT), &room);
    memcpy(room.b, (const uint8_t[]){0x87, 1}, 2);
    MT_ASSERT(is_code(mt_slot_parse(in, &slot), MT_E_FORMAT));
    MT_ASSERT(says(mt_shred_keys_parse(MT_LITERAL("\x82\x02\x80"), &keys),
                   "the shred file is of another version"));
    disk_of_vectors();
    OK(mt_root_open(fs, &world_file, &root));
    in = bytes_of(MT_LITERAL(MT_VECTOR_SHRED_FILE), &room);
    room.b[11] = 2;
    file_put(fs, "shred.mts", in);
    MT_ASSERT(says(mt_shred_open(fs, root, &shred),
                   "a small sealed file is not one, or of another version"));
    disk_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(slots_open_with_their_credentials),
        MT_TEST(slots_of_devices_open_with_them),
        MT_TEST(a_kept_key_opens_its_slot),
        MT_TEST(shares_of_an_independent_program_open_its_slot),
        MT_TEST(the_object_opens_from_the_ledgers_words),
        MT_TEST(the_handle_commits_to_the_content),
        MT_TEST(the_next_version_of_each_is_refused_in_so_many_words),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
