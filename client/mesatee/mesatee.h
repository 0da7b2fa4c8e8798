/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_MESATEE_H
#define MT_MESATEE_MESATEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * libmesatee: what an owner does at a MesaTEE node, for C programs. Link with -lmesatee
 * (pkg-config mesatee). An example of a whole run: examples/two_owners.c.
 *
 * Trust. No byte of a request leaves before the node's evidence has been appraised by your policy,
 * on every connection, and on one that stays open again and again. mesatee_verify() does that and
 * nothing else; all other calls do it on the way. What is shown and signed of a task comes from its
 * definition's bytes, never from what a node says about them; what is fetched is compared with the
 * node's commitment before the file appears.
 *
 * Results. Every call that can fail returns an enum mesatee_result, the same numbers that the
 * command ends with. After a failure mesatee_why() says what happened, mesatee_mend() what may
 * help; nothing is printed. On failure out-parameters are as before and files as they were, unless
 * stated.
 *
 * Ownership. What a call hands out through a pointer to a pointer is the caller's until the
 * matching _close or _free, which accept NULL. Other pointers that are returned borrow from their
 * object and hold until the next call on it. Arguments are borrowed for the call.
 *
 * Text is UTF-8 and ends with NUL. Ids have 32 lower-case hexadecimal digits, hashes and keys'
 * hashes
 * 64. Times are milliseconds since 1970 in UTC, sizes bytes.
 *
 * Threads. An object belongs to one thread at a time; opening and closing must not run in two
 * threads at once. Calls block, at most a minute without any byte from the node.
 *
 * Versions. MESATEE_VERSION_* is this header's, mesatee_version() the library's. While the major
 * version is 0, a minor version may change this interface, and the name of the shared library with
 * it; afterwards a minor version only adds.
 */
#define MESATEE_VERSION_MAJOR 0
#define MESATEE_VERSION_MINOR 1
#define MESATEE_VERSION_PATCH 0
#define MESATEE_VERSION       "0.1.0"

#define MESATEE_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

enum mesatee_result {
    MESATEE_DONE = 0,
    MESATEE_FAILED = 1,      /* mesatee_why() */
    MESATEE_REFUSED = 2,     /* by your policy, or by the node's gate */
    MESATEE_NOT_GENUINE = 3, /* evidence, receipt, commitment or ledger is not what it should be */
    MESATEE_USAGE = 64,      /* an argument means nothing */
    MESATEE_UNREACHABLE = 69,
    MESATEE_IO = 74, /* a file, or what it should name */
};

/* "0.1.0" */
MESATEE_API const char *mesatee_version(void);

/* ---- one owner at one node */

struct mesatee;

/* A context that the command has made (mesatee context add, mesatee dev). `home` NULL: as the
 * command takes it (MESATEE_HOME, else .mesatee in HOME); `context` NULL: the one in use. The
 * newest head of the ledger is remembered there. Does not connect. On failure, too, *out is set, to
 * be asked why and closed; NULL without memory. */
MESATEE_API int mesatee_open(const char *home, const char *context, struct mesatee **out);

/* The same without a home; the head is remembered as long as the object lives. */
struct mesatee_options {
    const char *address;  /* "HOST:PORT" */
    const char *identity; /* path of an identity's key file */
    const char *policy;   /* path of a policy, signed by that identity */
    const char *auditors; /* path of an auditors' list; NULL: none */
    const char *cluster;  /* the cluster's id, 64 digits */
};
MESATEE_API int mesatee_open_with(const struct mesatee_options *options, struct mesatee **out);
MESATEE_API void mesatee_close(struct mesatee *m);

/* Of the last call that failed; "" if none did. */
MESATEE_API const char *mesatee_why(const struct mesatee *m);
MESATEE_API const char *mesatee_mend(const struct mesatee *m);

/* Who we are: the hash of our public key. */
MESATEE_API const char *mesatee_subject(const struct mesatee *m);

/* ---- the node */

/* Connects, and appraises the node. MESATEE_NOT_GENUINE or MESATEE_REFUSED if it is not what the
 * policy trusts. */
MESATEE_API int mesatee_verify(struct mesatee *m);

