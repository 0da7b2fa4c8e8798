/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/approve.h"

#include "attest/image_approval.h"
#include "attest/tpm.h"
#include "mesatee/home.h"

enum { VALUES_MAX = 4096, DIGITS = 2 * sizeof(mt_hash) };

static bool is_measured(unsigned pcr)
{
    return (MT_TPM_PCRS_SEALED >> pcr & 1) != 0;
}

/* And writes again what they should have looked like. */
static MT_ERR read_lines(mt_bytes text, struct mt_tpm_said *out, struct mt_writer *again)
{
    struct mt_reader r = mt_reader_over(text);
    for (unsigned i = 0; i < MT_TPM_PCRS; i++) {
        mt_bytes head;
        mt_bytes digits;
        if (!is_measured(i)) {
            continue;
        }
        MT_TRY(mt_read_bytes(&r, i < 10 ? 2 : 3, &head));
        MT_TRY(mt_read_bytes(&r, DIGITS, &digits));
        MT_TRY(mt_read_bytes(&r, 1, &head));
        MT_TRY(mt_hex_parse(digits, (mt_span){out->values[i].b, sizeof out->values[i].b}));
        mt_write_number(again, i);
        mt_write_u8(again, ' ');
        mt_hex_write(again, mt_hash_bytes(&out->values[i]));
        mt_write_u8(again, '\n');
    }
    out->pcrs = MT_TPM_PCRS_SEALED;
    return MT_OK;
}

static MT_ERR read_values(mt_bytes text, struct mt_tpm_said *out)
{
    uint8_t room[VALUES_MAX];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_err e = read_lines(text, out, &w);
    MT_REQUIRE(!mt_failed(e) && mt_bytes_equal(text, mt_write_done(&w)), MT_E_FORMAT,
               "these are not the values of an image: tools/measure.py --pcrs prints them");
    return MT_OK;
}

static void policy_of(const struct mt_tpm_said *said, mt_hash *out)
{
    uint8_t room[MT_TPM_PCRS_SEALED_COUNT * sizeof(mt_hash)];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    for (unsigned i = 0; i < MT_TPM_PCRS; i++) {
        if (is_measured(i)) {
            mt_write_bytes(&w, mt_hash_bytes(&said->values[i]));
        }
    }
    mt_tpm_policy_pcrs(MT_TPM_PCRS_SEALED, mt_write_done(&w), out);
}

MT_ERR mt_approve_image(const struct mt_key *operator_key, const char *values, const char *out,
                        struct mt_approved_image *image)
{
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(VALUES_MAX);
    uint8_t room[MT_IMAGE_APPROVAL_LEN];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_tpm_said said = {.pcrs = 0};
    struct mt_image_approval a;
    MT_TRY(mt_file_load(values, VALUES_MAX, &text));
    MT_TRY(read_values(mt_buf_bytes(&text), &said));
    policy_of(&said, &image->policy);
    mt_tpm_measurement(&said, &image->measurement);
    MT_TRY(mt_image_approval_sign(operator_key, &image->policy, &a));
    mt_image_approval_write(&w, &a);
    return mt_file_store(out, mt_write_done(&w));
}
