/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What evidence is made of, cut at each byte with the lengths around the cut put right, and each
 * of its words that has a meaning changed into one that has none. */
#include <string.h>

#include "attest/bundle.h"
#include "attest/dcap_quote.h"
#include "attest/hcl.h"
#include "attest/snp_certs.h"
#include "attest/tpm_structs.h"
#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/hash.h"
#include "unit/mangle.h"
#include "unit/runner.h"

#define OK(call_) MT_ASSERT(!mt_failed(call_))

enum { ROOM = 4096 };

/* What a test writes. */
struct made {
    uint8_t b[ROOM];
    struct mt_writer w;
};

static struct mt_writer *begin(struct made *m)
{
    m->w = mt_writer_over((mt_span){m->b, sizeof m->b});
    return &m->w;
}

static mt_bytes end(const struct made *m)
{
    return mt_write_done(&m->w);
}

static void put_zeros(struct mt_writer *w, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        mt_write_u8(w, 0);
    }
}

static bool is_no(mt_err e)
{
    return mt_failed(e) && e.fault->code == MT_E_FORMAT;
}

/* ---- bundle.h */
static bool bundle_is_read(const uint8_t *bytes, size_t len)
{
    struct mt_bundle b;
    mt_err e = mt_bundle_parse((mt_bytes){bytes, len}, &b);
    MT_ASSERT(!mt_failed(e) || is_no(e));
    return !mt_failed(e);
}

static bool bundle_of(const char *bytes, size_t len)
{
    return bundle_is_read((const uint8_t *)bytes, len);
}
#define BUNDLE(text_) bundle_of((text_), sizeof(text_) - 1)

static void a_bundle_is_whole_in_order_and_without_a_part_that_nobody_knows(void)
{
    static const char good[] = "\x82\x01\xa2\x01\x41L\x02\x41Q"; /* a log, a quote */
    mt_mangle_length(bundle_is_read, (const uint8_t *)good, sizeof good - 1);
    MT_ASSERT(!BUNDLE("\x81\x01"));
    MT_ASSERT(!BUNDLE("\x82\x02\xa2\x01\x41L\x02\x41Q"));              /* of version 2 */
    MT_ASSERT(!BUNDLE("\x82\x01\xa2\x02\x41Q\x01\x41L"));              /* out of order */
    MT_ASSERT(!BUNDLE("\x82\x01\xa3\x01\x41L\x02\x41Q\x18\x19\x41x")); /* part 25 */
    MT_ASSERT(!BUNDLE("\x82\x01\xa2\x01\x40\x02\x41Q"));               /* empty */
    MT_ASSERT(!BUNDLE("\x82\x01\xa1\x01\x41L"));                       /* no quote */
    MT_ASSERT(!BUNDLE("\x82\x01\xa1\x02\x41Q"));                       /* no log */
}

/* ---- dcap_quote.h */
enum { SGX_LEN = 384, TD10_LEN = 584, KEYS_LEN = 128 };

static void put_quote(struct mt_writer *w, uint16_t version, uint32_t tee, mt_bytes auth)
{
    static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                       0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    uint32_t len = tee == 0 ? SGX_LEN : TD10_LEN;
    mt_write_u16le(w, version);
    mt_write_u16le(w, 2);
    mt_write_u32le(w, tee);
    put_zeros(w, 4);
    mt_write_bytes(w, MT_BYTES_OF(vendor));
    put_zeros(w, 20);
    if (version == 5) {
        mt_write_u16le(w, tee == 0 ? MT_DCAP_SGX : MT_DCAP_TD10);
        mt_write_u32le(w, len);
    }
    put_zeros(w, len);
    mt_write_u32le(w, (uint32_t)auth.len);
    mt_write_bytes(w, auth);
}

static mt_err quote_of(uint16_t version, uint32_t tee, mt_bytes auth)
{
    static struct made m;
    struct mt_dcap_quote q;
    put_quote(begin(&m), version, tee, auth);
    return mt_dcap_quote_parse(end(&m), &q);
}

static mt_bytes certification(struct made *m)
{
    struct mt_writer *w = begin(m);
    put_zeros(w, SGX_LEN + 64);
    mt_write_u16le(w, 4);
    mt_write_bytes(w, MT_LITERAL("auth"));
    mt_write_u16le(w, MT_DCAP_CERT_CHAIN);
    mt_write_u32le(w, 3);
    mt_write_bytes(w, MT_LITERAL("pem"));
    return end(m);
}

