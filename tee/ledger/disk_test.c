/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A host that lies about the disk, and a disk that forgets: what the ledger makes of it. */
#include "ledger/ledger.h"

#include "crypto/aead.h"
#include "ledger/sector.h"
#include "ledger/world_test.h"
#include "unit/runner.h"

/* Every nonce ever used, with its key and what it sealed: none twice for two contents. */
enum { USES_MAX = 200000, KEYS_MAX = 20000, CHUNK_BYTES = 64 * 1024 };
struct use {
    uint64_t key;
    uint64_t nonce;
    uint64_t content;
};
static struct use uses[USES_MAX];
static size_t uses_count;
static struct {
    const struct mt_aead *a;
    uint64_t key;
} keys[KEYS_MAX];
static size_t keys_count;

mt_err __real_mt_aead_new(mt_bytes key, struct mt_aead **out);
mt_err __wrap_mt_aead_new(mt_bytes key, struct mt_aead **out);
mt_err __real_mt_aead_seal(struct mt_aead *a, mt_bytes nonce, mt_bytes aad, mt_bytes plain,
                           mt_span out);
mt_err __wrap_mt_aead_seal(struct mt_aead *a, mt_bytes nonce, mt_bytes aad, mt_bytes plain,
                           mt_span out);

static uint64_t digest(mt_bytes b)
{
    uint64_t h = 14695981039346656037U; /* FNV-1a */
    for (size_t i = 0; i < b.len; i++) {
        h = (h ^ b.ptr[i]) * 1099511628211U;
    }
    return h;
}

mt_err __wrap_mt_aead_new(mt_bytes key, struct mt_aead **out)
{
    MT_TRY(__real_mt_aead_new(key, out));
    keys[keys_count % KEYS_MAX].a = *out;
    keys[keys_count % KEYS_MAX].key = digest(key);
    keys_count++;
    return MT_OK;
}

static uint64_t key_of(const struct mt_aead *a)
{
    for (size_t i = keys_count; i > 0; i--) { /* newest first: addresses come again */
        if (keys[(i - 1) % KEYS_MAX].a == a) {
            return keys[(i - 1) % KEYS_MAX].key;
        }
    }
    MT_ASSERT(false);
    return 0;
}

mt_err __wrap_mt_aead_seal(struct mt_aead *a, mt_bytes nonce, mt_bytes aad, mt_bytes plain,
                           mt_span out)
{
    struct use u = {key_of(a), digest(nonce), digest(plain) ^ digest(aad)};
    MT_ASSERT(uses_count < USES_MAX);
    for (size_t i = 0; i < uses_count; i++) {
        bool is_again = uses[i].key == u.key && uses[i].nonce == u.nonce;
        MT_ASSERT(!is_again || uses[i].content == u.content);
    }
    uses[uses_count++] = u;
    return __real_mt_aead_seal(a, nonce, aad, plain, out);
}

