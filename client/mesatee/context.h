/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_CONTEXT_H
#define MT_MESATEE_CONTEXT_H

#include "mesatee/client.h"
#include "mesatee/home.h"

/*
 * A node, who we are there, and what we trust. What was seen last is remembered, the ledger's head
 * and the auditors' list, and neither ever goes back.
 */
struct mt_context {
    char name[MT_NAME_MAX + 1];
    char address[MT_PATH_MAX];
    char identity[MT_NAME_MAX + 1];
    mt_hash cluster;
    struct mt_head head;
    uint64_t auditors_sequence; /* of the newest list that was believed */
    bool may_go_back;           /* never stored */
    struct mt_buf policy_file;  /* signed by the identity */
    struct mt_buf auditors;     /* empty: none */
    struct mt_policy *policy;   /* parsed; borrows from policy_file */
    struct mt_key *key;
};

struct mt_context_options {
    const char *name;     /* NULL: it is never stored */
    const char *address;  /* HOST:PORT */
    const char *identity; /* its name; NULL with a key from elsewhere */
    const char *policy;   /* path */
    const char *auditors; /* path; NULL: none */
    const char *cluster;  /* 64 digits; NULL: not known yet */
};
/* In memory alone, with the policy's signer and the auditors' list checked. `key` is taken over,
 * on failure too. A list that is not believed: its rule is in `trace`. */
MT_ERR mt_context_new(const struct mt_context_options *o, struct mt_key *key,
                      struct mt_trace *trace, struct mt_context **out);
/* Takes over what the stored context of this name knows, if it is of the same cluster: adding it
 * again forgets nothing. MT_E_STALE if the new list is older than one that was believed. */
MT_ERR mt_context_inherit(const struct mt_home *h, struct mt_context *c);
void mt_context_free(struct mt_context **c);

/* `name` NULL: the one in use. MT_E_NOTFOUND; MT_E_PROOF if the policy is not signed by the
 * context's identity. */
MT_ERR mt_context_load(const struct mt_home *h, const char *name, struct mt_context **out);
MT_ERR mt_context_store(const struct mt_home *h, const struct mt_context *c);
/* Whether a context goes by this identity, without loading what may just be out of step. */
MT_ERR mt_context_is_of(const struct mt_home *h, const char *name, const char *identity, bool *out);
MT_ERR mt_context_use(const struct mt_home *h, const char *name);
/* Signs the context's policy anew, after its identity has another key. */
MT_ERR mt_context_sign(const struct mt_home *h, const char *name, const struct mt_key *k);

/* Appraises and connects; as mt_client_open(). */
MT_ERR mt_context_connect(const struct mt_context *c, struct mt_client **out);
/* Judges the node of an open connection anew; as mt_client_renew(). */
MT_ERR mt_context_renew(const struct mt_context *c, struct mt_client *client);
/* What may have changed since it was loaded: policy, auditors' list, address, newest head.
 * MT_E_DENIED if the name is of another cluster now. */
MT_ERR mt_context_refresh(const struct mt_home *h, struct mt_context *c);
/* Remembers the newest head that the client has seen. */
MT_ERR mt_context_remember(const struct mt_home *h, struct mt_context *c,
                           const struct mt_client *client);

/* NAME of every context, sorted; the caller frees names and list with mt_context_names_free(). */
struct mt_context_names {
    char (*names)[MT_NAME_MAX + 1];
    size_t count;
};
MT_ERR mt_context_names_list(const struct mt_home *h, struct mt_context_names *out);
void mt_context_names_free(struct mt_context_names *n);
/* The one in use; MT_E_NOTFOUND if none is. */
MT_ERR mt_context_current(const struct mt_home *h, char out[MT_NAME_MAX + 1]);

#endif
