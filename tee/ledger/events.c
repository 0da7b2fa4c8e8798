/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "ledger/inside.h"

/*
 * Events for watchers, in the derived map ledger.events: under topic || transaction || number (big
 * endian) the event, under the topic alone how many of it are kept.
 */
enum { TOPIC_LEN = sizeof(mt_id), EVENT_KEY_LEN = TOPIC_LEN + 8 + 4 };

static void write_key(mt_bytes topic, uint64_t txid, uint32_t number, uint8_t out[EVENT_KEY_LEN])
{
    struct mt_writer w = mt_writer_over((mt_span){out, EVENT_KEY_LEN});
    mt_write_bytes(&w, topic);
    mt_write_u64be(&w, txid);
    mt_write_u32be(&w, number);
}

static MT_ERR reach_events(struct mt_ledger *l, struct mt_state_map **out)
{
    const struct mt_map_def *def = &mt_ledger_own_maps[MT_OWN_EVENTS];
    return mt_state_reach(&l->state, mt_bytes_of_text(def->name), def->is_public, out);
}

static uint32_t kept(const struct mt_state_map *map, mt_bytes topic)
{
    const struct mt_item *item = mt_map_find(&map->map, topic);
    uint32_t count = 0;
    if (item != NULL) {
        struct mt_reader r = mt_reader_over(mt_item_value(item));
        mt_err e = mt_read_u32be(&r, &count);
        MT_ASSERT(!mt_failed(e));
    }
    return count;
}

static MT_ERR drop_oldest(struct mt_tx *tx, struct mt_state_map *map, mt_bytes topic)
{
    struct mt_map_cursor c;
    mt_map_seek(&map->map, topic, true, &c);
    const struct mt_item *oldest = mt_map_next(&c);
    MT_ASSERT(oldest != NULL);
    return mt_tx_change(tx, map, mt_item_key(oldest), NULL);
}

MT_ERR mt_tx_put_events(struct mt_tx *tx, uint64_t txid)
{
    struct mt_state_map *map = NULL;
    MT_TRY(reach_events(tx->ledger, &map));
    for (size_t i = 0; i < tx->events_count; i++) {
        uint8_t key[EVENT_KEY_LEN];
        uint8_t number[4];
        mt_bytes topic = mt_item_key(tx->events[i]);
        mt_bytes event = mt_item_value(tx->events[i]);
        uint32_t count = kept(map, topic);
        if (count == MT_TOPIC_EVENTS_MAX) {
            MT_TRY(drop_oldest(tx, map, topic));
            count--;
        }
        write_key(topic, txid, (uint32_t)i, key);
        MT_TRY(mt_tx_change(tx, map, MT_BYTES_OF(key), &event));
        struct mt_writer w = mt_writer_over((mt_span){number, sizeof number});
        mt_write_u32be(&w, count + 1);
        const mt_bytes value = MT_BYTES_OF(number);
        MT_TRY(mt_tx_change(tx, map, topic, &value));
    }
    return MT_OK;
}

MT_ERR mt_ledger_events(struct mt_ledger *l, const mt_id *topic, uint64_t after_txid,
                        mt_event_each *each, void *state)
{
    uint8_t from[EVENT_KEY_LEN];
    struct mt_state_map *map = NULL;
    struct mt_map_cursor c;
    bool is_enough = after_txid >= l->durable;
    MT_TRY(reach_events(l, &map));
    write_key(mt_id_bytes(topic), after_txid, UINT32_MAX, from);
    mt_map_seek(&map->map, MT_BYTES_OF(from), true, &c);
    while (!is_enough) {
        const struct mt_item *item = mt_map_next(&c);
        if (item == NULL || !mt_bytes_start_with(mt_item_key(item), mt_id_bytes(topic))) {
            break;
        }
        struct mt_reader r = mt_reader_over(mt_item_key(item));
        mt_bytes skipped;
        uint64_t txid = 0;
        MT_TRY(mt_read_bytes(&r, TOPIC_LEN, &skipped));
        MT_TRY(mt_read_u64be(&r, &txid));
        if (txid > l->durable) {
            break;
        }
        MT_TRY(each(state, txid, mt_item_value(item), &is_enough));
    }
    return MT_OK;
}
