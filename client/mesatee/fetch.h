/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_FETCH_H
#define MT_MESATEE_FETCH_H

#include "wire/http.h"

/*
 * One GET over HTTP or HTTPS, made by the program curl in a process of its own: whatever a server
 * sends is taken apart there, where no identity's key is. No redirect is followed, no file of
 * curl's configuration is read. What comes is bytes of a stranger: whoever uses them verifies them.
 */
struct mt_fetched {
    struct mt_buf all;
    struct mt_http_head head; /* borrows from `all`, */
    mt_bytes body;            /* and so does this */
};

/* MT_E_CLOSED: the server cannot be reached, or the answer was cut short. MT_E_LIMIT: more than
 * `body_max` bytes. MT_E_IO: there is no curl. Any status is an answer. */
MT_ERR mt_fetch(const char *url, size_t body_max, struct mt_fetched *out);
void mt_fetched_free(struct mt_fetched *f);

#endif
