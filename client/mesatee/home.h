/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_HOME_H
#define MT_MESATEE_HOME_H

#include "mesatee/client.h"

/*
 * A user's directory (~/.mesatee, mode 0700): identities/NAME.key, contexts/NAME.json with its
 * policy, auditors' list and the newest head seen, and the name of the context in use.
 */
enum { MT_PATH_MAX = 1024, MT_NAME_MAX = 64 };

struct mt_home {
    char path[MT_PATH_MAX];
};

/* `path` NULL: from MESATEE_HOME, else HOME. Made if absent. */
MT_ERR mt_home_open(const char *path, struct mt_home *out);
/* "identities/alice.key" below the home. */
MT_ERR mt_home_path(const struct mt_home *h, const char *dir, const char *name, const char *suffix,
                    char out[MT_PATH_MAX]);

/* Whole files; written beside and renamed. */
MT_ERR mt_file_load(const char *path, size_t max, struct mt_buf *out);
MT_ERR mt_file_store(const char *path, mt_bytes content);

/* MT_E_CONFLICT if the name is taken. */
MT_ERR mt_identity_new(const struct mt_home *h, const char *name, struct mt_key **out);
MT_ERR mt_identity_load(const struct mt_home *h, const char *name, struct mt_key **out);

struct mt_context {
    char name[MT_NAME_MAX + 1];
    char address[MT_PATH_MAX];
    char identity[MT_NAME_MAX + 1];
    mt_hash cluster;
    struct mt_head head;
    bool may_go_back;          /* never stored */
    struct mt_buf policy_file; /* signed by the identity */
    struct mt_buf auditors;    /* empty: none */
    struct mt_policy *policy;  /* parsed; borrows from policy_file */
    struct mt_key *key;
};

/* `name` NULL: the one in use. MT_E_NOTFOUND; MT_E_PROOF if the policy is not signed by the
 * context's identity. */
MT_ERR mt_context_load(const struct mt_home *h, const char *name, struct mt_context **out);
MT_ERR mt_context_store(const struct mt_home *h, const struct mt_context *c);
MT_ERR mt_context_use(const struct mt_home *h, const char *name);
void mt_context_free(struct mt_context **c);

/* Appraises and connects; as mt_client_open(). */
MT_ERR mt_context_connect(const struct mt_context *c, struct mt_client **out);
/* Remembers the newest head that the client has seen. */
MT_ERR mt_context_remember(const struct mt_home *h, struct mt_context *c,
                           const struct mt_client *client);

#endif