static bool fails_with(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

/* A ledger of a few small blocks, closed; its one chunk without the zeros at its end. */
struct disk {
    struct world w;
    struct mt_buf chunk;
    uint64_t blocks[16]; /* offset of each, and behind the last */
    size_t blocks_count;
};

static void find_blocks(struct disk *d)
{
    struct mt_chunk_scan *s = NULL;
    mt_bytes block;
    bool is_end = false;
    OK(mt_chunk_scan_open(d->w.fs, 1, &s));
    for (d->blocks_count = 0; !is_end; d->blocks_count++) {
        MT_ASSERT(d->blocks_count < 16);
        d->blocks[d->blocks_count] = mt_chunk_scan_at(s);
        OK(mt_chunk_scan_next(s, &block, &is_end));
    }
    d->blocks_count--;
    mt_chunk_scan_close(&s);
}

static void make_disk(struct disk *d, size_t blocks)
{
    struct mt_ledger *l = NULL;
    *d = (struct disk){
        .w = {.fs = world_disk(), .now_ms = WORLD_EPOCH_MS, .chunk_bytes = CHUNK_BYTES}};
    OK(world_create(&d->w, &l));
    for (size_t i = 1; i < blocks; i++) {
        OK(world_put(&d->w, l, i, (uint8_t)i, 200));
        OK(world_put(&d->w, l, 100 + i, (uint8_t)i, 30));
        OK(world_write(l));
    }
    mt_ledger_free(&l);
    d->chunk = world_file(d->w.fs, world_chunk(1));
    find_blocks(d);
    MT_ASSERT(d->blocks_count == blocks);
    d->chunk.len = (size_t)d->blocks[blocks];
    world_put_file(d->w.fs, world_chunk(1), mt_buf_bytes(&d->chunk));
}

static void end_disk(struct disk *d)
{
    mt_buf_free(&d->chunk);
    world_disk_done(&d->w.fs);
}

static void put_chunk(struct disk *d, mt_bytes content)
{
    world_put_file(d->w.fs, world_chunk(1), content);
}

static void is_refused(struct disk *d)
{
    struct mt_ledger *l = NULL;
    MT_ASSERT(fails_with(world_open(&d->w, &l), MT_E_PROOF));
    MT_ASSERT(l == NULL);
}

/* As by a program of the next version, or the one before the last. */
static void is_of_another_version(struct disk *d, const char *what)
{
    struct mt_ledger *l = NULL;
    mt_err e = world_open(&d->w, &l);
    MT_ASSERT(fails_with(e, MT_E_CONFLICT) && strcmp(e.fault->what, what) == 0);
    MT_ASSERT(l == NULL);
}

static void opens_with(struct disk *d, uint64_t transactions)
{
    struct mt_ledger *l = NULL;
    OK(world_open(&d->w, &l));
    MT_ASSERT(d->w.report.transactions == transactions);
    mt_ledger_free(&l);
    OK(world_open(&d->w, &l)); /* its start is written over what was torn, and whole */
    MT_ASSERT(d->w.report.transactions == transactions + 1 && d->w.report.torn_bytes == 0);
    for (uint64_t i = 1; i < d->blocks_count; i++) {
        bool is_there = 2 * i + 1 <= transactions;
        MT_ASSERT(world_get(&d->w, l, i) == (is_there ? i : 0));
    }
    OK(world_put(&d->w, l, 50, 50, 10)); /* and goes on */
    OK(world_write(l));
    mt_ledger_free(&l);
    OK(world_open(&d->w, &l));
    MT_ASSERT(world_get(&d->w, l, 50) == 50);
    mt_ledger_free(&l);
}

static void every_prefix_of_the_last_write_is_all_or_nothing(void)
{
    struct disk d;
    make_disk(&d, 4);
    size_t before = (size_t)d.blocks[3];
    for (size_t len = before; len <= d.chunk.len; len++) {
        /* As a file that ends there, and as one whose room was made before. */
        put_chunk(&d, (mt_bytes){d.chunk.ptr, len});
        opens_with(&d, len == d.chunk.len ? 7 : 5);
        MT_ASSERT((d.w.report.torn_bytes == 0)); /* of the second start */
        struct mt_buf torn = mt_buf_of_max(MT_LEDGER_CHUNK_BYTES);
        mt_span room;
        OK(mt_buf_append(&torn, (mt_bytes){d.chunk.ptr, len}));
        OK(mt_buf_reserve(&torn, d.chunk.len + 4096 - len, &room));
        memset(room.ptr, 0, room.len);
        torn.len += room.len;
        put_chunk(&d, mt_buf_bytes(&torn));
        opens_with(&d, len == d.chunk.len ? 7 : 5);
        mt_buf_free(&torn);
    }
    end_disk(&d);
}

static void of_any_sectors_of_the_last_write_it_is_all_or_nothing(void)
{
    struct disk d;
    make_disk(&d, 4);
    uint64_t seed = 7;
    size_t first = (size_t)d.blocks[3] / MT_SECTOR_LEN;
    size_t count = d.chunk.len / MT_SECTOR_LEN - first;
    MT_ASSERT(count > 1 && count < 8);
    for (uint64_t arrived = 0; arrived < (1U << count); arrived++) {
        struct mt_buf torn = mt_buf_of_max(MT_LEDGER_CHUNK_BYTES);
        OK(mt_buf_append(&torn, mt_buf_bytes(&d.chunk)));
        for (size_t i = 0; i < count; i++) {
            if ((arrived >> i & 1) == 0) {
                memset(torn.ptr + (first + i) * MT_SECTOR_LEN, 0, MT_SECTOR_LEN);
            }
        }
        put_chunk(&d, mt_buf_bytes(&torn));
        opens_with(&d, arrived + 1 == (1U << count) ? 7 : 5);
        mt_buf_free(&torn);
        (void)world_next(&seed);
    }
    end_disk(&d);
}

static void poke_sector(struct disk *d, size_t at)
{
    world_poke(d->w.fs, world_chunk(1), at, (mt_bytes){d->chunk.ptr + at, MT_SECTOR_LEN});
}

static void every_flipped_bit_is_found_and_the_disk_left_alone(void)
{
    struct disk d;
    make_disk(&d, 3);
    mt_span room;
    OK(mt_buf_reserve(&d.chunk, 4 * (size_t)MT_SECTOR_LEN, &room)); /* free room */
    memset(room.ptr, 0, room.len);
    d.chunk.len += room.len;
    put_chunk(&d, mt_buf_bytes(&d.chunk));
    for (size_t bit = 0; bit < 8 * d.chunk.len; bit++) {
        uint8_t good = d.chunk.ptr[bit / 8];
        world_poke_byte(d.w.fs, world_chunk(1), bit / 8, (uint8_t)(good ^ 1U << bit % 8));
        is_refused(&d);
        MT_ASSERT(d.w.damage.chunk == 1 && d.w.damage.offset <= bit / 8);
        world_poke_byte(d.w.fs, world_chunk(1), bit / 8, good);
    }
    struct mt_buf after = world_file(d.w.fs, world_chunk(1));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&after), mt_buf_bytes(&d.chunk)));
    mt_buf_free(&after);
    opens_with(&d, 5);
    end_disk(&d);
}

