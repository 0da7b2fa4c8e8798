/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/fresh.h"

#include <string.h>

#include "wire/cbor.h"

/* CBOR [2, counter, transactions, whose counter (32)]; of before, [1, counter, transactions]. */
enum { VERSION = 2, FIELDS = 4, UNNAMED = 1, UNNAMED_FIELDS = 3, BYTES_MAX = 64 };
static const char name[] = "fresh.mts";

struct mark {
    uint64_t counter;
    uint64_t transactions;
    bool is_named;
    mt_hash whose;
};

static MT_ERR put_mark(struct mt_fs *fs, const struct mt_root *r, const struct mark *m)
{
    uint8_t room[BYTES_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_cbor_write_array(&w, FIELDS);
    mt_cbor_write_uint(&w, VERSION);
    mt_cbor_write_uint(&w, m->counter);
    mt_cbor_write_uint(&w, m->transactions);
    mt_cbor_write_bytes(&w, mt_hash_bytes(&m->whose));
    return mt_small_file_write(fs, r, name, mt_write_done(&w));
}

static MT_ERR get_mark(struct mt_fs *fs, const struct mt_root *r, struct mark *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf content = mt_buf_of_max(BYTES_MAX);
    struct mark m = {0, 0, false, {{0}}};
    uint64_t count = 0;
    uint64_t version = 0;
    mt_bytes whose;
    MT_TRY(mt_small_file_read(fs, r, name, &content));
    struct mt_reader reader = mt_reader_over(mt_buf_bytes(&content));
    MT_TRY(mt_cbor_read_array(&reader, FIELDS, &count));
    MT_TRY(mt_cbor_read_uint(&reader, &version));
    m.is_named = version == VERSION && count == FIELDS;
    MT_REQUIRE(m.is_named || (version == UNNAMED && count == UNNAMED_FIELDS), MT_E_CONFLICT,
               "a mark of freshness of another version");
    MT_TRY(mt_cbor_read_uint(&reader, &m.counter));
    MT_TRY(mt_cbor_read_uint(&reader, &m.transactions));
    if (m.is_named) {
        MT_TRY(mt_cbor_read_bytes(&reader, &whose));
        MT_REQUIRE(whose.len == sizeof m.whose.b, MT_E_FORMAT, "a counter has another name");
        memcpy(m.whose.b, whose.ptr, sizeof m.whose.b);
    }
    MT_TRY(mt_read_end(&reader));
    *out = m;
    return MT_OK;
}

/* Another machine's counter may stand at the very number; of before there are marks without a name.
 */
static bool is_of(const struct mark *m, const mt_hash *whose)
{
    return !m->is_named || mt_hash_equal(&m->whose, whose);
}

/* The file before the counter: whoever is cut short in between finds the file one ahead. */
static MT_ERR step(struct mt_fs *fs, const struct mt_root *r, struct mt_device *d,
                   const struct mark *before)
{
    struct mark next = *before;
    struct mark now;
    next.counter++;
    MT_TRY(put_mark(fs, r, &next));
    MT_TRY(mt_device_count(d, true, &now.counter, &now.whose));
    MT_REQUIRE(now.counter == next.counter && mt_hash_equal(&now.whose, &next.whose), MT_E_PROOF,
               "the machine's counter has moved by itself: is another node using it?");
    return MT_OK;
}

MT_ERR mt_fresh_take_up(struct mt_fs *fs, const struct mt_root *r, struct mt_device *d,
                        bool *is_taken_up)
{
    struct mark m = {0, 0, false, {{0}}};
    struct mark now = m;
    MT_TRY(mt_device_count(d, false, &now.counter, &now.whose));
    mt_err e = get_mark(fs, r, &m);
    bool is_missing = mt_failed(e) && e.fault->code == MT_E_NOTFOUND;
    if (!is_missing) { /* one that was changed is not made good */
        MT_TRY(e);
    }
    *is_taken_up = is_missing || !is_of(&m, &now.whose) || m.counter < now.counter ||
                   m.counter > now.counter + 1;
    now.transactions = m.transactions; /* how long the ledger must be stays */
    return *is_taken_up ? put_mark(fs, r, &now) : MT_OK;
}

MT_ERR mt_fresh_is_marked(struct mt_fs *fs, const struct mt_root *r, bool *out)
{
    struct mark m;
    mt_err e = get_mark(fs, r, &m);
    *out = !mt_failed(e);
    return mt_failed(e) && e.fault->code == MT_E_NOTFOUND ? MT_OK : e;
}

MT_ERR mt_fresh_open(struct mt_fs *fs, const struct mt_root *r, struct mt_device *d, bool is_first,
                     uint64_t *transactions)
{
    struct mark m = {0, 0, false, {{0}}};
    struct mark now = m;
    MT_TRY(mt_device_count(d, false, &now.counter, &now.whose));
    mt_err e = get_mark(fs, r, &m);
    bool is_missing = mt_failed(e) && e.fault->code == MT_E_NOTFOUND;
    MT_REQUIRE(is_first || !is_missing, MT_E_PROOF, "the mark of freshness is gone");
    if (!is_missing) {
        MT_TRY(e);
        MT_REQUIRE(is_of(&m, &now.whose), MT_E_PROOF,
                   "the disk was marked by another machine's counter");
        MT_REQUIRE(m.counter >= now.counter, MT_E_PROOF,
                   "the disk is older than the machine's counter: it was put back");
        MT_REQUIRE(
            m.counter <= now.counter + 1, MT_E_PROOF,
            "the machine's counter is behind the disk: it was reset, or is another machine's");
    }
    now.transactions = m.transactions;
    MT_TRY(step(fs, r, d, &now));
    *transactions = m.transactions;
    return MT_OK;
}

MT_ERR mt_fresh_step(struct mt_fs *fs, const struct mt_root *r, struct mt_device *d,
                     uint64_t transactions)
{
    struct mark now = {.transactions = transactions};
    MT_TRY(mt_device_count(d, false, &now.counter, &now.whose));
    return step(fs, r, d, &now);
}
