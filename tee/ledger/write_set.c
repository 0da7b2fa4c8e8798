/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/write_set.h"

#include "base/limits.h"
#include "wire/cbor.h"

static size_t run_of_same_map(const struct mt_change *changes, size_t count)
{
    size_t n = 1;
    while (n < count && mt_bytes_equal(changes[n].map, changes[0].map)) {
        n++;
    }
    return n;
}

static void write_changes(struct mt_writer *w, const struct mt_change *changes, size_t count)
{
    uint64_t maps = 0;
    for (size_t i = 0; i < count; i += run_of_same_map(changes + i, count - i)) {
        maps++;
    }
    mt_cbor_write_array(w, maps);
    for (size_t i = 0; i < count;) {
        size_t end = i + run_of_same_map(changes + i, count - i);
        mt_cbor_write_array(w, 2);
        mt_cbor_write_text(w, changes[i].map);
        mt_cbor_write_array(w, 2 * (end - i));
        for (; i < end; i++) {
            mt_cbor_write_bytes(w, changes[i].key);
            if (changes[i].is_delete) {
                mt_cbor_write_null(w);
            } else {
                mt_cbor_write_bytes(w, changes[i].value);
            }
        }
    }
}

static void write_tagged(struct mt_writer *w, const struct mt_tagged *t, size_t count)
{
    mt_cbor_write_array(w, 2 * (uint64_t)count);
    for (size_t i = 0; i < count; i++) {
        mt_cbor_write_bytes(w, mt_id_bytes(&t[i].id));
        mt_cbor_write_bytes(w, t[i].bytes);
    }
}

void mt_public_part_write(struct mt_writer *w, const struct mt_change *changes, size_t count)
{
    write_changes(w, changes, count);
}

void mt_private_part_write(struct mt_writer *w, const struct mt_private_part *p)
{
    mt_cbor_write_array(w, 4);
    mt_cbor_write_bytes(w, mt_id_bytes(&p->nonce));
    write_tagged(w, p->claims, p->claims_count);
    write_changes(w, p->changes, p->changes_count);
    write_tagged(w, p->events, p->events_count);
}

MT_ERR mt_changes_begin(mt_bytes item, struct mt_changes_cursor *c)
{
    struct mt_changes_cursor begun = {.r = mt_reader_over(item)};
    MT_TRY(mt_cbor_read_array(&begun.r, MT_LEDGER_MAPS_MAX, &begun.maps_left));
    *c = begun;
    return MT_OK;
}

static MT_ERR next_map(struct mt_changes_cursor *c)
{
    uint64_t two = 0;
    mt_bytes name;
    MT_TRY(mt_cbor_read_array(&c->r, 2, &two));
    MT_REQUIRE(two == 2, MT_E_FORMAT, "a map's changes are a name and a list");
    MT_TRY(mt_cbor_read_text(&c->r, &name));
    MT_REQUIRE(name.len > 0 && name.len <= MT_MAP_NAME_BYTES_MAX, MT_E_FORMAT,
               "a map's name is too short or too long");
    MT_REQUIRE(mt_bytes_order(name, c->last.map) > 0, MT_E_FORMAT, "maps are not in order");
    MT_TRY(mt_cbor_read_array(&c->r, MT_TX_BYTES_MAX, &c->halves_left));
    MT_REQUIRE(c->halves_left > 0 && c->halves_left % 2 == 0, MT_E_FORMAT,
               "a map's changes are keys and values in turn");
    c->last = (struct mt_change){.map = name};
    c->maps_left--;
    return MT_OK;
}

