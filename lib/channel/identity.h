/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CHANNEL_IDENTITY_H
#define MT_CHANNEL_IDENTITY_H

#include <openssl/ssl.h>

#include "channel/channel.h"

/* Shared by the files of this folder. */
struct mt_channel_identity {
    SSL_CTX *ctx;
    BIO_METHOD *pipe;
    mt_hash own; /* SHA-256 of our SPKI */
    enum mt_channel_role role;
};

/* Between TLS and the buffers of a channel; NULL without memory. */
BIO_METHOD *mt_channel_pipe(void);

/* The key of the peer's certificate: P-256 alone. MT_E_PROOF. */
MT_ERR mt_channel_peer_key(SSL *ssl, mt_spki *out);

#endif