/* From version 4 on a part says what is nested in it, and how long that is. */
static mt_bytes auth_of(uint16_t version, uint16_t type, mt_bytes inner)
{
    static struct made m;
    struct mt_writer *w = begin(&m);
    put_zeros(w, KEYS_LEN);
    if (version > 3) {
        mt_write_u16le(w, type);
        mt_write_u32le(w, (uint32_t)inner.len);
    }
    mt_write_bytes(w, inner);
    return end(&m);
}

static void what_a_quote_nests_is_as_long_as_each_of_its_lengths_says(void)
{
    static struct made m;
    const mt_bytes inner = certification(&m);
    for (uint16_t version = 3; version <= 5; version++) {
        const mt_bytes all = auth_of(version, 6, inner);
        OK(quote_of(version, version == 3 ? 0 : 0x81, all));
        for (size_t len = 0; len < all.len; len++) {
            MT_ASSERT(is_no(quote_of(version, 0, (mt_bytes){all.ptr, len})));
        }
        for (size_t len = 0; len < inner.len; len++) {
            MT_ASSERT(is_no(quote_of(version, 0, auth_of(version, 6, (mt_bytes){m.b, len}))));
        }
    }
    MT_ASSERT(is_no(quote_of(4, 0, auth_of(4, 5, inner))));
    MT_ASSERT(is_no(quote_of(4, 0x80, auth_of(4, 6, inner)))); /* no kind of TEE */
    MT_ASSERT(is_no(quote_of(3, 0x81, auth_of(3, 6, inner)))); /* of before there was TDX */
}

/* ---- hcl.h */
enum { HCL_HEAD_LEN = 32, HCL_CLAIMS_AT = HCL_HEAD_LEN + MT_HCL_HARDWARE_LEN };

struct hcl_words {
    uint32_t version;
    uint32_t kind;
    uint32_t claims_len;
    uint32_t len_of_claims; /* with their head */
};
static const struct hcl_words honest = {1, MT_HCL_SNP, 4, 24};

static mt_bytes hcl_report(struct made *m, const struct hcl_words *h, size_t len)
{
    struct mt_writer *w = begin(m);
    mt_write_u32le(w, 0x414c4348);
    mt_write_u32le(w, h->version);
    mt_write_u32le(w, (uint32_t)len);
    mt_write_u32le(w, 2);
    put_zeros(w, 16 + MT_HCL_HARDWARE_LEN);
    mt_write_u32le(w, h->len_of_claims);
    mt_write_u32le(w, 1);
    mt_write_u32le(w, h->kind);
    mt_write_u32le(w, 1);
    mt_write_u32le(w, h->claims_len);
    mt_write_bytes(w, MT_LITERAL("{  }"));
    return (mt_bytes){end(m).ptr, len};
}

static mt_err hcl_of(const struct hcl_words *h, size_t len)
{
    static struct made m;
    struct mt_hcl_report r;
    return mt_hcl_report_parse(hcl_report(&m, h, len), &r);
}

static void an_hcl_report_is_as_long_as_each_of_its_lengths_says(void)
{
    const size_t whole = HCL_CLAIMS_AT + 24;
    struct hcl_words h = honest;
    OK(hcl_of(&h, whole));
    for (size_t len = 0; len < whole; len++) {
        MT_ASSERT(is_no(hcl_of(&h, len)));
    }
    h.kind = MT_HCL_TDX;
    OK(hcl_of(&h, whole));
    const struct hcl_words wrong[] = {
        {3, MT_HCL_SNP, 4, 24},      {1, 3, 4, 24}, {1, MT_HCL_SNP, 0, 20}, {1, MT_HCL_SNP, 4, 23},
        {1, MT_HCL_SNP, 4000, 4020},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        MT_ASSERT(is_no(hcl_of(&wrong[i], whole)));
    }
}

static bool td_report_is_read(const uint8_t *bytes, size_t len)
{
    struct mt_hcl_td_report t;
    mt_err e = mt_hcl_td_report_parse((mt_bytes){bytes, len}, &t);
    MT_ASSERT(!mt_failed(e) || is_no(e));
    return !mt_failed(e);
}

