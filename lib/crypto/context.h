/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_CONTEXT_H
#define MT_CRYPTO_CONTEXT_H

#include "base/bytes.h"

/*
 * One per process, before any other call of lib/crypto or lib/channel: an OpenSSL library context
 * of our own, which reads no configuration file and loads no module, and whose randomness comes
 * from `fill` alone. lib/ has no entropy of its own; tee/platform and the client pass getrandom(2),
 * the simulator a seeded stream.
 */
typedef mt_err mt_entropy_fill(void *state, mt_span out);

MT_ERR mt_crypto_init(mt_entropy_fill *fill, void *state);
void mt_crypto_done(void);

/* Random bytes from the source above (through a DRBG of OpenSSL's or straight: same contract). */
MT_ERR mt_random(mt_span out);

#endif