/* Whoever changes a sector can make its checksum right. */
/* What a sector that begins a chunk or a block has for a version. */
static bool is_version(const uint8_t *content, size_t sector, size_t byte)
{
    enum { CHUNK_VERSION_AT = 8, BLOCK_VERSION_AT = 4, VERSION_LEN = 4 };
    size_t at = sector == 0 ? CHUNK_VERSION_AT : BLOCK_VERSION_AT;
    bool begins = sector == 0 || mt_bytes_equal((mt_bytes){content, 4}, MT_LITERAL("MTBK"));
    return begins && byte >= at && byte < at + VERSION_LEN;
}

static void every_bit_changed_under_a_right_checksum_is_found(void)
{
    struct disk d;
    make_disk(&d, 3);
    for (size_t at = 0; at < d.chunk.len; at += MT_SECTOR_LEN) {
        uint8_t content[MT_SECTOR_CONTENT];
        memcpy(content, d.chunk.ptr + at, sizeof content);
        for (size_t bit = 0; bit < 8 * sizeof content; bit++) {
            content[bit / 8] ^= (uint8_t)(1U << (bit % 8));
            mt_sectors_write(MT_BYTES_OF(content), (mt_span){d.chunk.ptr + at, MT_SECTOR_LEN});
            poke_sector(&d, at);
            if (is_version(content, at, bit / 8)) {
                is_of_another_version(&d, at == 0 ? "a chunk of another version"
                                                  : "a block of another version");
            } else {
                is_refused(&d);
            }
            content[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
        mt_sectors_write(MT_BYTES_OF(content), (mt_span){d.chunk.ptr + at, MT_SECTOR_LEN});
        poke_sector(&d, at);
    }
    opens_with(&d, 5);
    end_disk(&d);
}

static void bytes_far_behind_the_last_block_are_found(void)
{
    struct disk d;
    make_disk(&d, 3);
    struct mt_ledger *l = NULL;
    OK(world_open(&d.w, &l)); /* the room comes back */
    mt_ledger_free(&l);
    struct mt_buf whole = world_file(d.w.fs, world_chunk(1));
    MT_ASSERT(whole.len == CHUNK_BYTES);
    uint64_t seed = 5;
    for (size_t i = 0; i < 100; i++) {
        size_t at = 4096 + (size_t)(world_next(&seed) % (whole.len - 4096));
        world_poke_byte(d.w.fs, world_chunk(1), at, (uint8_t)(1U << (i % 8)));
        is_refused(&d);
        world_poke_byte(d.w.fs, world_chunk(1), at, 0);
    }
    mt_buf_free(&whole);
    OK(world_open(&d.w, &l));
    mt_ledger_free(&l);
    end_disk(&d);
}

static mt_bytes block_at(const struct disk *d, size_t i)
{
    return (mt_bytes){d->chunk.ptr + d->blocks[i], (size_t)(d->blocks[i + 1] - d->blocks[i])};
}

/* The chunk with blocks in this order instead; `order` ends with 99. */
static void reorder(struct disk *d, const size_t *order)
{
    struct mt_buf chunk = mt_buf_of_max(MT_LEDGER_CHUNK_BYTES);
    OK(mt_buf_append(&chunk, (mt_bytes){d->chunk.ptr, MT_SECTOR_LEN}));
    for (; *order != 99; order++) {
        OK(mt_buf_append(&chunk, block_at(d, *order)));
    }
    put_chunk(d, mt_buf_bytes(&chunk));
    mt_buf_free(&chunk);
}

static void blocks_swapped_missing_or_twice_are_refused(void)
{
    static const size_t bad[][8] = {
        {1, 0, 2, 3, 4, 99},    {0, 2, 1, 3, 4, 99},
        {0, 1, 2, 4, 3, 99},    {0, 1, 3, 4, 99},
        {1, 2, 3, 4, 99},       {0, 0, 1, 2, 3, 4, 99},
        {0, 1, 2, 2, 3, 4, 99}, {0, 1, 2, 3, 4, 4, 99},
        {0, 1, 2, 3, 4, 0, 99}, {99},
    };
    struct disk d;
    make_disk(&d, 5);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        reorder(&d, bad[i]);
        is_refused(&d);
    }
    end_disk(&d);
}

/* Said in spec/ledger-chunk.md: one node alone cannot see it, its clients do. */
static void cut_whole_blocks_are_gone_and_the_rest_is_whole(void)
{
    static const size_t cut[] = {0, 1, 2, 99};
    struct disk d;
    make_disk(&d, 5);
    reorder(&d, cut);
    opens_with(&d, 5);
    MT_ASSERT(d.w.report.torn_bytes == 0);
    end_disk(&d);
}

static void a_torn_write_of_another_block_is_refused(void)
{
    struct disk d;
    make_disk(&d, 5);
    struct mt_buf chunk = mt_buf_of_max(MT_LEDGER_CHUNK_BYTES);
    OK(mt_buf_append(&chunk, (mt_bytes){d.chunk.ptr, (size_t)d.blocks[3]}));
    OK(mt_buf_append(&chunk, (mt_bytes){block_at(&d, 4).ptr, MT_SECTOR_LEN}));
    put_chunk(&d, mt_buf_bytes(&chunk));
    is_refused(&d);
    /* The same of the block that does follow is a torn write. */
    memcpy(chunk.ptr + d.blocks[3], block_at(&d, 3).ptr, MT_SECTOR_LEN);
    put_chunk(&d, mt_buf_bytes(&chunk));
    opens_with(&d, 5);
    mt_buf_free(&chunk);
    end_disk(&d);
}

/* Several chunks: `chunk_bytes` so small that each block has its own. */
static void make_chunks(struct world *w, struct mt_fs *fs)
{
    struct mt_ledger *l = NULL;
    *w = (struct world){.fs = fs, .now_ms = WORLD_EPOCH_MS, .chunk_bytes = 2048};
    OK(world_create(w, &l));
    for (uint64_t i = 1; i < 6; i++) {
        OK(world_put(w, l, i, (uint8_t)i, 1200));
        OK(world_write(l));
    }
    mt_ledger_free(&l);
}

static mt_err count_name(void *state, const char *name)
{
    size_t *count = state;
    (void)name;
    ++*count;
    return MT_OK;
}

static void a_ledger_of_many_chunks_opens(void)
{
    struct world w;
    struct mt_ledger *l = NULL;
    size_t count = 0;
    make_chunks(&w, world_disk());
    OK(mt_fs_list(w.fs, "ledger", count_name, &count));
    MT_ASSERT(count == 6);
    OK(world_open(&w, &l));
    MT_ASSERT(w.report.blocks == 6 && w.report.transactions == 6);
    for (uint64_t i = 1; i < 6; i++) {
        MT_ASSERT(world_get(&w, l, i) == i);
    }
    mt_ledger_free(&l);
    world_disk_done(&w.fs);
}

static void refuses(struct world *w)
{
    struct mt_ledger *l = NULL;
    MT_ASSERT(fails_with(world_open(w, &l), MT_E_PROOF));
}

static void a_missing_chunk_is_refused_unless_it_is_the_last(void)
{
    for (uint64_t gone = 1; gone <= 6; gone++) {
        struct world w;
        make_chunks(&w, world_disk());
        OK(mt_fs_remove(w.fs, world_chunk(gone)));
        if (gone < 6) {
            refuses(&w);
        } else {
            struct mt_ledger *l = NULL;
            OK(world_open(&w, &l));
            MT_ASSERT(w.report.blocks == 5);
            mt_ledger_free(&l);
        }
        world_disk_done(&w.fs);
    }
}

static void a_chunk_twice_or_under_anothers_name_is_refused(void)
{
    for (uint64_t from = 1; from <= 6; from++) {
        for (uint64_t to = 1; to <= 7; to++) {
            struct world w;
            if (from == to) {
                continue;
            }
            make_chunks(&w, world_disk());
            struct mt_buf chunk = world_file(w.fs, world_chunk(from));
            world_put_file(w.fs, world_chunk(to), mt_buf_bytes(&chunk));
            refuses(&w);
            mt_buf_free(&chunk);
            world_disk_done(&w.fs);
        }
    }
}

static void chunks_of_another_ledger_or_secret_are_refused(void)
{
    struct world mine;
    struct world other;
    struct mt_ledger *l = NULL;
    for (uint64_t number = 1; number <= 6; number++) {
        make_chunks(&mine, world_disk());
        make_chunks(&other, world_disk());
        struct mt_buf chunk = world_file(other.fs, world_chunk(number));
        world_put_file(mine.fs, world_chunk(number), mt_buf_bytes(&chunk));
        refuses(&mine);
        mt_buf_free(&chunk);
        world_disk_done(&mine.fs);
        world_disk_done(&other.fs);
    }
    make_chunks(&mine, world_disk());
    struct mt_ledger_options o = world_options(&mine);
    o.secret = MT_LITERAL("another secret of 32 bytes. Hello");
    MT_ASSERT(fails_with(mt_ledger_open(&o, &l, &mine.report), MT_E_PROOF));
    world_disk_done(&mine.fs);
}

static void a_torn_write_in_an_older_chunk_is_refused(void)
{
    struct world w;
    make_chunks(&w, world_disk());
    for (uint64_t number = 1; number < 6; number++) {
        struct mt_buf chunk = world_file(w.fs, world_chunk(number));
        size_t end = (world_used(&chunk) + MT_SECTOR_LEN - 1) / MT_SECTOR_LEN * MT_SECTOR_LEN;
        world_poke(w.fs, world_chunk(number), end, MT_LITERAL("MTBK"));
        refuses(&w);
        world_put_file(w.fs, world_chunk(number), (mt_bytes){chunk.ptr, end});
        mt_buf_free(&chunk);
    }
    struct mt_ledger *l = NULL;
    OK(world_open(&w, &l));
    mt_ledger_free(&l);
    world_disk_done(&w.fs);
}

/* A torn write ends where its header says. */
static void whole_sectors_behind_a_torn_write_are_refused(void)
{
    struct disk d;
    make_disk(&d, 4);
    struct mt_buf chunk = mt_buf_of_max(MT_LEDGER_CHUNK_BYTES);
    OK(mt_buf_append(&chunk, mt_buf_bytes(&d.chunk)));
    memset(chunk.ptr + chunk.len - MT_SECTOR_LEN, 0, MT_SECTOR_LEN); /* torn */
    OK(mt_buf_append(&chunk, block_at(&d, 1)));
    put_chunk(&d, mt_buf_bytes(&chunk));
    is_refused(&d);
    put_chunk(&d, (mt_bytes){chunk.ptr, d.chunk.len});
    opens_with(&d, 5);
    mt_buf_free(&chunk);
    end_disk(&d);
}

static void names_that_are_not_ours_are_left_alone(void)
{
    struct world w;
    struct mt_ledger *l = NULL;
    make_chunks(&w, world_disk());
    world_put_file(w.fs, "ledger/unfinished.new", MT_LITERAL("MTLEDGR1 and then the power went"));
    world_put_file(w.fs, "ledger/notes.txt", MT_LITERAL("hello"));
    world_put_file(w.fs, "ledger/ledger_0000000000000000000x.mtl", MT_LITERAL("hello"));
    OK(world_open(&w, &l));
    mt_ledger_free(&l);
    struct mt_buf notes = world_file(w.fs, "ledger/notes.txt");
    MT_ASSERT(notes.len == 5);
    mt_buf_free(&notes);
    struct mt_file *f = NULL;
    MT_ASSERT(fails_with(mt_fs_open(w.fs, "ledger/unfinished.new", MT_FS_READ, &f), MT_E_NOTFOUND));
    world_disk_done(&w.fs);
}

/* Block 4 is torn again and again, and each start writes its own block 4: no key seals two of them
 * (checked by the wrapper of mt_aead_seal). */
static void a_torn_write_never_repeats_a_nonce(void)
{
    struct disk d;
    make_disk(&d, 4);
    for (uint8_t i = 0; i < 50; i++) {
        struct mt_ledger *l = NULL;
        put_chunk(&d, (mt_bytes){d.chunk.ptr, (size_t)d.blocks[3] + 5});
        OK(world_open(&d.w, &l));
        MT_ASSERT(d.w.report.torn_bytes == MT_SECTOR_LEN);
        OK(world_put(&d.w, l, 9, (uint8_t)(i + 1), 300));
        OK(world_write(l));
        mt_ledger_free(&l);
    }
    end_disk(&d);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(every_prefix_of_the_last_write_is_all_or_nothing),
        MT_TEST(of_any_sectors_of_the_last_write_it_is_all_or_nothing),
        MT_TEST(every_flipped_bit_is_found_and_the_disk_left_alone),
        MT_TEST(every_bit_changed_under_a_right_checksum_is_found),
        MT_TEST(bytes_far_behind_the_last_block_are_found),
        MT_TEST(blocks_swapped_missing_or_twice_are_refused),
        MT_TEST(cut_whole_blocks_are_gone_and_the_rest_is_whole),
        MT_TEST(a_torn_write_of_another_block_is_refused),
        MT_TEST(a_ledger_of_many_chunks_opens),
        MT_TEST(a_missing_chunk_is_refused_unless_it_is_the_last),
        MT_TEST(a_chunk_twice_or_under_anothers_name_is_refused),
        MT_TEST(chunks_of_another_ledger_or_secret_are_refused),
        MT_TEST(a_torn_write_in_an_older_chunk_is_refused),
        MT_TEST(whole_sectors_behind_a_torn_write_are_refused),
        MT_TEST(names_that_are_not_ours_are_left_alone),
        MT_TEST(a_torn_write_never_repeats_a_nonce),
    };
    OK(mt_crypto_init(world_entropy, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
