/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/entropy.h"

#include <errno.h>
#include <sys/random.h>

#include "crypto/context.h"

static mt_err fill(void *state, mt_span out)
{
    size_t done = 0;
    (void)state;
    while (done < out.len) {
        ssize_t n = getrandom(out.ptr + done, out.len - done, 0);
        MT_REQUIRE(n > 0 || errno == EINTR, MT_E_IO, "the kernel gives us no random bytes");
        done += n > 0 ? (size_t)n : 0;
    }
    return MT_OK;
}

MT_ERR mt_entropy_open(void)
{
    return mt_crypto_init(fill, NULL);
}

void mt_entropy_close(void)
{
    mt_crypto_done();
}
