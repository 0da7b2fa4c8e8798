/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_SOCKET_H
#define MT_MESATEE_SOCKET_H

#include "base/bytes.h"

/* Blocking TCP with a timeout. Names are looked up. All that a network does is MT_E_CLOSED: MT_E_IO
 * is for files. */
MT_ERR mt_socket_connect(const char *address, int *out);
MT_ERR mt_socket_read(int fd, mt_span out, size_t *got); /* *got 0: the peer has hung up */
MT_ERR mt_socket_write(int fd, mt_bytes bytes);
void mt_socket_close(int *fd);

/* For a signal handler: whatever of the process waits for the newest connection, or will, ends with
 * MT_E_CANCELLED, so that what is half done is undone on the way out. */
void mt_socket_interrupt(void);

#endif
