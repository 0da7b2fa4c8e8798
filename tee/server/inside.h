/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_INSIDE_H
#define MT_SERVER_INSIDE_H

#include "base/limits.h"
#include "channel/channel.h"
#include "platform/loop.h"
#include "server/reclaim.h"
#include "server/server.h"
#include "server/stream.h"
#include "wire/http.h"

/* What the files of this folder share, and nobody else includes. */

struct mt_conn;

/* ---- route.c: which row of which table */
struct mt_match {
    const struct mt_service *service;
    const struct mt_route *route;
    mt_bytes arguments[MT_PATH_ARGUMENTS_MAX];
};
/* MT_E_NOTFOUND: no such path; MT_E_ARG: the path takes other methods. */
MT_ERR mt_route_find(const struct mt_service *const *services, enum mt_http_method method,
                     mt_bytes path, struct mt_match *out);
/* Those that the path takes: a bit for each enum mt_method. */
unsigned mt_route_methods(const struct mt_service *const *services, mt_bytes path);

struct mt_exchange;

/* ---- system.c: routes that are the node's own; their handlers need more than a service may have
 */
extern const struct mt_service mt_system_service;
MT_ERR mt_system_call(struct mt_server *s, const struct mt_permit *p, struct mt_exchange *x,
                      struct mt_tx *tx);
/* An administrator's POST /time takes effect before its own transaction begins: else none could. */
MT_ERR mt_system_accept_time(struct mt_server *s, const struct mt_exchange *x);
/* backup.c: {"kind","secret"}; a backup that begins now; recovery after a restore */
MT_ERR mt_system_credential(const struct mt_request *rq, const char *const *fields,
                            struct mt_credential *out);
MT_ERR mt_system_backup(struct mt_server *s, const struct mt_request *rq, struct mt_tx *tx,
                        struct mt_backup_writer **out);
bool mt_system_may_serve(const struct mt_server *s, const struct mt_route *r);
MT_ERR mt_system_recovery_show(struct mt_server *s, struct mt_reply *rp);
MT_ERR mt_system_recovery_open(struct mt_server *s, const struct mt_permit *p,
                               const struct mt_request *rq, struct mt_tx *tx, struct mt_reply *rp);
void mt_system_recovered(struct mt_server *s, uint64_t version);
/* The one-time claim, which a stranger may make. */
MT_ERR mt_system_claim(struct mt_server *s, const struct mt_ask *ask, const struct mt_request *rq,
                       struct mt_tx *tx, struct mt_reply *rp);

/* What a TPM has unwrapped. */
enum { MT_ENROL_BYTES_MAX = 512 };
struct mt_enrol_answer {
    uint8_t bytes[64];
    size_t len;
};

/* ---- exchange.c: one request */
struct mt_exchange {
    struct mt_match match;
    struct mt_ask ask;
    struct mt_request request;
    struct mt_http_body_reader body_reader;
    struct mt_buf body;
    uint64_t body_bytes; /* so far */
    struct mt_json *json;
    struct mt_upload *upload;
    uint64_t staged_bytes; /* counted against the subject's quota */
    struct mt_reply reply;
    struct mt_hold hold;
    uint64_t txid;         /* of a write; 0: none */
    struct mt_secret *key; /* of the object in the reply */
    struct mt_backup_writer *backup;
    bool is_backup;     /* under way, whoever has the writer now */
    const mt_id *ended; /* objects that the request has ended */
    size_t ended_count;
    struct mt_download *download;
    struct mt_enrol_answer enrol_answer;
    struct mt_making *making; /* keyslot.h; owned */
    struct mt_buf evidence;   /* once more */
    struct mt_timer heartbeat;
    uint64_t watched_txid;
    bool closes;
    bool is_no_request; /* what came cannot be read as one */
    bool is_head;
    unsigned methods; /* that the path takes, if it does not take this one */
    char target[MT_HTTP_TARGET_BYTES_MAX];
    size_t path_len;
    size_t target_len;
};

/* A whole head is there: decides on body and gate. An error becomes the reply. */
void mt_exchange_begin(struct mt_conn *c, const struct mt_http_head *head);
/* What came is no request: an error is the reply, and the last of this connection. */
void mt_exchange_refuse(struct mt_conn *c, mt_err e);
/* The body is complete: runs the handler, holds the reply. */
void mt_exchange_body_done(struct mt_conn *c, mt_err e);
/* Whether the gate lets this request in as things are now. */
MT_ERR mt_exchange_check(struct mt_conn *c);
/* And so is what another thread had to do before the handler. */
void mt_exchange_prepared(struct mt_conn *c, mt_err e);
/* Body bytes out of c->in; stops when the upload has no room. */
void mt_exchange_take_body(struct mt_conn *c);
/* Whether what comes next is part of a large body as it is: then it is decrypted to where it is
 * sealed from, as far as there is room, and so many bytes of it have come. */
bool mt_exchange_is_straight(const struct mt_conn *c);
mt_span mt_exchange_room(const struct mt_conn *c);
void mt_exchange_came(struct mt_conn *c, size_t len);
/* The reply is ready: it leaves when what it was computed from is durable. */
void mt_exchange_hold(struct mt_conn *c);
/* Releases everything of the request; ready for the next. */
void mt_exchange_end(struct mt_conn *c);

/* ---- answer.c: a reply as bytes */
void mt_answer(struct mt_conn *c);                 /* c->x.reply, now that it may leave */
void mt_answer_error(struct mt_conn *c, mt_err e); /* held like any other reply */

/* ---- watch.c: text/event-stream */
void mt_watch_start(struct mt_conn *c);
void mt_watch_stop(struct mt_conn *c);

