/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/tx.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/kdf.h"
#include "ledger/inside.h"

/*
 * A transaction works on the newest state itself and keeps a log of what it overwrote. To succeed
 * is to forget the log, to fail is to walk it backwards. So reads need no overlay, and a scan sees
 * the transaction's own writes in their places.
 */
enum {
    COST = 32,               /* heads of CBOR around one key and value, and to spare */
    RANDOM_PIECE = 255 * 32, /* what one HKDF gives */
};

void *mt_array_grow(void *array, size_t *room, size_t count, size_t size)
{
    if (count < *room) {
        return array;
    }
    size_t wanted = *room == 0 ? 16 : *room * 2;
    void *grown = reallocarray(array, wanted, size);
    if (grown != NULL) {
        *room = wanted;
    }
    return grown;
}

MT_ERR mt_state_reach(struct mt_state *s, mt_bytes name, bool is_public, struct mt_state_map **out)
{
    for (size_t i = 0; i < s->count; i++) {
        struct mt_state_map *m = &s->maps[i];
        if (mt_bytes_equal((mt_bytes){m->name, m->name_len}, name)) {
            MT_REQUIRE(m->is_public == is_public, MT_E_FORMAT,
                       "a map is public here and private there");
            *out = m;
            return MT_OK;
        }
    }
    MT_REQUIRE(s->count < MT_LEDGER_MAPS_MAX, MT_E_LIMIT, "too many maps");
    MT_REQUIRE(name.len > 0 && name.len <= MT_MAP_NAME_BYTES_MAX, MT_E_LIMIT,
               "a map's name is too short or too long");
    struct mt_state_map *m = &s->maps[s->count++];
    *m = (struct mt_state_map){.name_len = name.len, .is_public = is_public};
    memcpy(m->name, name.ptr, name.len);
    m->is_derived = mt_bytes_equal(name, mt_bytes_of_text(mt_ledger_own_maps[MT_OWN_EVENTS].name));
    *out = m;
    return MT_OK;
}

void mt_state_done(struct mt_state *s)
{
    for (size_t i = 0; i < s->count; i++) {
        mt_map_drop(&s->pool, &s->maps[i].map);
    }
    mt_map_pool_done(&s->pool);
    s->count = 0;
}

/* A stranger's map is a bug of ours, and so is one that a table and the ledger see differently. */
static struct mt_state_map *reach(struct mt_tx *tx, const struct mt_map_def *map)
{
    bool is_ours = false;
    MT_ASSERT(tx->is_open);
    for (const struct mt_map_def *m = tx->reach; m->name != NULL && !is_ours; m++) {
        is_ours = m == map; /* nearly always: names are looked at for the rest */
    }
    for (const struct mt_map_def *m = tx->reach; m->name != NULL && !is_ours; m++) {
        is_ours = m->is_public == map->is_public &&
                  mt_bytes_equal(mt_bytes_of_text(m->name), mt_bytes_of_text(map->name));
    }
    MT_ASSERT(is_ours);
    struct mt_state_map *out = NULL;
    mt_err e =
        mt_state_reach(&tx->ledger->state, mt_bytes_of_text(map->name), map->is_public, &out);
    MT_ASSERT(!mt_failed(e));
    return out;
}

MT_ERR mt_tx_get(struct mt_tx *tx, const struct mt_map_def *map, mt_bytes key, mt_bytes *out)
{
    const struct mt_item *item = mt_map_find(&reach(tx, map)->map, key);
    MT_REQUIRE(item != NULL, MT_E_NOTFOUND, "there is no such entry");
    *out = mt_item_value(item);
    return MT_OK;
}

bool mt_tx_has(struct mt_tx *tx, const struct mt_map_def *map, mt_bytes key)
{
    return mt_map_find(&reach(tx, map)->map, key) != NULL;
}

/* For one step more, and for taking back all of them. */
static MT_ERR make_step_room(struct mt_tx *tx)
{
    struct mt_logged *log = mt_array_grow(tx->log, &tx->log_room, tx->log_count, sizeof *tx->log);
    MT_REQUIRE(log != NULL, MT_E_NOMEM, "no memory for a transaction");
    tx->log = log;
    struct mt_item **dead =
        mt_array_grow(tx->dead, &tx->dead_room, tx->log_count + tx->dead_count, sizeof *dead);
    MT_REQUIRE(dead != NULL, MT_E_NOMEM, "no memory for a transaction");
    tx->dead = dead;
    return MT_OK;
}

