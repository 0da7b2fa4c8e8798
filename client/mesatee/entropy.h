/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_ENTROPY_H
#define MT_MESATEE_ENTROPY_H

#include "base/bytes.h"

/* Sets up lib/crypto for a client, with getrandom(2) as its source. Once per process. */
MT_ERR mt_entropy_open(void);
void mt_entropy_close(void);

#endif
