/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_SESSION_H
#define MT_MESATEE_SESSION_H

#include "mesatee/context.h"
#include "wire/json.h"

/*
 * One owner at one node: a context, the connection that is made when it is first needed, and what
 * went wrong last, in words for people. What mesatee.h and the command have in common; nothing here
 * prints.
 */

/* How everything ends that an owner asks for: exit codes of the command, results of mesatee.h. */
enum mt_exit {
    MT_EXIT_DONE = 0,
    MT_EXIT_FAILED = 1,
    MT_EXIT_REFUSED = 2,     /* by policy */
    MT_EXIT_NOT_GENUINE = 3, /* evidence or receipt */
    MT_EXIT_USAGE = 64,
    MT_EXIT_UNREACHABLE = 69,
    MT_EXIT_IO = 74,
};

/* More than a fault's one clause: the node's words, or ours with the names that were asked for. */
struct mt_complaint {
    const struct mt_fault *fault; /* whose words these are; NULL: nobody's */
    enum mt_exit exit;
    uint32_t status;      /* of the node's answer; 0: these are our own words */
    struct mt_buf answer; /* the node's, JSON as it came */
    char what[256];
    char detail[512];
    char mend[256];
};

/* How long a verdict on a node holds on an open connection. */
enum { MT_RENEW_MS = 10 * 60 * 1000 };

struct mt_session {
    const struct mt_home *home; /* borrowed; NULL: nothing is remembered */
    const char *context_name;   /* borrowed; NULL: the context in use */
    bool may_go_back;           /* see struct mt_client_options */
    uint64_t renew_ms;          /* the age at which a verdict is renewed; 0: MT_RENEW_MS */
    struct mt_context *context; /* once it is loaded */
    struct mt_client *client;   /* once there was an attempt: its trace explains a refusal */
    bool is_connected;
    struct mt_json *users; /* once they were asked for */
    struct mt_complaint complaint;
};

MT_ERR mt_session_load(struct mt_session *s);
/* Loads, connects, appraises; nothing if that is done. */
MT_ERR mt_session_connect(struct mt_session *s);
/* Whether the verdict is so old that the next request begins with another. For who reads a stream,
 * on which nothing can be asked: mt_session_reconnect(), and go on where it was. */
bool mt_session_is_stale(const struct mt_session *s);
MT_ERR mt_session_reconnect(struct mt_session *s);
/* Remembers the newest head, closes, forgets. */
void mt_session_end(struct mt_session *s);

/* An error status is a failure too, with the complaint set. The caller frees out->body always. */
MT_ERR mt_session_call(struct mt_session *s, const struct mt_call *call, struct mt_answer *out);
/* *out is the parsed answer, owned by the caller. */
MT_ERR mt_session_request(struct mt_session *s, const struct mt_call *call, struct mt_json **out);
/* For an answer that came another way. */
MT_ERR mt_session_refused(struct mt_session *s, const struct mt_answer *a);

/* Words of our own for a failure; `e` is passed on. */
MT_ERR mt_session_explain(struct mt_session *s, mt_err e, const char *mend, const char *what, ...)
    __attribute__((format(printf, 4, 5)));
/* What a failure comes to, by the complaint or by its code alone. */
enum mt_exit mt_session_exit(const struct mt_session *s, mt_err e);
enum mt_exit mt_exit_of(mt_err e);

/* "alice" or 64 digits: a subject; "visits", "alice/visits" or 32 digits: a data set. */
MT_ERR mt_session_subject(struct mt_session *s, mt_bytes text, mt_hash *out);
MT_ERR mt_session_data(struct mt_session *s, mt_bytes text, mt_id *out);
/* The number of its newest version. */
MT_ERR mt_session_newest(struct mt_session *s, const mt_id *data, uint64_t *out);
/* The name of a subject, fit for a terminal (mesatee/seen.h), or its first digits. */
void mt_session_name(struct mt_session *s, const mt_hash *subject, char out[80]);

/* What an owner allows another with a data set of its own. */
struct mt_grant_wanted {
    const char *right;        /* NULL: "use" */
    const char *function;     /* NULL: any */
    const uint64_t *until_ms; /* NULL: for good */
    const uint64_t *count;    /* NULL: without end */
};
MT_ERR mt_session_grant(struct mt_session *s, const char *data, const char *who,
                        const struct mt_grant_wanted *wanted, struct mt_json **out);

uint64_t mt_now_ms(void);

#endif
