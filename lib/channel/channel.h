/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CHANNEL_CHANNEL_H
#define MT_CHANNEL_CHANNEL_H

#include "attest/appraise.h"
#include "crypto/sign.h"

/*
 * Attested TLS as an engine: bytes in, bytes out, the peer's verdict; no sockets, no clock
 * (spec/channel.md, spec/attest-round.md). TLS 1.3 alone, one suite, one group, mutual
 * certificates, no tickets, no resumption, no early data. Who a peer is, is the hash of its key:
 * certificates carry keys and their names mean nothing. Directly after the handshake each end asks
 * and shows (ATTEST round); no application byte passes before both have been satisfied. Any failure
 * ends the channel for good. Single owner.
 */
enum { MT_CHANNEL_NONCE_LEN = 32 };
enum mt_channel_role { MT_CHANNEL_CLIENT = 1, MT_CHANNEL_SERVER };

/* What many channels share: our key and its certificate, the TLS settings. */
struct mt_channel_identity;
MT_ERR
mt_channel_identity_new(const struct mt_key *key, enum mt_channel_role role,
                        struct mt_channel_identity **out); /* copies what it needs of the key */
void mt_channel_identity_free(struct mt_channel_identity **i);

struct mt_channel_options {
    const struct mt_channel_identity *identity; /* borrowed as long as the channel lives */
    bool has_evidence; /* we will be asked to show some: mt_channel_wants_evidence() */
    const struct mt_appraiser
        *appraiser;  /* the peer must satisfy it; borrowed. NULL: the peer may show nothing */
    mt_hash service; /* cluster id: the peer's evidence must be bound to it. Zeros only where it is
                        not known yet */
    uint64_t now_ms;
};

struct mt_channel;
MT_ERR mt_channel_new(const struct mt_channel_options *o, struct mt_channel **out);
void mt_channel_free(struct mt_channel **c);

enum mt_channel_state {
    MT_CHANNEL_HANDSHAKE,
    MT_CHANNEL_ATTESTING,
    MT_CHANNEL_OPEN,
    MT_CHANNEL_CLOSED
};
enum mt_channel_state mt_channel_state(const struct mt_channel *c);

/* Cipher bytes that have arrived; all are taken. Moves the handshake. MT_E_PROOF, MT_E_DENIED,
 * MT_E_FORMAT: closed. */
MT_ERR mt_channel_feed(struct mt_channel *c, mt_bytes cipher);
/* The same without a copy, for large pieces: room for so many bytes, valid until the next call, and
 * then how many have arrived in it. */
MT_ERR mt_channel_room(struct mt_channel *c, size_t len, mt_span *out);
MT_ERR mt_channel_arrived(struct mt_channel *c, size_t len);
/* For a client: makes the first flight. */
MT_ERR mt_channel_start(struct mt_channel *c);
/* Cipher bytes to be sent; valid until the next call on the channel but mt_channel_sent(). */
mt_bytes mt_channel_output(const struct mt_channel *c);
void mt_channel_sent(struct mt_channel *c, size_t len);
/* Nothing large is under way any more: its buffers are given back. */
void mt_channel_rest(struct mt_channel *c);

/* Whether evidence for this report data is waited for: make it and put it. */
bool mt_channel_wants_evidence(struct mt_channel *c, uint8_t report_data[MT_REPORT_DATA_LEN]);
MT_ERR mt_channel_put_evidence(struct mt_channel *c, const struct mt_shown *shown);

/*
 * Again, on a channel that is open, for a verdict does not hold for ever: the asking end draws a
 * fresh nonce, the other one's evidence is bound to it and to this connection as in the round
 * itself, and how the two travel is the application's matter. A nonce is good for one answer.
 * MT_E_PROOF, MT_E_DENIED: the verdict has turned, and the channel is closed; see
 * mt_channel_peer().
 */
MT_ERR mt_channel_ask_again(struct mt_channel *c, uint8_t nonce[MT_CHANNEL_NONCE_LEN]);
MT_ERR mt_channel_bind_again(struct mt_channel *c, const uint8_t nonce[MT_CHANNEL_NONCE_LEN],
                             uint8_t report_data[MT_REPORT_DATA_LEN]);
MT_ERR mt_channel_see_again(struct mt_channel *c, const struct mt_shown *shown,
                            const struct mt_appraiser *appraiser, uint64_t now_ms);

/*
 * The same for an end that has judged nobody yet: the peer's evidence, for the nonce that this end
 * drew last, is for one purpose of the application's, and what comes of it is in `out`. The channel
 * stays open whatever comes of it.
 */
MT_ERR mt_channel_see_asked(struct mt_channel *c, const struct mt_shown *shown,
                            const struct mt_appraiser *appraiser, uint64_t now_ms,
                            struct mt_appraisal *out);
/* Whether a nonce of ours waits for that. */
bool mt_channel_is_asked(const struct mt_channel *c);

/* Application bytes, when open. *got 0: nothing there. MT_E_CLOSED after the peer's close_notify:
 * who sees the end of the stream without it has been cut off. MT_E_PROOF: closed. */
MT_ERR mt_channel_read(struct mt_channel *c, mt_span out, size_t *got);
MT_ERR mt_channel_write(struct mt_channel *c, mt_bytes plain, size_t *taken);
/* Says goodbye: close_notify in the output. */
void mt_channel_close(struct mt_channel *c);

struct mt_channel_peer {
    mt_spki key;
    mt_hash subject; /* SHA-256 of it */
    bool has_evidence;
    struct mt_appraisal *appraisal; /* NULL without an appraiser */
};
/* Valid once the state has left MT_CHANNEL_HANDSHAKE; the appraisal's trace also after a refusal.
 */
const struct mt_channel_peer *mt_channel_peer(const struct mt_channel *c);

#endif