/* A verdict does not hold for ever. When it is older than so many seconds (1 to 600, which it is
 * unless it is said), the next call begins with fresh evidence on the same connection, appraised by
 * policy and auditors' list as they are then in the home; without one, by those that were given. A
 * verdict that has turned ends the connection: MESATEE_NOT_GENUINE or MESATEE_REFUSED, and the rule
 * in mesatee_why(). While one call lasts, nothing is asked. */
MESATEE_API int mesatee_renew_every(struct mesatee *m, unsigned seconds);

/* The chain of checks of the last verification, of a node or a receipt, in order; the last one is
 * the failed one if any is. */
struct mesatee_check {
    const char *rule; /* "measurement-unknown": stable, for programs */
    const char *meaning;
    const char *mend; /* NULL if it has passed */
    bool has_passed;
};
MESATEE_API size_t mesatee_checks(const struct mesatee *m);
MESATEE_API struct mesatee_check mesatee_check_at(const struct mesatee *m, size_t index);

/* What the evidence of the connection proves: valid after MESATEE_DONE. */
struct mesatee_node {
    int level; /* 2: measured by software alone. The host can read memory and forge that. */
    bool has_hardware_root;
    bool has_host_in_tcb;
    char measurement[65];
    char configuration[65];
    char platform[65];
    char cluster[65];
};
MESATEE_API int mesatee_node_show(struct mesatee *m, struct mesatee_node *out);

/* ---- data */

/* Uploads a file as the next version of `name`; interrupted, it leaves none. */
MESATEE_API int mesatee_data_put(struct mesatee *m, const char *name, const char *path);
/* Downloads a version of own data, 0: the newest; `name` may be an id. The file appears when it is
 * whole. */
MESATEE_API int mesatee_data_get(struct mesatee *m, const char *name, uint64_t version,
                                 const char *path);
/* Lets another (a name or a key's hash) name the data in tasks of this function (NULL: of any).
 * Reading stays its owner's. */
MESATEE_API int mesatee_data_grant(struct mesatee *m, const char *name, const char *who,
                                   const char *function);

/* ---- tasks */

/* Proposes a computation; `json` as in docs/functions.md. `task` gets its id. */
MESATEE_API int mesatee_task_create(struct mesatee *m, const char *json, char task[33]);

/* Exactly what an approval signs: the digest of the definition. */
struct mesatee_task {
    char digest[65];
    char *prose;         /* the definition in sentences */
    uint8_t *definition; /* deterministic CBOR, spec/task.md */
    size_t definition_len;
};
MESATEE_API int mesatee_task_show(struct mesatee *m, const char *task, struct mesatee_task **out);
MESATEE_API void mesatee_task_free(struct mesatee_task *t);

/* Signs the task, if its digest is the one that was shown: MESATEE_REFUSED else, and nothing is
 * signed. Nor if it goes by another appraisal policy than ours. */
MESATEE_API int mesatee_task_approve(struct mesatee *m, const char *task, const char *digest);
/* Runs an approved task and waits for its end. `run` gets its id as soon as it has one: whoever is
 * cut off meanwhile asks for the results later. MESATEE_FAILED if the run fails. */
MESATEE_API int mesatee_task_run(struct mesatee *m, const char *task, char run[33]);
/* An output that names us as receiver; `run` NULL: of the newest run that is done. */
MESATEE_API int mesatee_task_result(struct mesatee *m, const char *task, const char *run,
                                    const char *output, const char *path);

/* ---- receipts */

MESATEE_API int mesatee_receipt_get(struct mesatee *m, const char *task, const char *run,
                                    const char *path);

/* What a receipt proves of a run. */
struct mesatee_receipt {
    char task[33];
    char digest[65]; /* what every owner of an input has signed */
    char run[33];
    char cluster[65];
    uint64_t number;      /* of the run, from 1 */
    uint64_t transaction; /* in the ledger */
    uint64_t ledger_size;
    uint64_t recovery_epoch;
    int level;
    bool is_oblivious;
    bool are_limits_enforced; /* against a disk that is rolled back */
};
/* By the policy of `m`; needs no network. mesatee_checks() has the chain. */
MESATEE_API int mesatee_receipt_verify(struct mesatee *m, const char *path,
                                       struct mesatee_receipt *out);
/* Verifies both; MESATEE_NOT_GENUINE if they cannot both be true of one ledger. */
MESATEE_API int mesatee_receipt_compare(struct mesatee *m, const char *path,
                                        const char *other_path);

#ifdef __cplusplus
}
#endif

#endif
