/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "crypto/hash.h"
#include "platform/tpm/inside.h"
#include "platform/tpm/world_test.h"

/* An image is replaced by the next one, which measures otherwise. */
static const uint8_t key[MT_DEVICE_SECRET_LEN] = "one key of thirty-two bytes, yes";
static struct mt_key *operator_key;
static struct mt_buf sealed;

static void start_image(ESYS_TR pcr)
{
    const TPML_DIGEST_VALUES values = {.count = 1, .digests = {{.hashAlg = TPM2_ALG_SHA256}}};
    power_off();
    power_on();
    if (pcr != ESYS_TR_NONE) {
        MT_ASSERT(Esys_PCR_Extend(mt_tpm_of(device)->esys, pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                  ESYS_TR_NONE, &values) == TSS2_RC_SUCCESS);
    }
}

/* What the operator signs knows no TPM: PCRs of zeros, but one that was extended by zeros. */
static void sign_image(unsigned pcr, struct mt_image_approval *out)
{
    static const unsigned sealed_pcrs[] = {0, 2, 4, 7, 9, 11, 12, 13};
    uint8_t values[sizeof sealed_pcrs / sizeof sealed_pcrs[0]][sizeof(mt_hash)] = {{0}};
    mt_hash policy;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (sealed_pcrs[i] == pcr) {
            mt_hash extended;
            const mt_bytes zeros[] = {MT_BYTES_OF(values[i]), MT_BYTES_OF(values[i])};
            mt_sha256(zeros, 2, &extended);
            memcpy(values[i], extended.b, sizeof extended.b);
        }
    }
    mt_tpm_policy_pcrs(MT_TPM_PCRS_SEALED, MT_BYTES_OF(values), &policy);
    OK(mt_image_approval_sign(operator_key, &policy, out));
}

/* `approval` is one of two; NULL: nothing is approved. */
static void say(const struct mt_image_approval *approval)
{
    struct mt_image_approvals all = {.count = 0};
    if (approval != NULL) {
        sign_image(77, &all.list[0]);
        all.list[1] = *approval;
        all.count = 2;
    }
    mt_tpm_operator(device, mt_key_public(operator_key), &all);
}

static mt_err unseal(void)
{
    uint8_t out[MT_DEVICE_SECRET_LEN] = {0};
    mt_err e = mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out});
    MT_ASSERT(mt_failed(e) || mt_bytes_equal(MT_BYTES_OF(out), MT_BYTES_OF(key)));
    return e;
}

static void begin_sealed(void)
{
    begin();
    OK(mt_key_new(&operator_key));
    sealed = mt_buf_of_max(MT_CREDENTIAL_BYTES_MAX);
    say(NULL);
    OK(mt_device_seal(device, MT_BYTES_OF(key), false, &sealed));
}

static void end_sealed(void)
{
    mt_buf_free(&sealed);
    mt_key_free(&operator_key);
    end();
}

static void the_image_that_sealed_needs_no_word(void)
{
    begin_sealed();
    OK(unseal());
    start_image(ESYS_TR_NONE);
    OK(unseal()); /* not even whose word would count has to be said */
    end_sealed();
}

static void a_new_image_opens_what_the_old_one_sealed_if_it_is_signed(void)
{
    struct mt_image_approval word;
    begin_sealed();
    sign_image(11, &word);
    start_image(ESYS_TR_PCR11);
    say(NULL);
    fails(unseal(), MT_E_DENIED);
    say(&word);
    OK(unseal());

    /* And what it seals is its own: a word for the old image opens it there. */
    mt_buf_drop(&sealed, sealed.len);
    OK(mt_device_seal(device, MT_BYTES_OF(key), false, &sealed));
    sign_image(99, &word);
    start_image(ESYS_TR_NONE);
    say(&word);
    OK(unseal());
    end_sealed();
}

/* The host has kept a copy of what the old image sealed, and starts it again. */
static void what_was_replaced_opens_no_more(void)
{
    struct mt_image_approval word;
    bool is_current = false;
    begin_sealed();
    OK(mt_device_is_current(device, mt_buf_bytes(&sealed), &is_current));
    MT_ASSERT(is_current);
    struct mt_buf kept = mt_buf_of_max(MT_CREDENTIAL_BYTES_MAX);
    OK(mt_buf_append(&kept, mt_buf_bytes(&sealed)));
    sign_image(11, &word);
    start_image(ESYS_TR_PCR11);
    say(&word);
    OK(mt_device_is_current(device, mt_buf_bytes(&kept), &is_current));
    MT_ASSERT(!is_current);
    mt_buf_drop(&sealed, sealed.len);
    OK(mt_device_seal(device, MT_BYTES_OF(key), true, &sealed));
    OK(unseal()); /* before it replaces anything */
    OK(mt_device_retire(device, mt_buf_bytes(&kept)));
    OK(mt_device_retire(device, mt_buf_bytes(&sealed)));
    OK(mt_device_retire(device, mt_buf_bytes(&sealed)));
    say(NULL);
    OK(unseal());
    OK(mt_device_is_current(device, mt_buf_bytes(&sealed), &is_current));
    MT_ASSERT(is_current);
    start_image(ESYS_TR_NONE);
    say(NULL);
    fails(unseal(), MT_E_DENIED);
    mt_buf_drop(&sealed, sealed.len);
    OK(mt_buf_append(&sealed, mt_buf_bytes(&kept)));
    fails(unseal(), MT_E_DENIED);
    start_image(ESYS_TR_PCR11);
    say(&word);
    fails(unseal(), MT_E_DENIED); /* whatever its operator says */
    mt_buf_free(&kept);
    end_sealed();
}

