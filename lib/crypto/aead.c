/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead.h"

#include <limits.h>
#include <stdlib.h>

#include "base/assert.h"
#include "crypto/ct.h"
#include "crypto/inside.h"

/* GCM runs the cipher forwards alone, so one key schedule serves both directions. */
struct mt_aead {
    EVP_CIPHER_CTX *ctx;
};

MT_ERR mt_aead_new(mt_bytes key, struct mt_aead **out)
{
    MT_ASSERT(key.len == MT_AEAD_KEY_LEN);
    MT_DEFER(mt_aead_free) struct mt_aead *a = calloc(1, sizeof *a);
    MT_REQUIRE(a != NULL, MT_E_NOMEM, "no memory for a cipher");
    a->ctx = EVP_CIPHER_CTX_new();
    MT_REQUIRE(a->ctx != NULL, MT_E_NOMEM, "no memory for a cipher");
    bool ok = EVP_EncryptInit_ex2(a->ctx, mt_crypto.aes_256_gcm, key.ptr, NULL, NULL) == 1;
    MT_REQUIRE(ok, MT_E_INTERNAL, "a cipher cannot be set up");
    *out = a;
    a = NULL; /* given */
    return MT_OK;
}

void mt_aead_free(struct mt_aead **a)
{
    if (*a != NULL) {
        EVP_CIPHER_CTX_free((*a)->ctx);
        free(*a);
        *a = NULL;
    }
}

void mt_aead_nonce_of(uint64_t number, uint8_t out[MT_AEAD_NONCE_LEN])
{
    for (size_t i = 0; i < MT_AEAD_NONCE_LEN; i++) {
        out[i] = (uint8_t)(i < 4 ? 0 : number >> (8 * (MT_AEAD_NONCE_LEN - 1 - i)));
    }
}

MT_ERR mt_aead_seal(struct mt_aead *a, mt_bytes nonce, mt_bytes aad, mt_bytes plain, mt_span out)
{
    int len = 0;
    int last = 0;
    MT_ASSERT(nonce.len == MT_AEAD_NONCE_LEN);
    MT_ASSERT(out.len == plain.len + MT_AEAD_TAG_LEN);
    MT_REQUIRE(plain.len <= INT_MAX && aad.len <= INT_MAX, MT_E_LIMIT, "too much to seal at once");
    bool ok = EVP_EncryptInit_ex2(a->ctx, NULL, NULL, nonce.ptr, NULL) == 1;
    ok = ok && (aad.len == 0 || EVP_EncryptUpdate(a->ctx, NULL, &len, aad.ptr, (int)aad.len) == 1);
    ok = ok && (plain.len == 0 ||
                EVP_EncryptUpdate(a->ctx, out.ptr, &len, plain.ptr, (int)plain.len) == 1);
    ok = ok && EVP_EncryptFinal_ex(a->ctx, out.ptr + plain.len, &last) == 1;
    ok = ok && EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, MT_AEAD_TAG_LEN,
                                   out.ptr + plain.len) == 1;
    MT_REQUIRE(ok, MT_E_INTERNAL, "sealing failed");
    return MT_OK;
}

MT_ERR mt_aead_unseal(struct mt_aead *a, mt_bytes nonce, mt_bytes aad, mt_bytes sealed, mt_span out)
{
    int len = 0;
    int last = 0;
    uint8_t tag[MT_AEAD_TAG_LEN];
    MT_ASSERT(nonce.len == MT_AEAD_NONCE_LEN);
    MT_REQUIRE(sealed.len >= MT_AEAD_TAG_LEN && sealed.len <= INT_MAX && aad.len <= INT_MAX,
               MT_E_PROOF, "sealed bytes of an impossible length");
    size_t plain_len = sealed.len - MT_AEAD_TAG_LEN;
    MT_ASSERT(out.len == plain_len);
    for (size_t i = 0; i < sizeof tag; i++) {
        tag[i] = sealed.ptr[plain_len + i];
    }
    bool ok = EVP_DecryptInit_ex2(a->ctx, NULL, NULL, nonce.ptr, NULL) == 1;
    ok = ok && (aad.len == 0 || EVP_DecryptUpdate(a->ctx, NULL, &len, aad.ptr, (int)aad.len) == 1);
    ok = ok && (plain_len == 0 ||
                EVP_DecryptUpdate(a->ctx, out.ptr, &len, sealed.ptr, (int)plain_len) == 1);
    ok = ok && EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, MT_AEAD_TAG_LEN, tag) == 1;
    ok = ok && EVP_DecryptFinal_ex(a->ctx, out.ptr + plain_len, &last) == 1;
    if (!ok) {
        mt_wipe(out);
        MT_FAIL(MT_E_PROOF, "sealed bytes are not what was sealed");
    }
    return MT_OK;
}