static void a_report_of_a_td_is_whole_of_its_type_and_what_its_hashes_say(void)
{
    enum { MODULE_AT = 256, MODULE_LEN = 239, TD_AT = 512, TD_LEN = 512, HASHES_AT = 32 };
    uint8_t report[MT_HCL_TD_REPORT_LEN] = {0x81};
    const mt_bytes module = {report + MODULE_AT, MODULE_LEN};
    const mt_bytes td = {report + TD_AT, TD_LEN};
    mt_sha384(&module, 1, report + HASHES_AT);
    mt_sha384(&td, 1, report + HASHES_AT + MT_SHA384_LEN);
    mt_mangle_length(td_report_is_read, report, sizeof report);
    static const uint8_t of_no_type[][4] = {{0x80}, {0x81, 1}, {0x81, 0, 2}, {0x81, 0, 0, 1}};
    for (size_t i = 0; i < 4; i++) {
        memcpy(report, of_no_type[i], 4);
        MT_ASSERT(!td_report_is_read(report, sizeof report));
    }
    memcpy(report, "\x81\0\1", 4); /* beside a service TD */
    MT_ASSERT(td_report_is_read(report, sizeof report));
    report[HASHES_AT] ^= 1;
    MT_ASSERT(!td_report_is_read(report, sizeof report));
}

/* ---- snp_certs.h */
enum { GUID_LEN = 16, ENTRY_LEN = 24 };

static mt_err table_of(uint32_t offset, uint32_t len, size_t entries, size_t cut)
{
    static struct made m;
    struct mt_snp_certs c;
    struct mt_writer *w = begin(&m);
    for (size_t i = 0; i < entries; i++) {
        mt_write_u8(w, 1);
        put_zeros(w, GUID_LEN - 1);
        mt_write_u32le(w, offset);
        mt_write_u32le(w, len);
    }
    put_zeros(w, ENTRY_LEN);
    mt_bytes all = end(&m);
    return mt_snp_certs_parse((mt_bytes){all.ptr, all.len - cut}, &c);
}

static void a_table_of_certificates_ends_and_holds_what_it_names(void)
{
    OK(table_of(0, 0, 15, 0));
    mt_err endless = table_of(0, 0, 16, 0);
    MT_ASSERT(mt_failed(endless) && endless.fault->code == MT_E_LIMIT);
    for (size_t cut = 1; cut < 2 * ENTRY_LEN; cut++) {
        MT_ASSERT(is_no(table_of(0, 0, 1, cut)));
    }
    OK(table_of(0, 2 * ENTRY_LEN, 1, 0));
    MT_ASSERT(is_no(table_of(0, 2 * ENTRY_LEN + 1, 1, 0)));
    MT_ASSERT(is_no(table_of(2 * ENTRY_LEN + 1, 0, 1, 0)));
}

/* ---- tpm_structs.h */
struct bank {
    uint16_t hash;
    uint8_t len;
};

static mt_bytes tpm_quote(struct made *m, const struct bank *banks, uint32_t count)
{
    struct mt_writer *w = begin(m);
    mt_write_u32be(w, 0xff544347);
    mt_write_u16be(w, 0x8018);
    mt_write_u16be(w, 2);
    mt_write_bytes(w, MT_LITERAL("me"));
    mt_write_u16be(w, 4);
    mt_write_bytes(w, MT_LITERAL("data"));
    put_zeros(w, 8 + 4 + 4 + 1 + 8);
    mt_write_u32be(w, count);
    for (uint32_t i = 0; i < count; i++) {
        mt_write_u16be(w, banks[i].hash);
        mt_write_u8(w, banks[i].len);
        put_zeros(w, banks[i].len);
    }
    mt_write_u16be(w, 3);
    mt_write_bytes(w, MT_LITERAL("sum"));
    return end(m);
}

static bool tpm_quote_is_read(const uint8_t *bytes, size_t len)
{
    struct mt_tpm_quote q;
    mt_err e = mt_tpm_quote_parse((mt_bytes){bytes, len}, &q);
    MT_ASSERT(!mt_failed(e) || is_no(e));
    return !mt_failed(e);
}

static bool banks_are_read(const struct bank *banks, uint32_t count)
{
    static struct made m;
    const mt_bytes quote = tpm_quote(&m, banks, count);
    return tpm_quote_is_read(quote.ptr, quote.len);
}