MT_ERR mt_changes_next(struct mt_changes_cursor *c, struct mt_change *out, bool *is_end)
{
    if (c->halves_left == 0 && c->maps_left == 0) {
        *is_end = true;
        return mt_read_end(&c->r);
    }
    if (c->halves_left == 0) {
        MT_TRY(next_map(c));
    }
    struct mt_change change = {.map = c->last.map};
    MT_TRY(mt_cbor_read_bytes(&c->r, &change.key));
    MT_REQUIRE(change.key.len > 0 && change.key.len <= MT_KEY_BYTES_MAX, MT_E_FORMAT,
               "a key is too short or too long");
    MT_REQUIRE(mt_bytes_order(change.key, c->last.key) > 0, MT_E_FORMAT, "keys are not in order");
    MT_TRY(mt_cbor_read_null(&c->r, &change.is_delete));
    if (!change.is_delete) {
        MT_TRY(mt_cbor_read_bytes(&c->r, &change.value));
        MT_REQUIRE(change.value.len <= MT_VALUE_BYTES_MAX, MT_E_FORMAT, "a value is too long");
    }
    c->halves_left -= 2;
    c->last = change;
    *out = change;
    *is_end = false;
    return MT_OK;
}

MT_ERR mt_tagged_begin(mt_bytes item, struct mt_tagged_cursor *c)
{
    struct mt_tagged_cursor begun = {.r = mt_reader_over(item)};
    MT_TRY(mt_cbor_read_array(&begun.r, 2 * (uint64_t)MT_TX_EVENTS_MAX, &begun.halves_left));
    MT_REQUIRE(begun.halves_left % 2 == 0, MT_E_FORMAT, "claims and events are pairs");
    *c = begun;
    return MT_OK;
}

MT_ERR mt_tagged_next(struct mt_tagged_cursor *c, struct mt_tagged *out, bool *is_end)
{
    if (c->halves_left == 0) {
        *is_end = true;
        return mt_read_end(&c->r);
    }
    struct mt_tagged t;
    MT_TRY(mt_cbor_read_copy(&c->r, (mt_span){t.id.b, sizeof t.id.b}));
    MT_TRY(mt_cbor_read_bytes(&c->r, &t.bytes));
    MT_REQUIRE(t.bytes.len <= MT_VALUE_BYTES_MAX, MT_E_FORMAT, "a claim or event is too long");
    c->halves_left -= 2;
    *out = t;
    *is_end = false;
    return MT_OK;
}

static MT_ERR check_changes(mt_bytes item)
{
    struct mt_changes_cursor c;
    struct mt_change change;
    bool is_end = false;
    MT_TRY(mt_changes_begin(item, &c));
    while (!is_end) {
        MT_TRY(mt_changes_next(&c, &change, &is_end));
    }
    return MT_OK;
}

static MT_ERR check_tagged(mt_bytes item, uint64_t *count)
{
    struct mt_tagged_cursor c;
    struct mt_tagged t;
    bool is_end = false;
    MT_TRY(mt_tagged_begin(item, &c));
    *count = c.halves_left / 2;
    while (!is_end) {
        MT_TRY(mt_tagged_next(&c, &t, &is_end));
    }
    return MT_OK;
}

MT_ERR mt_write_set_parse(struct mt_reader *public_, struct mt_reader *private_,
                          struct mt_write_set *out)
{
    struct mt_write_set s = {.claims_count = 0};
    uint64_t four = 0;
    uint64_t events_count = 0;
    MT_TRY(mt_cbor_read_item(public_, &s.public_));
    MT_TRY(mt_cbor_read_item(private_, &s.private_));
    MT_TRY(check_changes(s.public_));
    struct mt_reader r = mt_reader_over(s.private_);
    MT_TRY(mt_cbor_read_array(&r, 4, &four));
    MT_REQUIRE(four == 4, MT_E_FORMAT, "the private part of a write set has four fields");
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){s.nonce.b, sizeof s.nonce.b}));
    MT_TRY(mt_cbor_read_item(&r, &s.claims));
    MT_TRY(mt_cbor_read_item(&r, &s.changes));
    MT_TRY(mt_cbor_read_item(&r, &s.events));
    MT_TRY(mt_read_end(&r));
    MT_TRY(check_tagged(s.claims, &s.claims_count));
    MT_REQUIRE(s.claims_count <= MT_CLAIM_ITEMS_MAX, MT_E_FORMAT, "too many claims");
    MT_TRY(check_changes(s.changes));
    MT_TRY(check_tagged(s.events, &events_count));
    *out = s;
    return MT_OK;
}
