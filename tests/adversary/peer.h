/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ADVERSARY_PEER_H
#define MT_ADVERSARY_PEER_H

#include "adversary/node.h"
#include "channel/channel.h"

/* One end of a real attested channel, which sends whatever bytes the test wants. Nothing here waits
 * for ever: a socket that is silent for a minute counts as one that answers nothing. */
enum { PEER_TEXT_MAX = 256 };

struct peer {
    int fd;
    struct mt_channel_identity *identity;
    struct mt_channel *channel;
    struct mt_appraiser appraiser;
    struct mt_buf in;
    struct mt_buf body; /* of the last answer */
    char code[PEER_TEXT_MAX];
    char check[PEER_TEXT_MAX];
    char hint[PEER_TEXT_MAX];
    bool has_five; /* exactly code, check, detail, hint, request_id */
    bool closes;   /* the last answer said so */
};

/* A TCP connection to the node, nothing sent; -1: refused. `room` is the receive buffer, 0: usual.
 */
int peer_dial(uint16_t port, int room);
/* Over an open descriptor, which is taken; false if the node does not open the channel. */
bool peer_open_on(struct peer *p, const struct node *n, const struct mt_key *key, int fd);
bool peer_open(struct peer *p, const struct node *n, const struct mt_key *key);
void peer_close(struct peer *p);
/* Gone without a word: what lies in the kernel is dropped, and the node's end gets a reset. */
void peer_reset(struct peer *p);

/* false if the connection was cut meanwhile. */
bool peer_send(struct peer *p, mt_bytes plain);
bool peer_say(struct peer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The status of the next answer, its body read; 0 if the connection ends without one. */
unsigned peer_answer(struct peer *p);
/* peer_say() and peer_answer(). */
unsigned peer_ask(struct peer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Reads on; true once the node has ended the connection, false if it sends more or is silent. */
bool peer_is_cut(struct peer *p);
/* Of the last answer's body; UINT64_MAX if it is not there. */
uint64_t peer_number(const struct peer *p, const char *name);
bool peer_has(const struct peer *p, const char *text);

#endif
