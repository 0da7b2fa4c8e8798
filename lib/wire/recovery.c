/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/recovery.h"

#include "wire/cbor.h"

enum { VERSION = 1, FIELDS = 5 };

void mt_recovery_write(struct mt_writer *w, const struct mt_recovery *r)
{
    mt_cbor_write_array(w, FIELDS);
    mt_cbor_write_uint(w, VERSION);
    mt_cbor_write_bytes(w, mt_hash_bytes(&r->cluster));
    mt_cbor_write_uint(w, r->epoch);
    mt_cbor_write_uint(w, r->size);
    mt_cbor_write_bytes(w, mt_hash_bytes(&r->root));
}