MT_ERR mt_tx_change(struct mt_tx *tx, struct mt_state_map *map, mt_bytes key, const mt_bytes *value)
{
    struct mt_map_pool *pool = &tx->ledger->state.pool;
    struct mt_item *item = NULL;
    struct mt_item *old = NULL;
    MT_TRY(make_step_room(tx));
    if (value == NULL) {
        MT_TRY(mt_map_del(pool, &map->map, key, &old));
        if (old == NULL) {
            return MT_OK;
        }
    } else {
        MT_TRY(mt_item_new(key, *value, &item));
        mt_err e = mt_map_put(pool, &map->map, item, &old);
        if (mt_failed(e)) {
            mt_item_drop(&item);
            return e;
        }
    }
    size_t cost = COST + key.len + (value == NULL ? 0 : value->len);
    tx->log[tx->log_count++] = (struct mt_logged){map, old, item, cost};
    tx->bytes += cost;
    return MT_OK;
}

static MT_ERR has_room(const struct mt_tx *tx, size_t len)
{
    MT_REQUIRE(len + COST <= MT_TX_BYTES_MAX - tx->bytes, MT_E_LIMIT, "a transaction is too large");
    return MT_OK;
}

MT_ERR mt_tx_put(struct mt_tx *tx, const struct mt_map_def *map, mt_bytes key, mt_bytes value)
{
    struct mt_state_map *m = reach(tx, map);
    MT_ASSERT(key.len > 0);
    MT_REQUIRE(key.len <= MT_KEY_BYTES_MAX, MT_E_LIMIT, "a key is too long");
    MT_REQUIRE(value.len <= MT_VALUE_BYTES_MAX, MT_E_LIMIT, "a value is too long");
    MT_TRY(has_room(tx, key.len + value.len));
    return mt_tx_change(tx, m, key, &value);
}

MT_ERR mt_tx_del(struct mt_tx *tx, const struct mt_map_def *map, mt_bytes key)
{
    struct mt_state_map *m = reach(tx, map);
    MT_REQUIRE(key.len <= MT_KEY_BYTES_MAX, MT_E_LIMIT, "a key is too long");
    MT_TRY(has_room(tx, key.len));
    return mt_tx_change(tx, m, key, NULL);
}

MT_ERR mt_tx_scan(struct mt_tx *tx, const struct mt_map_def *map, struct mt_range range,
                  mt_scan_each *each, void *state)
{
    struct mt_map_cursor c;
    bool is_enough = false;
    bool starts_after = range.after.len > 0 && mt_bytes_order(range.after, range.prefix) >= 0;
    mt_map_seek(&reach(tx, map)->map, starts_after ? range.after : range.prefix, starts_after, &c);
    while (!is_enough) {
        const struct mt_item *item = mt_map_next(&c);
        if (item == NULL || !mt_bytes_start_with(mt_item_key(item), range.prefix)) {
            break;
        }
        MT_TRY(each(state, mt_item_key(item), mt_item_value(item), &is_enough));
    }
    return MT_OK;
}

MT_ERR mt_tx_draw(struct mt_tx *tx, mt_id *out)
{
    if (tx->pool_left == 0) {
        MT_TRY(mt_random((mt_span){tx->pool, sizeof tx->pool}));
        tx->pool_left = sizeof tx->pool / sizeof *out;
    }
    uint8_t *drawn = tx->pool + --tx->pool_left * sizeof *out;
    memcpy(out->b, drawn, sizeof *out);
    memset(drawn, 0, sizeof *out);
    return MT_OK;
}

MT_ERR mt_tx_claim(struct mt_tx *tx, mt_bytes item, uint32_t *index)
{
    mt_id salt;
    MT_ASSERT(tx->is_open);
    MT_REQUIRE(tx->claims_count < MT_CLAIM_ITEMS_MAX, MT_E_LIMIT, "too many claims");
    MT_REQUIRE(item.len <= MT_VALUE_BYTES_MAX, MT_E_LIMIT, "a claim is too long");
    MT_TRY(has_room(tx, item.len));
    MT_TRY(mt_tx_draw(tx, &salt));
    MT_TRY(mt_item_new(mt_id_bytes(&salt), item, &tx->claims[tx->claims_count]));
    tx->bytes += COST + item.len;
    *index = (uint32_t)tx->claims_count++;
    return MT_OK;
}

MT_ERR mt_tx_emit(struct mt_tx *tx, const mt_id *topic, mt_bytes event)
{
    MT_ASSERT(tx->is_open);
    MT_REQUIRE(tx->events_count < MT_TX_EVENTS_MAX, MT_E_LIMIT, "too many events");
    MT_REQUIRE(event.len <= MT_VALUE_BYTES_MAX, MT_E_LIMIT, "an event is too long");
    MT_TRY(has_room(tx, event.len));
    MT_TRY(mt_item_new(mt_id_bytes(topic), event, &tx->events[tx->events_count]));
    tx->bytes += COST + event.len;
    tx->events_count++;
    return MT_OK;
}