static void a_tpms_quote_is_whole_and_of_banks_that_there_are(void)
{
    static struct made m;
    static const struct bank all[] = {{MT_TPM_SHA1, 3},
                                      {MT_TPM_SHA256, 3},
                                      {MT_TPM_SHA384, 1},
                                      {MT_TPM_SHA512, 3},
                                      {MT_TPM_SHA512, 3}};
    static const struct bank twice[] = {{MT_TPM_SHA256, 3}, {MT_TPM_SHA256, 3}};
    const mt_bytes quote = tpm_quote(&m, all, 4);
    mt_mangle_length(tpm_quote_is_read, quote.ptr, quote.len);
    MT_ASSERT(!banks_are_read(all, 0) && !banks_are_read(all, 5) && !banks_are_read(twice, 2));
    MT_ASSERT(!banks_are_read(&(struct bank){MT_TPM_SHA256, 0}, 1));
    MT_ASSERT(!banks_are_read(&(struct bank){MT_TPM_SHA256, 4}, 1));
    MT_ASSERT(!banks_are_read(&(struct bank){MT_TPM_NULL, 3}, 1));
}

static bool tpm_signature_is_read(const uint8_t *bytes, size_t len)
{
    struct mt_tpm_signature s;
    mt_err e = mt_tpm_signature_parse((mt_bytes){bytes, len}, &s);
    MT_ASSERT(!mt_failed(e) || is_no(e));
    return !mt_failed(e);
}

static bool tpm_key_is_read(const uint8_t *bytes, size_t len)
{
    struct mt_tpm_public p;
    mt_err e = mt_tpm_public_parse((mt_bytes){bytes, len}, &p);
    MT_ASSERT(!mt_failed(e) || is_no(e));
    return !mt_failed(e);
}

/* TPMT_PUBLIC on P-256 that keeps others, with the word that is not the usual one. */
static mt_bytes tpm_key(struct made *m, uint16_t curve, uint16_t kdf)
{
    struct mt_writer *w = begin(m);
    mt_write_u16be(w, MT_TPM_ECC);
    mt_write_u16be(w, MT_TPM_SHA256);
    mt_write_u32be(w, MT_TPM_RESTRICTED | MT_TPM_DECRYPT);
    mt_write_u16be(w, 0);
    mt_write_u16be(w, MT_TPM_AES);
    mt_write_u16be(w, 128);
    mt_write_u16be(w, MT_TPM_CFB);
    mt_write_u16be(w, MT_TPM_NULL);
    mt_write_u16be(w, curve);
    mt_write_u16be(w, kdf);
    for (int i = 0; i < 2; i++) {
        mt_write_u16be(w, 32);
        put_zeros(w, 32);
    }
    return end(m);
}

static void a_tpms_signature_and_its_key_are_whole_and_of_known_kinds(void)
{
    static const uint8_t signature[] = {0, MT_TPM_ECDSA, 0, MT_TPM_SHA256, 0, 1, 5, 0, 1, 6};
    static struct made m;
    mt_mangle_length(tpm_signature_is_read, signature, sizeof signature);
    mt_bytes key = tpm_key(&m, MT_TPM_CURVE_P256, MT_TPM_NULL);
    mt_mangle_length(tpm_key_is_read, key.ptr, key.len);
    key = tpm_key(&m, 5, MT_TPM_NULL);
    MT_ASSERT(!tpm_key_is_read(key.ptr, key.len));
    key = tpm_key(&m, MT_TPM_CURVE_P256, MT_TPM_SHA256);
    MT_ASSERT(!tpm_key_is_read(key.ptr, key.len));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_bundle_is_whole_in_order_and_without_a_part_that_nobody_knows),
        MT_TEST(what_a_quote_nests_is_as_long_as_each_of_its_lengths_says),
        MT_TEST(an_hcl_report_is_as_long_as_each_of_its_lengths_says),
        MT_TEST(a_report_of_a_td_is_whole_of_its_type_and_what_its_hashes_say),
        MT_TEST(a_table_of_certificates_ends_and_holds_what_it_names),
        MT_TEST(a_tpms_quote_is_whole_and_of_banks_that_there_are),
        MT_TEST(a_tpms_signature_and_its_key_are_whole_and_of_known_kinds),
    };
    OK(mt_crypto_init(NULL, NULL));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
