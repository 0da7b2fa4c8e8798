/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/tpm/sealed.h"

#include "attest/tpm_policy.h"
#include "base/limits.h"

enum { VERSION_UNCOUNTED = 1, VERSION = 2 };

static MT_ERR read_flag(struct mt_reader *r, bool *out)
{
    uint8_t flag = 0;
    MT_TRY(mt_read_u8(r, &flag));
    MT_REQUIRE(flag <= 1, MT_E_FORMAT, "a sealed secret has a flag that is none");
    *out = flag == 1;
    return MT_OK;
}

/* Marshalling forgives what it does not need, ours does not: what is kept has one form. */
static MT_ERR check_form(const struct mt_tpm_sealed *s, mt_bytes bytes)
{
    const TPM2B_DIGEST *named = &s->area.publicArea.authPolicy;
    mt_hash policy;
    MT_DEFER(mt_buf_free) struct mt_buf again = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    MT_TRY(mt_tpm_sealed_write(s, &again));
    MT_REQUIRE(mt_bytes_equal(mt_buf_bytes(&again), bytes), MT_E_FORMAT,
               "a sealed secret is not in its one form");
    mt_tpm_sealed_policy(s, &policy);
    MT_REQUIRE(mt_bytes_equal((mt_bytes){named->buffer, named->size}, MT_BYTES_OF(policy)),
               MT_E_FORMAT, "a sealed secret has another policy than it says");
    return MT_OK;
}

MT_ERR mt_tpm_sealed_parse(mt_bytes in, struct mt_tpm_sealed *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_tpm_sealed s = {.has_operator = false};
    uint8_t version = 0;
    size_t at = 0;
    MT_TRY(mt_read_u8(&r, &version));
    MT_REQUIRE(version == VERSION || version == VERSION_UNCOUNTED, MT_E_CONFLICT,
               "what the TPM sealed is of another version");
    s.is_counted = version == VERSION;
    MT_TRY(mt_read_copy(&r, (mt_span){s.measured.b, sizeof s.measured.b}));
    MT_TRY(read_flag(&r, &s.has_operator));
    if (s.has_operator) {
        mt_bytes key;
        MT_TRY(mt_read_bytes(&r, MT_SPKI_LEN, &key));
        MT_TRY(mt_spki_parse(key, &s.operator_key));
    }
    if (s.is_counted) {
        MT_TRY(mt_read_u64be(&r, &s.until));
    }
    MT_REQUIRE(Tss2_MU_TPM2B_PUBLIC_Unmarshal(r.rest.ptr, r.rest.len, &at, &s.area) ==
                       TSS2_RC_SUCCESS &&
                   Tss2_MU_TPM2B_PRIVATE_Unmarshal(r.rest.ptr, r.rest.len, &at, &s.private) ==
                       TSS2_RC_SUCCESS &&
                   at == r.rest.len,
               MT_E_FORMAT, "a sealed secret is malformed");
    MT_TRY(check_form(&s, in));
    *out = s;
    return MT_OK;
}

MT_ERR mt_tpm_sealed_write(const struct mt_tpm_sealed *s, struct mt_buf *out)
{
    struct mt_writer w = mt_writer_onto(out);
    uint8_t bytes[sizeof s->area + sizeof s->private];
    size_t len = 0;
    mt_bytes whole;
    bool ok =
        Tss2_MU_TPM2B_PUBLIC_Marshal(&s->area, bytes, sizeof bytes, &len) == TSS2_RC_SUCCESS &&
        Tss2_MU_TPM2B_PRIVATE_Marshal(&s->private, bytes, sizeof bytes, &len) == TSS2_RC_SUCCESS;
    MT_REQUIRE(ok, MT_E_FORMAT, "a sealed secret cannot be written");
    mt_write_u8(&w, s->is_counted ? VERSION : VERSION_UNCOUNTED);
    mt_write_bytes(&w, mt_hash_bytes(&s->measured));
    mt_write_u8(&w, s->has_operator ? 1 : 0);
    if (s->has_operator) {
        mt_write_bytes(&w, mt_spki_bytes(&s->operator_key));
    }
    if (s->is_counted) {
        mt_write_u64be(&w, s->until);
    }
    mt_write_bytes(&w, (mt_bytes){bytes, len});
    return mt_write_end(&w, &whole);
}

void mt_tpm_sealed_policy(const struct mt_tpm_sealed *s, mt_hash *out)
{
    mt_hash authorize;
    mt_hash images = s->measured;
    if (s->has_operator) {
        mt_tpm_policy_authorize(&s->operator_key, &authorize);
        mt_tpm_policy_either(&s->measured, &authorize, &images);
    }
    *out = images;
    if (s->is_counted) {
        mt_tpm_policy_counted(&images, s->until, out);
    }
}