/* ---- showing.c: the node's evidence, made on the evidence pool */
/* Whether the device is asked once more for this peer: MT_E_BUSY for too many strangers. */
MT_ERR mt_showing_admit(struct mt_conn *c);
/* Back on the loop's thread, if the connection lives: it may take the evidence, or end it. */
typedef void mt_showing_end(struct mt_conn *c, mt_err e, struct mt_buf *evidence);
/* Admitted first. */
MT_ERR mt_showing_begin(struct mt_conn *c, const uint8_t report_data[MT_REPORT_DATA_LEN],
                        mt_showing_end *shown);
/* For the round that opens the channel, if it waits for evidence. */
MT_ERR mt_showing_to_channel(struct mt_conn *c);

/* ---- conn.c */
enum mt_conn_state {
    MT_CONN_HANDSHAKE, /* until the channel is open */
    MT_CONN_HEAD,      /* waiting for a whole request head */
    MT_CONN_BODY,      /* taking the body */
    MT_CONN_SEALING,   /* the body's object is being finished */
    MT_CONN_HELD,      /* the reply waits until it is durable */
    MT_CONN_SENDING,   /* the reply is in c->out */
    MT_CONN_DOWNLOAD,  /* an object follows */
    MT_CONN_WATCH,     /* events follow */
    MT_CONN_CLOSING,   /* nothing more is read; what is in c->out still leaves */
};

/* For how long, and for what: see patience_of(). */
struct mt_patience {
    uint64_t ms; /* 0: for ever */
    enum mt_conn_state state;
    uint64_t mark;
};

struct mt_conn {
    struct mt_server *server;
    struct mt_conn *next;
    struct mt_conn *previous;
    enum mt_conn_state state;
    int fd;
    struct mt_watch watch;
    struct mt_timer timer;
    struct mt_patience patience; /* that the timer was set for */
    struct mt_channel *channel;
    struct mt_arena *arena; /* of the request under way, until its handler is done; else NULL */
    struct mt_buf in;       /* decrypted, not yet parsed */
    struct mt_buf out;      /* plain, not yet in the channel */
    size_t undecrypted;     /* bytes in the channel that nobody has asked for yet, at most */
    size_t discarded;       /* behind a refusal */
    uint64_t sent;          /* bytes that the kernel has taken */
    struct mt_exchange x;
    uint32_t works; /* on other threads, which will come back */
    bool is_dead;   /* closed; freed when the last work is back */
    bool is_pumping;
    bool is_showing; /* its evidence is under way, or shown */
    bool lingers;    /* the peer may still be sending what was refused */
    bool has_left;   /* goodbye is said */
    uint64_t requests;
};

MT_ERR mt_conn_new(struct mt_server *s, int fd);
/* Moves whatever can move: call after any change from outside. May end the connection. */
void mt_conn_pump(struct mt_conn *c);
void mt_conn_close(struct mt_conn *c);
/* A work of this connection begins and is back: true if it may go on, false if it has died
 * meanwhile. */
void mt_conn_work_begins(struct mt_conn *c);
bool mt_conn_work_ends(struct mt_conn *c);
/* Takes the next step, which may end the connection, and whatever follows from it: `c` is not to be
 * touched afterwards. */
void mt_conn_go_on(struct mt_conn *c, void (*next)(struct mt_conn *, mt_err), mt_err e);

/* ---- plain.c: probes and metrics */
struct mt_plain;

enum { MT_SPARE_ARENAS_MAX = 8 };

struct mt_server {
    struct mt_server_options o;
    const struct mt_service *services[MT_SERVICES_MAX + 2]; /* the node's own first */
    struct mt_watch listener;
    struct mt_watch probes;
    struct mt_watch metrics;
    struct mt_conn *conns;
    size_t conns_count;
    struct mt_plain *plains;
    size_t plains_count;
    struct mt_arena *spare_arenas[MT_SPARE_ARENAS_MAX]; /* wiped; the last one given back leads */
    size_t spare_arenas_count;
    struct mt_timer breath; /* until it accepts again */
    uint64_t strangers_ms;  /* until then, evidence for strangers is spoken for */
    uint64_t handovers_ms;  /* and looking at that of others */
    uint64_t refusals_ms;   /* until then, a refusal of theirs is not written down */
    uint64_t head_size;
    mt_hash head_root;
    struct mt_timer flush;
    bool is_draining;
    struct mt_timer drain;
    void (*drained)(void *state);
    void *drained_state;
    /* counters for /metrics and status */
    uint64_t accepted;
    uint64_t refused_full;
    uint64_t handshakes_failed;
    uint64_t requests;
    uint64_t errors;
    struct mt_hold shred_hold;
    bool is_shredding;
    bool shreds_again; /* asked for while one was under way */
    struct mt_reclaim reclaim;
    size_t backups; /* under way */
    bool awaits_recovery;
    uint64_t restored_size; /* the head that the recovery statement is about */
    mt_hash restored_root;
    struct mt_hold recovery_hold;
};

/* plain.c */
void mt_plain_accept(struct mt_server *s, int fd, bool is_metrics);
void mt_plain_end_all(struct mt_server *s);
/* The arena of a request. Most are given back within the same turn of the loop, so that however
 * many connections there are, the same few are used, which the processor's caches hold. */
MT_ERR mt_server_take_arena(struct mt_server *s, struct mt_arena **out);
void mt_server_give_arena(struct mt_server *s, struct mt_arena **arena); /* wipes it */
/* The root of the durable tree, kept until it grows. */
MT_ERR mt_server_head(struct mt_server *s, uint64_t *size, mt_hash *root);
/* Called when a connection has ended, for draining. */
void mt_server_conn_ended(struct mt_server *s);

#endif
