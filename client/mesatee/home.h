/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_HOME_H
#define MT_MESATEE_HOME_H

#include "crypto/sign.h"

/*
 * A user's directory (~/.mesatee, mode 0700): identities/NAME.key, contexts/NAME.json with its
 * policy, auditors' list and what was seen last, and the name of the context in use.
 */
enum { MT_PATH_MAX = 1024, MT_NAME_MAX = 64 };

struct mt_home {
    char path[MT_PATH_MAX];
};

/* `path` NULL: from MESATEE_HOME, else HOME. Made if absent. */
MT_ERR mt_home_open(const char *path, struct mt_home *out);
/* "identities/alice.key" below the home. MT_E_ARG if the name is none. */
MT_ERR mt_home_path(const struct mt_home *h, const char *dir, const char *name, const char *suffix,
                    char out[MT_PATH_MAX]);

/* Whole files; written beside and renamed, so that a path holds the old content or the new. The
 * caller frees `out`. */
MT_ERR mt_file_load(const char *path, size_t max, struct mt_buf *out);
MT_ERR mt_file_store(const char *path, mt_bytes content);

/* MT_E_CONFLICT if the name is taken. */
MT_ERR mt_identity_new(const struct mt_home *h, const char *name, struct mt_key **out);
MT_ERR mt_identity_load(const struct mt_home *h, const char *name, struct mt_key **out);
MT_ERR mt_identity_read(const char *path, struct mt_key **out);
/* A new key under the name; the key of before stays, as the identity `NAME.old-N` whose name is
 * put into `old`. At no moment is there no identity of the name. */
MT_ERR mt_identity_rotate(const struct mt_home *h, const char *name, char old[MT_NAME_MAX + 1],
                          struct mt_key **out);

#endif
