/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_NET_H
#define MT_PLATFORM_NET_H

#include "base/bytes.h"

/* Non-blocking sockets. `address` is "127.0.0.1:7700", "[::1]:7700", port 0 for any; no names are
 * looked up. */
MT_ERR mt_net_listen(const char *address, int *fd);
MT_ERR mt_net_listen_unix(const char *path, int *fd); /* mode 0600; a stale socket is replaced */
/* The port in use, after port 0. */
MT_ERR mt_net_port(int fd, uint16_t *out);
/* MT_E_BUSY when nobody waits; MT_E_LIMIT when we are out of descriptors. TCP_NODELAY is set. */
MT_ERR mt_net_accept(int listener, int *fd);
/* Waits until the peer is there; MT_E_CLOSED if it is not within that time. */
MT_ERR mt_net_connect(const char *address, uint64_t within_ms, int *fd);
/* Until something has arrived, or, for output, there is room; MT_E_CLOSED if not within that time.
 * For a thread that has nothing else to do. */
MT_ERR mt_net_wait(int fd, bool is_output, uint64_t within_ms);
/* MT_E_BUSY when it would block; *got 0 at the end of the stream; MT_E_CLOSED on reset. */
MT_ERR mt_net_read(int fd, mt_span out, size_t *got);
MT_ERR mt_net_write(int fd, mt_bytes bytes, size_t *taken);
/* Nothing more will be written; reading goes on. */
void mt_net_end(int fd);
void mt_net_close(int *fd);

#endif
