/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_POLICY_FILE_H
#define MT_MESATEE_POLICY_FILE_H

#include "attest/policy.h"
#include "mesatee/home.h"

/* What an identity is, and policies as files. */
void mt_identity_free(struct mt_key **k);
const mt_spki *mt_identity_public(const struct mt_key *k);
void mt_identity_subject(const struct mt_key *k, mt_hash *out);
/* The public key as PEM (RFC 7468). */
MT_ERR mt_identity_pem(const struct mt_key *k, struct mt_buf *out);

/* Signed by the identity. */
MT_ERR mt_policy_sign(const struct mt_key *k, const struct mt_policy *p, struct mt_buf *out);
/* Its canonical JSON. */
void mt_policy_json(struct mt_writer *w, const struct mt_policy *p);
/* Verified against the key that it carries; `signer` is that key's hash. `p` borrows from `file`.
 */
MT_ERR mt_policy_load(mt_bytes file, mt_hash *signer, struct mt_policy *p);
/* Signed by whomever, unchanged since; or the bare JSON. For whoever has chosen this very file. `p`
 * borrows from it. */
MT_ERR mt_policy_read(mt_bytes file, struct mt_policy *p);
/* The same policy under our own signature. `file` is signed by somebody, or is the bare JSON; its
 * text, and with it the policy's hash, stays as it is. `p` borrows from `file`. */
MT_ERR mt_policy_adopt(const struct mt_key *k, mt_bytes file, struct mt_policy *p,
                       struct mt_buf *out);

/* One thing more that the policy accepts of hardware, as people say it: "kind", "tdx"; "minimum",
 * "isv_svn=3"; "minimum-tcb-date", a time. MT_E_ARG if the value is none of those there are. */
MT_ERR mt_policy_accept(struct mt_policy *p, const char *what, const char *value);
/* Where kinds were named and no status was: what is up to date, or not rated by its maker. */
void mt_policy_accept_default(struct mt_policy *p);

/* A list of auditors' reference values, before anybody has signed it. */
MT_ERR mt_auditors_list_new(const struct mt_auditors_list *l, struct mt_buf *out);
/* The same list with one signature more. MT_E_CONFLICT if the key's is there already. `list`
 * borrows from `file`. */
MT_ERR mt_auditors_list_sign(const struct mt_key *k, mt_bytes file, struct mt_auditors_list *list,
                             struct mt_buf *out);
/* For a person to read before signing; nothing is believed. */
MT_ERR mt_auditors_list_show(mt_bytes file, struct mt_auditors_list *list, size_t *signatures);

#endif
