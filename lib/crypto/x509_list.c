/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/x509.h>

#include "crypto/inside.h"
#include "crypto/x509.h"

static void free_crl(X509_CRL **crl)
{
    X509_CRL_free(*crl);
    *crl = NULL;
}

/* A list that says not when the next one comes would be good for ever: refused. */
MT_ERR mt_x509_list_read(mt_bytes der, X509_CRL **out)
{
    const uint8_t *at = der.ptr;
    MT_REQUIRE(der.len > 0 && der.len <= MT_X509_CRL_BYTES_MAX, MT_E_FORMAT,
               "a revocation list is empty or too long");
    X509_CRL *crl = X509_CRL_new_ex(mt_crypto.lib, NULL);
    MT_REQUIRE(crl != NULL, MT_E_NOMEM, "no memory for a revocation list");
    /* It is freed by what reads it, when it is malformed. */
    bool is_read = d2i_X509_CRL(&crl, &at, (long)der.len) != NULL;
    bool is_whole = is_read && at == der.ptr + der.len && X509_CRL_get0_nextUpdate(crl) != NULL;
    if (!is_whole) {
        X509_CRL_free(crl);
    }
    MT_REQUIRE(is_whole, MT_E_FORMAT, "a revocation list is malformed");
    *out = crl;
    return MT_OK;
}

MT_ERR mt_x509_list_show(mt_bytes der, struct mt_x509_list *out)
{
    MT_DEFER(free_crl) X509_CRL *crl = NULL;
    struct mt_x509_list l = {.issuer = ""};
    MT_TRY(mt_x509_list_read(der, &crl));
    MT_TRY(mt_x509_ms_of_time(X509_CRL_get0_lastUpdate(crl), &l.this_ms));
    MT_TRY(mt_x509_ms_of_time(X509_CRL_get0_nextUpdate(crl), &l.next_ms));
    int len = X509_NAME_get_text_by_NID(X509_CRL_get_issuer(crl), NID_commonName, l.issuer,
                                        (int)sizeof l.issuer);
    MT_REQUIRE(len > 0, MT_E_FORMAT, "a revocation list names no issuer");
    const STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
    l.revoked_count = revoked != NULL ? (size_t)sk_X509_REVOKED_num(revoked) : 0;
    *out = l;
    return MT_OK;
}
