/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_BINDER_H
#define MT_ATTEST_BINDER_H

#include "attest/claims.h"
#include "crypto/sign.h"

/* What report data binds evidence to, 64 bytes each (spec/attest-round.md). Roles are one byte, so
 * that evidence cannot be reflected. */
enum mt_role_byte { MT_ROLE_CLIENT = 'C', MT_ROLE_SERVER = 'S' };

struct mt_binding {
    enum mt_role_byte role; /* of the party that shows the evidence */
    mt_bytes ekm;    /* 32 bytes of the TLS exporter, with that role's label and the peer's nonce */
    mt_hash own;     /* SHA-256 of its SPKI */
    mt_hash peer;    /* SHA-256 of the other's */
    mt_bytes nonce;  /* the other's */
    mt_hash service; /* cluster id; zeros when it is not known yet */
};

void mt_bind_channel(const struct mt_binding *b, uint8_t out[MT_REPORT_DATA_LEN]);

/* For a service key: cluster, this start's incarnation key, the key that signs receipts. */
void mt_bind_service_key(const mt_hash *cluster, const mt_hash *incarnation, const mt_spki *service,
                         uint8_t out[MT_REPORT_DATA_LEN]);

/* For evidence of hardware, which says nothing of the software's own log: what a connection or a
 * key is bound to, and the log (spec/evidence-node.md). */
void mt_bind_log(const uint8_t report_data[MT_REPORT_DATA_LEN], mt_bytes log,
                 uint8_t out[MT_REPORT_DATA_LEN]);

#endif
