/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/assert.h"
#include "crypto/inside.h"

struct mt_hasher {
    EVP_MD_CTX *ctx;
};

static void hash_with(EVP_MD_CTX *ctx, const EVP_MD *md, const mt_bytes *parts, size_t count,
                      uint8_t *out)
{
    MT_ASSERT(ctx != NULL);
    int ok = EVP_DigestInit_ex2(ctx, md, NULL);
    for (size_t i = 0; i < count; i++) {
        ok &= EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len);
    }
    ok &= EVP_DigestFinal_ex(ctx, out, NULL);
    MT_ASSERT(ok == 1);
}

static void hash_parts(const EVP_MD *md, const mt_bytes *parts, size_t count, uint8_t *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    hash_with(ctx, md, parts, count, out);
    EVP_MD_CTX_free(ctx);
}

/* A context that was used before costs less than a new one. OpenSSL wipes what it has not
 * hashed yet: all that stays in it is the hash. */
void mt_sha256(const mt_bytes *parts, size_t count, mt_hash *out)
{
    EVP_MD_CTX *ctx = atomic_exchange(&mt_crypto.spare, NULL);
    if (ctx == NULL) {
        ctx = EVP_MD_CTX_new();
    }
    hash_with(ctx, mt_crypto.sha256, parts, count, out->b);
    EVP_MD_CTX_free(atomic_exchange(&mt_crypto.spare, ctx));
}

void mt_sha384(const mt_bytes *parts, size_t count, uint8_t out[MT_SHA384_LEN])
{
    hash_parts(mt_crypto.sha384, parts, count, out);
}

void mt_sha512(const mt_bytes *parts, size_t count, uint8_t out[MT_SHA512_LEN])
{
    hash_parts(mt_crypto.sha512, parts, count, out);
}

void mt_hmac_sha256(mt_bytes key, const mt_bytes *parts, size_t count, mt_hash *out)
{
    char digest[] = "SHA2-256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    size_t len = 0;
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mt_crypto.hmac);
    MT_ASSERT(ctx != NULL);
    int ok = EVP_MAC_init(ctx, key.ptr, key.len, params);
    for (size_t i = 0; i < count; i++) {
        ok &= EVP_MAC_update(ctx, parts[i].ptr, parts[i].len);
    }
    ok &= EVP_MAC_final(ctx, out->b, &len, sizeof out->b);
    EVP_MAC_CTX_free(ctx);
    MT_ASSERT(ok == 1);
    MT_ASSERT(len == sizeof out->b);
}

MT_ERR mt_hasher_new(struct mt_hasher **out)
{
    struct mt_hasher *h = calloc(1, sizeof *h);
    MT_REQUIRE(h != NULL, MT_E_NOMEM, "no memory for a hash");
    h->ctx = EVP_MD_CTX_new();
    if (h->ctx == NULL || EVP_DigestInit_ex2(h->ctx, mt_crypto.sha256, NULL) != 1) {
        mt_hasher_free(&h);
        MT_FAIL(MT_E_NOMEM, "no memory for a hash");
    }
    *out = h;
    return MT_OK;
}

void mt_hasher_add(struct mt_hasher *h, mt_bytes bytes)
{
    int ok = EVP_DigestUpdate(h->ctx, bytes.ptr, bytes.len);
    MT_ASSERT(ok == 1);
}

void mt_hasher_end(struct mt_hasher *h, mt_hash *out)
{
    int ok = EVP_DigestFinal_ex(h->ctx, out->b, NULL);
    MT_ASSERT(ok == 1);
    ok = EVP_DigestInit_ex2(h->ctx, mt_crypto.sha256, NULL);
    MT_ASSERT(ok == 1);
}

void mt_hasher_free(struct mt_hasher **h)
{
    if (*h != NULL) {
        EVP_MD_CTX_free((*h)->ctx);
        free(*h);
        *h = NULL;
    }
}

mt_bytes mt_label_bytes(enum mt_label label)
{
    static const char *const texts[] = {
#define MT_LABEL_TEXT(name_, text_) text_,
        MT_LABELS(MT_LABEL_TEXT)
#undef MT_LABEL_TEXT
    };
    MT_ASSERT((size_t)label < sizeof texts / sizeof *texts);
    return mt_bytes_of_text(texts[label]);
}

void mt_sha256_labelled(enum mt_label label, const mt_bytes *parts, size_t count, mt_hash *out)
{
    const mt_bytes name = mt_label_bytes(label);
    const uint8_t len = (uint8_t)name.len;
    mt_bytes all[MT_LABELLED_PARTS_MAX + 2] = {MT_BYTES_OF(len), name};
    MT_ASSERT(name.len <= UINT8_MAX);
    MT_ASSERT(count <= MT_LABELLED_PARTS_MAX);
    for (size_t i = 0; i < count; i++) {
        all[i + 2] = parts[i];
    }
    mt_sha256(all, count + 2, out);
}
