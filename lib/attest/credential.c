/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/credential.h"

#include "attest/tpm_structs.h"
#include "base/assert.h"
#include "crypto/ct.h"
#include "crypto/hash.h"
#include "crypto/wrap.h"

enum {
    AES_BITS = 128,
    RSA_LEN = 2048 / 8,
    USUAL_EXPONENT = 65537,
    NAME_LEN = 2 + sizeof(mt_hash),
};

MT_ERR mt_credential_ek(mt_bytes public, struct mt_pubkey **out)
{
    static const uint8_t exponent[] = {1, 0, 1};
    enum {
        /* What says that the secret can come out by activation alone. Who may use the key is its
         * policy's affair. */
        DEMANDED = MT_TPM_FIXED_TPM | MT_TPM_FIXED_PARENT | MT_TPM_SENSITIVE_DATA_ORIGIN |
                   MT_TPM_RESTRICTED | MT_TPM_DECRYPT,
        LOOKED_AT = DEMANDED | MT_TPM_SIGN
    };
    struct mt_tpm_public p = {.type = 0};
    MT_TRY(mt_tpm_public_parse(public, &p));
    MT_REQUIRE(p.name_hash == MT_TPM_SHA256, MT_E_FORMAT,
               "an endorsement key's name is not over SHA-256");
    MT_REQUIRE((p.attributes & LOOKED_AT) == DEMANDED, MT_E_FORMAT,
               "an endorsement key may do more than it should");
    MT_REQUIRE(p.symmetric == MT_TPM_AES && p.symmetric_bits == AES_BITS &&
                   p.symmetric_mode == MT_TPM_CFB && p.scheme == MT_TPM_NULL,
               MT_E_FORMAT, "an endorsement key does not wrap with AES-128-CFB");
    MT_REQUIRE(p.type == MT_TPM_RSA && p.n.len == RSA_LEN && p.exponent == USUAL_EXPONENT,
               MT_E_FORMAT, "an endorsement key is not RSA-2048 with the usual exponent");
    return mt_pubkey_of_rsa(p.n, MT_BYTES_OF(exponent), out);
}

/* TPM 2.0 Library, Part 1, 16: the hash's algorithm, then the hash of the public area. */
static MT_ERR name_of(mt_bytes public_area, uint8_t out[NAME_LEN])
{
    struct mt_tpm_public p = {.type = 0};
    mt_hash hash;
    MT_TRY(mt_tpm_public_parse(public_area, &p));
    MT_REQUIRE(p.name_hash == MT_TPM_SHA256, MT_E_FORMAT,
               "a quoting key's name is not over SHA-256");
    mt_sha256(&public_area, 1, &hash);
    struct mt_writer w = mt_writer_over((mt_span){out, NAME_LEN});
    mt_write_u16be(&w, MT_TPM_SHA256);
    mt_write_bytes(&w, MT_BYTES_OF(hash));
    MT_ASSERT(mt_write_done(&w).len == NAME_LEN);
    return MT_OK;
}

/* Part 1, 11.4.10.2: SP 800-108 in counter mode; all that is asked of it here fits one block. The
 * label keeps its NUL. */
static void kdfa(mt_bytes key, mt_bytes label, mt_bytes context, uint32_t bits, mt_hash *out)
{
    static const uint8_t counter[] = {0, 0, 0, 1};
    const uint8_t length[] = {0, 0, (uint8_t)(bits >> 8), (uint8_t)bits};
    MT_ASSERT(bits <= sizeof(mt_hash) * 8);
    const mt_bytes parts[] = {MT_BYTES_OF(counter), label, context, MT_BYTES_OF(length)};
    mt_hmac_sha256(key, parts, sizeof parts / sizeof parts[0], out);
}

static void wipe_hash(mt_hash *h)
{
    mt_wipe((mt_span){h->b, sizeof h->b});
}

/* TPM2B_ID_OBJECT: an HMAC over the encrypted secret and the name, then the encrypted secret. */
static MT_ERR write_blob(mt_bytes seed, mt_bytes name, mt_bytes secret, struct mt_writer *out)
{
    MT_DEFER(wipe_hash) mt_hash cipher_key;
    MT_DEFER(wipe_hash) mt_hash mac_key;
    mt_hash mac;
    uint8_t plain[2 + MT_CREDENTIAL_SECRET_LEN];
    uint8_t encrypted[sizeof plain];
    static const mt_bytes nothing = {NULL, 0};
    struct mt_writer w = mt_writer_over((mt_span){plain, sizeof plain});
    mt_write_u16be(&w, (uint16_t)secret.len);
    mt_write_bytes(&w, secret);
    kdfa(seed, MT_LITERAL("STORAGE\0"), name, MT_AES_128_LEN * 8, &cipher_key);
    mt_err e = mt_wrap_cfb((mt_bytes){cipher_key.b, MT_AES_128_LEN}, mt_write_done(&w),
                           (mt_span){encrypted, sizeof encrypted});
    mt_wipe((mt_span){plain, sizeof plain});
    MT_TRY(e);
    kdfa(seed, MT_LITERAL("INTEGRITY\0"), nothing, sizeof(mt_hash) * 8, &mac_key);
    const mt_bytes parts[] = {MT_BYTES_OF(encrypted), name};
    mt_hmac_sha256(MT_BYTES_OF(mac_key), parts, sizeof parts / sizeof parts[0], &mac);
    mt_write_u16be(out, 2 + sizeof mac + sizeof encrypted);
    mt_write_u16be(out, sizeof mac);
    mt_write_bytes(out, MT_BYTES_OF(mac));
    mt_write_bytes(out, MT_BYTES_OF(encrypted));
    return MT_OK;
}

MT_ERR mt_credential_make(const struct mt_credential_wish *wanted, struct mt_writer *blob,
                          struct mt_writer *encrypted_secret)
{
    uint8_t name[NAME_LEN];
    uint8_t encrypted[RSA_LEN];
    MT_DEFER(mt_pubkey_free) struct mt_pubkey *ek = NULL;
    MT_ASSERT(wanted->seed.len == MT_CREDENTIAL_SEED_LEN);
    MT_ASSERT(wanted->secret.len == MT_CREDENTIAL_SECRET_LEN);
    MT_TRY(mt_credential_ek(wanted->ek_public, &ek));
    MT_TRY(name_of(wanted->ak_public, name));
    MT_TRY(mt_wrap_rsa(ek, MT_LITERAL("IDENTITY\0"), wanted->seed,
                       (mt_span){encrypted, sizeof encrypted}));
    MT_TRY(write_blob(wanted->seed, MT_BYTES_OF(name), wanted->secret, blob));
    mt_write_u16be(encrypted_secret, sizeof encrypted);
    mt_write_bytes(encrypted_secret, MT_BYTES_OF(encrypted));
    return MT_OK;
}
