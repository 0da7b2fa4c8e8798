/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x509.h"

#include "base/assert.h"
#include "crypto/inside.h"
#include "unit/fuzz.h"

static void look(const struct mt_x509 *c)
{
    struct mt_x509_validity v;
    mt_bytes got;
    (void)mt_x509_serial(c);
    (void)mt_failed(mt_x509_subject_name(c, &got));
    (void)mt_failed(mt_x509_issuer_name(c, &got));
    (void)mt_failed(mt_x509_extension(c, "2.5.29.19", &got));
    (void)mt_failed(mt_x509_validity(c, &v));
}

/* A key, a certificate, a chain, and a list of whoever is in the chain: whatever is read has no
 * other encoding, and nothing leads to no anchor. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_begin();
    const mt_bytes in = {data, len};
    enum mt_x509_fault why = MT_X509_SOUND;
    MT_DEFER(mt_pubkey_free) struct mt_pubkey *key = NULL;
    MT_DEFER(mt_x509_chain_free) struct mt_x509_chain chain = {.count = 0};
    if (!mt_failed(mt_pubkey_parse(in, &key))) {
        MT_ASSERT(mt_bytes_equal(mt_pubkey_spki(key), in));
    }
    struct mt_x509 *c = NULL;
    if (!mt_failed(mt_x509_parse(in, &c))) {
        MT_ASSERT(mt_bytes_equal(mt_x509_der(c), in));
        look(c);
        mt_x509_free(&c);
        MT_ASSERT(!mt_failed(mt_x509_chain_add(&chain, in)));
    } else {
        (void)mt_failed(mt_x509_chain_parse(in, &chain));
    }
    const struct mt_x509_trust trust = {
        .crls = &in, .crls_count = 1, .needs_crls = true, .now_ms = 1700000000000};
    MT_ASSERT(mt_failed(mt_x509_verify(&chain, &trust, &why)) && why != MT_X509_SOUND);
    struct mt_x509_trust whole = {.anchors_count = 1, .now_ms = 1700000000000};
    if (chain.count > 0) {
        const struct mt_x509 *const anchors[] = {chain.certs[chain.count - 1]};
        whole.anchors = anchors;
        bool is_quick = mt_x509_is_quickly_sound(&chain, &whole);
        MT_ASSERT(!is_quick || !mt_failed(mt_x509_verify_slowly(&chain, &whole, &why)));
    }
    for (size_t i = 0; i < chain.count; i++) {
        look(chain.certs[i]);
    }
    return 0;
}