/* HKDF(seed, number of the call and of the piece): the seed is drawn when it is first needed. */
MT_ERR mt_tx_random(struct mt_tx *tx, mt_span out)
{
    uint8_t context[16];
    uint64_t piece = 0;
    MT_ASSERT(tx->is_open);
    if (!tx->has_seed) {
        MT_TRY(mt_random(mt_secret_span(tx->seed)));
        tx->has_seed = true;
    }
    uint64_t call = tx->drawn;
    for (size_t done = 0; done < out.len; piece++) {
        size_t len = out.len - done < RANDOM_PIECE ? out.len - done : RANDOM_PIECE;
        struct mt_writer w = mt_writer_over((mt_span){context, sizeof context});
        mt_write_u64be(&w, call);
        mt_write_u64be(&w, piece);
        MT_TRY(mt_kdf(mt_secret_bytes(tx->seed), MT_LABEL_TX_RANDOM, MT_BYTES_OF(context),
                      (mt_span){out.ptr + done, len}));
        done += len;
    }
    tx->drawn++;
    return MT_OK;
}

uint64_t mt_tx_now_ms(const struct mt_tx *tx)
{
    return tx->now_ms;
}

uint64_t mt_tx_id(const struct mt_tx *tx)
{
    return tx->ledger->version + 1;
}

const struct mt_map_def *mt_tx_reach(struct mt_tx *tx, const struct mt_map_def *maps)
{
    const struct mt_map_def *before = tx->reach;
    tx->reach = maps;
    return before;
}

struct mt_tx_mark mt_tx_mark(const struct mt_tx *tx)
{
    return (struct mt_tx_mark){
        .writes = tx->log_count,
        .claims = tx->claims_count,
        .events = tx->events_count,
        .seed = (size_t)tx->drawn,
    };
}

/* Puts back what stood there. There is no way on from half an undone transaction: without memory
 * for it the process ends, and the next start finds what is durable. */
static void undo_last(struct mt_tx *tx)
{
    struct mt_map_pool *pool = &tx->ledger->state.pool;
    struct mt_logged *step = &tx->log[--tx->log_count];
    struct mt_item *now = NULL;
    mt_err e = step->old != NULL ? mt_map_put(pool, &step->map->map, step->old, &now)
                                 : mt_map_del(pool, &step->map->map, mt_item_key(step->now), &now);
    MT_ASSERT(!mt_failed(e));
    MT_ASSERT(now == step->now);
    tx->bytes -= step->cost;
    if (now != NULL) {
        MT_ASSERT(tx->dead_count < tx->dead_room); /* make_step_room() */
        tx->dead[tx->dead_count++] = now;
    }
}

static void drop_last(struct mt_tx *tx, struct mt_item **items, size_t *count)
{
    struct mt_item **last = &items[--*count];
    tx->bytes -= COST + mt_item_value(*last).len;
    mt_item_drop(last);
}

void mt_tx_rollback(struct mt_tx *tx, struct mt_tx_mark mark)
{
    MT_ASSERT(tx->is_open);
    MT_ASSERT(mark.writes <= tx->log_count);
    while (tx->log_count > mark.writes) {
        undo_last(tx);
    }
    while (tx->claims_count > mark.claims) {
        drop_last(tx, tx->claims, &tx->claims_count);
    }
    while (tx->events_count > mark.events) {
        drop_last(tx, tx->events, &tx->events_count);
    }
    tx->drawn = mark.seed;
}

bool mt_tx_has_writes(const struct mt_tx *tx)
{
    return tx->log_count > 0 || tx->claims_count > 0 || tx->events_count > 0;
}

void mt_tx_open(struct mt_tx *tx, const struct mt_map_def *maps, uint64_t now_ms)
{
    MT_ASSERT(!tx->is_open);
    tx->reach = maps;
    tx->now_ms = now_ms;
    tx->is_open = true;
}

void mt_tx_end(struct mt_tx *tx)
{
    MT_ASSERT(tx->is_open);
    while (tx->log_count > 0) {
        mt_item_drop(&tx->log[--tx->log_count].old);
    }
    while (tx->claims_count > 0) {
        drop_last(tx, tx->claims, &tx->claims_count);
    }
    while (tx->events_count > 0) {
        drop_last(tx, tx->events, &tx->events_count);
    }
    while (tx->dead_count > 0) {
        mt_item_drop(&tx->dead[--tx->dead_count]);
    }
    tx->bytes = 0;
    tx->has_seed = false;
    tx->drawn = 0;
    tx->is_open = false;
}