/* Deleting the counter takes nothing back: one that is made again goes on above. */
static void a_counter_that_was_deleted_opens_nothing(void)
{
    begin_sealed();
    struct mt_buf kept = mt_buf_of_max(MT_CREDENTIAL_BYTES_MAX);
    OK(mt_buf_append(&kept, mt_buf_bytes(&sealed)));
    mt_buf_drop(&sealed, sealed.len);
    OK(mt_device_seal(device, MT_BYTES_OF(key), true, &sealed));
    OK(mt_device_retire(device, mt_buf_bytes(&sealed)));
    WITHOUT_DEVICE("tpm2_nvundefine", "-C", "o", "-T", TCTI, "0x01804d55");
    fails(unseal(), MT_E_DENIED);
    mt_buf_drop(&sealed, sealed.len);
    OK(mt_device_seal(device, MT_BYTES_OF(key), false, &sealed)); /* makes it again */
    OK(unseal());
    mt_buf_drop(&sealed, sealed.len);
    OK(mt_buf_append(&sealed, mt_buf_bytes(&kept)));
    fails(unseal(), MT_E_DENIED);
    mt_buf_free(&kept);
    end_sealed();
}

/* As a host could make it, to set it to whatever he likes. */
static void a_store_in_the_place_of_the_counter_opens_nothing(void)
{
    begin_sealed();
    WITHOUT_DEVICE("tpm2_nvundefine", "-C", "o", "-T", TCTI, "0x01804d55");
    WITHOUT_DEVICE("tpm2_nvdefine", "-C", "o", "-T", TCTI, "-s", "8", "-a",
                   "authread|authwrite|no_da", "0x01804d55");
    put("zeros", MT_LITERAL("\0\0\0\0\0\0\0\0"));
    WITHOUT_DEVICE("tpm2_nvwrite", "-C", "0x01804d55", "-T", TCTI, "-i", "zeros", "0x01804d55");
    fails(unseal(), MT_E_DENIED);
    end_sealed();
}

static void an_image_that_is_not_signed_stays_locked_out(void)
{
    struct mt_image_approval word;
    begin_sealed();
    sign_image(11, &word);
    start_image(ESYS_TR_PCR12);
    say(&word);
    fails(unseal(), MT_E_DENIED);
    sign_image(12, &word);
    word.signature[40] ^= 1;
    say(&word);
    fails(unseal(), MT_E_DENIED);
    word.signature[40] ^= 1;
    say(&word);
    OK(unseal());
    end_sealed();
}

static void the_word_of_somebody_else_is_none(void)
{
    struct mt_image_approval word;
    begin_sealed();
    mt_key_free(&operator_key);
    OK(mt_key_new(&operator_key));
    sign_image(11, &word);
    start_image(ESYS_TR_PCR11);
    say(&word);
    mt_err e = unseal();
    MT_ASSERT(mt_failed(e));
    end_sealed();
}

static void who_trusts_no_operator_lets_none_in(void)
{
    struct mt_image_approval word;
    begin_sealed();
    start_image(ESYS_TR_NONE);
    mt_buf_drop(&sealed, sealed.len);
    OK(mt_device_seal(device, MT_BYTES_OF(key), false, &sealed));
    sign_image(11, &word);
    start_image(ESYS_TR_PCR11);
    say(&word);
    fails(unseal(), MT_E_DENIED);
    end_sealed();
}

/* With an operator and without: every byte of it is looked at, by us or by the TPM. */
static void what_was_sealed_has_one_form_and_a_version(void)
{
    static const size_t every = 7; /* bytes; a TPM takes its time */
    begin_sealed();
    for (size_t at = 0; at < sealed.len; at += at < 40 ? 1 : every) {
        sealed.ptr[at] ^= 1;
        mt_err e = unseal();
        MT_ASSERT(mt_failed(e));
        MT_ASSERT((e.fault->code == MT_E_CONFLICT) == (at == 0)); /* the version */
        sealed.ptr[at] ^= 1;
    }
    const size_t whole = sealed.len;
    for (sealed.len = 0; sealed.len < whole; sealed.len++) {
        fails(unseal(), MT_E_FORMAT);
    }
    OK(unseal());
    OK(mt_buf_append(&sealed, MT_LITERAL("x")));
    fails(unseal(), MT_E_FORMAT);
    end_sealed();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(the_image_that_sealed_needs_no_word),
        MT_TEST(a_new_image_opens_what_the_old_one_sealed_if_it_is_signed),
        MT_TEST(what_was_replaced_opens_no_more),
        MT_TEST(a_counter_that_was_deleted_opens_nothing),
        MT_TEST(a_store_in_the_place_of_the_counter_opens_nothing),
        MT_TEST(an_image_that_is_not_signed_stays_locked_out),
        MT_TEST(the_word_of_somebody_else_is_none),
        MT_TEST(who_trusts_no_operator_lets_none_in),
        MT_TEST(what_was_sealed_has_one_form_and_a_version),
    };
    if (!has_program("swtpm")) {
        (void)puts("1..0 # skip swtpm is not here");
        return 0;
    }
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
