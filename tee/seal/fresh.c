/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/fresh.h"

#include "wire/cbor.h"

/* CBOR [1, counter, transactions]. */
enum { VERSION = 1, FIELDS = 3, BYTES_MAX = 32 };
static const char name[] = "fresh.mts";

struct mark {
    uint64_t counter;
    uint64_t transactions;
};

static MT_ERR put_mark(struct mt_fs *fs, const struct mt_root *r, const struct mark *m)
{
    uint8_t room[BYTES_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_cbor_write_array(&w, FIELDS);
    mt_cbor_write_uint(&w, VERSION);
    mt_cbor_write_uint(&w, m->counter);
    mt_cbor_write_uint(&w, m->transactions);
    return mt_small_file_write(fs, r, name, mt_write_done(&w));
}

static MT_ERR get_mark(struct mt_fs *fs, const struct mt_root *r, struct mark *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf content = mt_buf_of_max(BYTES_MAX);
    uint64_t count = 0;
    uint64_t version = 0;
    MT_TRY(mt_small_file_read(fs, r, name, &content));
    struct mt_reader reader = mt_reader_over(mt_buf_bytes(&content));
    MT_TRY(mt_cbor_read_array(&reader, FIELDS, &count));
    MT_TRY(mt_cbor_read_uint(&reader, &version));
    MT_REQUIRE(version == VERSION && count == FIELDS, MT_E_CONFLICT,
               "a mark of freshness of another version");
    MT_TRY(mt_cbor_read_uint(&reader, &out->counter));
    MT_TRY(mt_cbor_read_uint(&reader, &out->transactions));
    return mt_read_end(&reader);
}

/* The file before the counter: whoever is cut short in between finds the file one ahead. */
static MT_ERR step(struct mt_fs *fs, const struct mt_root *r, struct mt_device *d,
                   uint64_t transactions, uint64_t counter)
{
    const struct mark next = {counter + 1, transactions};
    uint64_t now = 0;
    MT_TRY(put_mark(fs, r, &next));
    MT_TRY(mt_device_count(d, true, &now));
    MT_REQUIRE(now == next.counter, MT_E_PROOF,
               "the machine's counter has moved by itself: is another node using it?");
    return MT_OK;
}

MT_ERR mt_fresh_take_up(struct mt_fs *fs, const struct mt_root *r, struct mt_device *d,
                        bool *is_taken_up)
{
    struct mark m = {0, 0};
    uint64_t counter = 0;
    MT_TRY(mt_device_count(d, false, &counter));
    mt_err e = get_mark(fs, r, &m);
    bool is_missing = mt_failed(e) && e.fault->code == MT_E_NOTFOUND;
    if (!is_missing) { /* one that was changed is not made good */
        MT_TRY(e);
    }
    *is_taken_up = is_missing || m.counter < counter || m.counter > counter + 1;
    m.counter = counter; /* how long the ledger must be stays */
    return *is_taken_up ? put_mark(fs, r, &m) : MT_OK;
}

MT_ERR mt_fresh_open(struct mt_fs *fs, const struct mt_root *r, struct mt_device *d, bool is_first,
                     uint64_t *transactions)
{
    struct mark m = {0, 0};
    uint64_t counter = 0;
    MT_TRY(mt_device_count(d, false, &counter));
    mt_err e = get_mark(fs, r, &m);
    bool is_missing = mt_failed(e) && e.fault->code == MT_E_NOTFOUND;
    MT_REQUIRE(is_first || !is_missing, MT_E_PROOF, "the mark of freshness is gone");
    if (!is_missing) {
        MT_TRY(e);
        MT_REQUIRE(m.counter >= counter, MT_E_PROOF,
                   "the disk is older than the machine's counter: it was put back");
        MT_REQUIRE(
            m.counter <= counter + 1, MT_E_PROOF,
            "the machine's counter is behind the disk: it was reset, or is another machine's");
    }
    MT_TRY(step(fs, r, d, m.transactions, counter));
    *transactions = m.transactions;
    return MT_OK;
}

MT_ERR mt_fresh_step(struct mt_fs *fs, const struct mt_root *r, struct mt_device *d,
                     uint64_t transactions)
{
    uint64_t counter = 0;
    MT_TRY(mt_device_count(d, false, &counter));
    return step(fs, r, d, transactions, counter);
}
