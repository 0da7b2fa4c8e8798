/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/policy_file.h"

void mt_identity_free(struct mt_key **k)
{
    mt_key_free(k);
}

const mt_spki *mt_identity_public(const struct mt_key *k)
{
    return mt_key_public(k);
}

void mt_identity_subject(const struct mt_key *k, mt_hash *out)
{
    mt_spki_hash(mt_key_public(k), out);
}

void mt_policy_json(struct mt_writer *w, const struct mt_policy *p)
{
    mt_policy_write(w, p);
}

MT_ERR mt_policy_sign(const struct mt_key *k, const struct mt_policy *p, struct mt_buf *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf json = mt_buf_of_max(MT_POLICY_BYTES_MAX);
    struct mt_writer j = mt_writer_onto(&json);
    struct mt_writer w = mt_writer_onto(out);
    mt_bytes bytes;
    mt_policy_write(&j, p);
    MT_TRY(mt_write_end(&j, &bytes));
    mt_policy_file_write(&w, k, bytes);
    return mt_write_end(&w, &bytes);
}

MT_ERR mt_policy_load(mt_bytes file, mt_hash *signer, struct mt_policy *p)
{
    mt_spki key;
    MT_TRY(mt_policy_file_parse(file, &key, p));
    mt_spki_hash(&key, signer);
    return MT_OK;
}
