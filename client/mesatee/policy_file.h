/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_POLICY_FILE_H
#define MT_MESATEE_POLICY_FILE_H

#include "mesatee/home.h"

/* What an identity is, and policies as files. */
void mt_identity_free(struct mt_key **k);
const mt_spki *mt_identity_public(const struct mt_key *k);
void mt_identity_subject(const struct mt_key *k, mt_hash *out);

/* Signed by the identity. */
MT_ERR mt_policy_sign(const struct mt_key *k, const struct mt_policy *p, struct mt_buf *out);
/* Its canonical JSON. */
void mt_policy_json(struct mt_writer *w, const struct mt_policy *p);
/* Verified against the key that it carries; `signer` is that key's hash. `p` borrows from `file`.
 */
MT_ERR mt_policy_load(mt_bytes file, mt_hash *signer, struct mt_policy *p);

#endif
