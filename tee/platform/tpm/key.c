/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <tss2/tss2_mu.h>

#include "platform/tpm/inside.h"

#define RESTRICTED_KEY                                                                             \
    (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |            \
     TPMA_OBJECT_RESTRICTED)
#define AES_128_CFB                                                                                \
    {                                                                                              \
        .algorithm = TPM2_ALG_AES, .keyBits = {.aes = 128}, .mode = {.aes = TPM2_ALG_CFB }         \
    }

/* TCG EK Credential Profile 2.5, template L-1: PolicySecret of the endorsement hierarchy. */
static const TPMT_PUBLIC ek_template = {
    .type = TPM2_ALG_RSA,
    .nameAlg = TPM2_ALG_SHA256,
    .objectAttributes = RESTRICTED_KEY | TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_DECRYPT,
    .authPolicy = {.size = 32,
                   .buffer = {0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc,
                              0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52,
                              0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa}},
    .parameters.rsaDetail = {.symmetric = AES_128_CFB,
                             .scheme = {.scheme = TPM2_ALG_NULL},
                             .keyBits = 2048},
    .unique.rsa = {.size = 256},
};

static const TPMT_PUBLIC ak_template = {
    .type = TPM2_ALG_ECC,
    .nameAlg = TPM2_ALG_SHA256,
    /* Without noDA a TPM that counts unclean stops as wrong guesses would lock a node out. */
    .objectAttributes =
        RESTRICTED_KEY | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_SIGN_ENCRYPT,
    .parameters.eccDetail = {.symmetric = {.algorithm = TPM2_ALG_NULL},
                             .scheme = {.scheme = TPM2_ALG_ECDSA,
                                        .details.ecdsa.hashAlg = TPM2_ALG_SHA256},
                             .curveID = TPM2_ECC_NIST_P256,
                             .kdf = {.scheme = TPM2_ALG_NULL}},
};

/* TCG TPM v2.0 Provisioning Guidance 1.0, 7.5.1. */
static const TPMT_PUBLIC storage_template = {
    .type = TPM2_ALG_ECC,
    .nameAlg = TPM2_ALG_SHA256,
    .objectAttributes =
        RESTRICTED_KEY | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_DECRYPT,
    .parameters.eccDetail = {.symmetric = AES_128_CFB,
                             .scheme = {.scheme = TPM2_ALG_NULL},
                             .curveID = TPM2_ECC_NIST_P256,
                             .kdf = {.scheme = TPM2_ALG_NULL}},
    .unique.ecc = {.x = {.size = 32}, .y = {.size = 32}},
};

struct template
{
    const TPMT_PUBLIC *area;
    ESYS_TR hierarchy;
};
static const struct template templates[] = {
    [MT_TPM_EK] = {&ek_template, ESYS_TR_RH_ENDORSEMENT},
    [MT_TPM_AK] = {&ak_template, ESYS_TR_RH_ENDORSEMENT},
    [MT_TPM_STORAGE] = {&storage_template, ESYS_TR_RH_OWNER},
};

/* The bus may show us another key, one that is not restricted, say. Its numbers alone are its own.
 */
static bool is_of_template(const TPMT_PUBLIC *made, const TPMT_PUBLIC *template)
{
    TPMT_PUBLIC expected = *template;
    uint8_t a[sizeof(TPMT_PUBLIC)];
    uint8_t b[sizeof(TPMT_PUBLIC)];
    size_t a_len = 0;
    size_t b_len = 0;
    expected.unique = made->unique;
    return Tss2_MU_TPMT_PUBLIC_Marshal(made, a, sizeof a, &a_len) == TSS2_RC_SUCCESS &&
           Tss2_MU_TPMT_PUBLIC_Marshal(&expected, b, sizeof b, &b_len) == TSS2_RC_SUCCESS &&
           mt_bytes_equal((mt_bytes){a, a_len}, (mt_bytes){b, b_len});
}

MT_ERR mt_tpm_primary(struct mt_tpm_object *o, enum mt_tpm_key key, TPM2B_PUBLIC **public_area)
{
    static const TPM2B_SENSITIVE_CREATE no_secret = {.size = 0};
    static const TPM2B_DATA nothing = {.size = 0};
    static const TPML_PCR_SELECTION no_pcrs = {.count = 0};
    const TPM2B_PUBLIC wanted = {.publicArea = *templates[key].area};
    MT_DEFER(mt_tpm_release) TPM2B_PUBLIC *made = NULL;
    MT_TRY(mt_tpm_said(Esys_CreatePrimary(o->t->esys, templates[key].hierarchy, ESYS_TR_PASSWORD,
                                          ESYS_TR_NONE, ESYS_TR_NONE, &no_secret, &wanted, &nothing,
                                          &no_pcrs, &o->at, &made, NULL, NULL, NULL)));
    MT_REQUIRE(is_of_template(&made->publicArea, templates[key].area), MT_E_PROOF,
               "a TPM made another key than it was asked for");
    if (public_area != NULL) {
        *public_area = made;
        made = NULL; /* given */
    }
    return MT_OK;
}

MT_ERR mt_tpm_session(struct mt_tpm_object *o, const struct mt_tpm_object *salt, TPM2_SE type,
                      TPMA_SESSION encrypted)
{
    static const TPMT_SYM_DEF cipher = AES_128_CFB;
    MT_TRY(mt_tpm_said(Esys_StartAuthSession(o->t->esys, salt->at, ESYS_TR_NONE, ESYS_TR_NONE,
                                             ESYS_TR_NONE, ESYS_TR_NONE, NULL, type, &cipher,
                                             TPM2_ALG_SHA256, &o->at)));
    const TPMA_SESSION wanted = encrypted | TPMA_SESSION_CONTINUESESSION;
    return mt_tpm_said(Esys_TRSess_SetAttributes(o->t->esys, o->at, wanted, 0xff));
}
