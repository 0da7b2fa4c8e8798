/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/image_approval.h"

#include "wire/cbor.h"

enum { VERSION = 1, FIELDS = 3 };

MT_ERR mt_image_approval_sign(const struct mt_key *operator_key, const mt_hash *policy,
                              struct mt_image_approval *out)
{
    uint8_t room[MT_TPM_APPROVED_LEN];
    struct mt_image_approval a = {.policy = *policy};
    MT_TRY(mt_sign(operator_key, mt_tpm_policy_approved(policy, (mt_span){room, sizeof room}),
                   a.signature));
    *out = a;
    return MT_OK;
}

void mt_image_approval_write(struct mt_writer *w, const struct mt_image_approval *a)
{
    mt_cbor_write_array(w, FIELDS);
    mt_cbor_write_uint(w, VERSION);
    mt_cbor_write_bytes(w, mt_hash_bytes(&a->policy));
    mt_cbor_write_bytes(w, MT_BYTES_OF(a->signature));
}

static MT_ERR read_one(struct mt_reader *r, struct mt_image_approval *out)
{
    uint64_t count = 0;
    uint64_t version = 0;
    MT_TRY(mt_cbor_read_array(r, UINT64_MAX, &count));
    MT_TRY(mt_cbor_read_uint(r, &version));
    MT_REQUIRE(version == VERSION, MT_E_CONFLICT, "an image's approval of another version");
    MT_REQUIRE(count == FIELDS, MT_E_FORMAT, "an image's approval has three fields");
    MT_TRY(mt_cbor_read_copy(r, (mt_span){out->policy.b, sizeof out->policy.b}));
    return mt_cbor_read_copy(r, (mt_span){out->signature, sizeof out->signature});
}

MT_ERR mt_image_approvals_parse(mt_bytes in, struct mt_image_approvals *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_image_approvals all = {.count = 0};
    while (r.rest.len > 0) {
        MT_REQUIRE(all.count < MT_IMAGE_APPROVALS_MAX, MT_E_LIMIT,
                   "a file has at most 64 approvals of images");
        MT_TRY(read_one(&r, &all.list[all.count]));
        all.count++;
    }
    *out = all;
    return MT_OK;
}

const struct mt_image_approval *mt_image_approvals_find(const struct mt_image_approvals *all,
                                                        const mt_hash *policy)
{
    for (size_t i = 0; i < all->count; i++) {
        if (mt_hash_equal(&all->list[i].policy, policy)) {
            return &all->list[i];
        }
    }
    return NULL;
}
