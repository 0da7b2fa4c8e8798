/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/binder.h"

#include "base/assert.h"
#include "crypto/hash.h"

static void put(struct mt_writer *w, mt_bytes b)
{
    mt_write_u32be(w, (uint32_t)b.len);
    mt_write_bytes(w, b);
}

static void digest(const struct mt_writer *w, uint8_t out[MT_REPORT_DATA_LEN])
{
    mt_bytes all = {NULL, 0};
    mt_err e = mt_write_end(w, &all);
    MT_ASSERT(!mt_failed(e)); /* the room below holds every binder */
    mt_sha512(&all, 1, out);
}

void mt_bind_channel(const struct mt_binding *b, uint8_t out[MT_REPORT_DATA_LEN])
{
    uint8_t room[256];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_bytes(&w, mt_label_bytes(MT_LABEL_ATTEST));
    mt_write_u8(&w, (uint8_t)b->role);
    put(&w, b->ekm);
    put(&w, mt_hash_bytes(&b->own));
    put(&w, mt_hash_bytes(&b->peer));
    put(&w, b->nonce);
    put(&w, mt_hash_bytes(&b->service));
    digest(&w, out);
}

void mt_bind_service_key(const mt_hash *cluster, const mt_hash *incarnation, const mt_spki *service,
                         uint8_t out[MT_REPORT_DATA_LEN])
{
    uint8_t room[256];
    mt_hash h;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_bytes(&w, mt_label_bytes(MT_LABEL_SERVICE_KEY));
    put(&w, mt_hash_bytes(cluster));
    put(&w, mt_hash_bytes(incarnation));
    mt_spki_hash(service, &h);
    put(&w, mt_hash_bytes(&h));
    digest(&w, out);
}

void mt_bind_log(const uint8_t report_data[MT_REPORT_DATA_LEN], mt_bytes log,
                 uint8_t out[MT_REPORT_DATA_LEN])
{
    uint8_t room[256];
    mt_hash h;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_bytes(&w, mt_label_bytes(MT_LABEL_NODE_LOG));
    put(&w, (mt_bytes){report_data, MT_REPORT_DATA_LEN});
    mt_sha256(&log, 1, &h);
    put(&w, mt_hash_bytes(&h));
    digest(&w, out);
}
