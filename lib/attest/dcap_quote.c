/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/dcap_quote.h"

#include "base/assert.h"

enum {
    SGX_LEN = 384,
    TD10_LEN = 584,
    TD15_LEN = 648,
    TD15_EX_LEN = 885,
    KEY_ECDSA_P256 = 2,
    KEY_ECDSA_P384 = 3,
    TEE_SGX = 0,
    TEE_TDX = 0x81,
    CERT_QE_REPORT = 6, /* versions 4 and 5: the rest is nested in it */
};

static const uint8_t intel_qe[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                     0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

static MT_ERR skip(struct mt_reader *r, size_t len)
{
    mt_bytes skipped;
    return mt_read_bytes(r, len, &skipped);
}

/* A report, as long as length_of() says. */
static void read_sgx(mt_bytes in, struct mt_sgx_report *s)
{
    struct mt_reader r = mt_reader_over(in);
    s->cpu_svn = mt_take_bytes(&r, 16);
    s->misc_select = mt_take_bytes(&r, 4);
    (void)mt_take_bytes(&r, 28);
    s->attributes = mt_take_bytes(&r, 16);
    s->mr_enclave = mt_take_bytes(&r, 32);
    (void)mt_take_bytes(&r, 32);
    s->mr_signer = mt_take_bytes(&r, 32);
    (void)mt_take_bytes(&r, 96);
    s->isv_prod_id = mt_take_u16le(&r);
    s->isv_svn = mt_take_u16le(&r);
    (void)mt_take_bytes(&r, 60);
    s->report_data = mt_take_bytes(&r, 64);
    MT_ASSERT(r.rest.len == 0);
}

static void read_td(mt_bytes in, enum mt_dcap_body body, struct mt_td_report *t)
{
    struct mt_reader r = mt_reader_over(in);
    t->tee_tcb_svn = mt_take_bytes(&r, 16);
    t->mr_seam = mt_take_bytes(&r, 48);
    t->mr_signer_seam = mt_take_bytes(&r, 48);
    t->seam_attributes = mt_take_bytes(&r, 8);
    t->td_attributes = mt_take_bytes(&r, 8);
    t->xfam = mt_take_bytes(&r, 8);
    t->mr_td = mt_take_bytes(&r, 48);
    t->mr_config_id = mt_take_bytes(&r, 48);
    t->mr_owner = mt_take_bytes(&r, 48);
    t->mr_owner_config = mt_take_bytes(&r, 48);
    for (size_t i = 0; i < 4; i++) {
        t->rtmr[i] = mt_take_bytes(&r, 48);
    }
    t->report_data = mt_take_bytes(&r, 64);
    if (body != MT_DCAP_TD10) {
        t->tee_tcb_svn2 = mt_take_bytes(&r, 16);
        t->mr_service_td = mt_take_bytes(&r, 48);
    }
    MT_ASSERT(r.rest.len == 0 || body == MT_DCAP_TD15_EX); /* of 1.5Ex the rest says no more */
}

static size_t length_of(enum mt_dcap_body body)
{
    static const size_t lengths[] = {[MT_DCAP_SGX] = SGX_LEN,
                                     [MT_DCAP_TD10] = TD10_LEN,
                                     [MT_DCAP_TD15] = TD15_LEN,
                                     [MT_DCAP_TD15_EX] = TD15_EX_LEN};
    return lengths[body];
}

static MT_ERR read_header(struct mt_reader *r, struct mt_dcap_quote *q)
{
    mt_bytes vendor;
    uint16_t key_type = 0;
    uint32_t tee = 0;
    MT_TRY(mt_read_u16le(r, &q->version));
    MT_TRY(mt_read_u16le(r, &key_type));
    MT_TRY(mt_read_u32le(r, &tee));
    MT_TRY(skip(r, 4)); /* QE and PCE versions, not to be relied upon */
    MT_TRY(mt_read_bytes(r, sizeof intel_qe, &vendor));
    MT_TRY(skip(r, 20));
    MT_REQUIRE(q->version >= 3 && q->version <= 5, MT_E_FORMAT, "a quote of an unknown version");
    MT_REQUIRE(key_type != KEY_ECDSA_P384, MT_E_FORMAT,
               "a quote by a key on P-384, which the format names and no quoting enclave has");
    MT_REQUIRE(key_type == KEY_ECDSA_P256, MT_E_FORMAT, "a quote by a key of an unknown kind");
    MT_REQUIRE(tee == TEE_SGX || (tee == TEE_TDX && q->version > 3), MT_E_FORMAT,
               "a quote of an unknown kind of TEE");
    MT_REQUIRE(mt_bytes_equal(vendor, MT_BYTES_OF(intel_qe)), MT_E_FORMAT,
               "a quote by another vendor's quoting enclave");
    q->body = tee == TEE_SGX ? MT_DCAP_SGX : MT_DCAP_TD10;
    return MT_OK;
}

static MT_ERR read_body(struct mt_reader *r, struct mt_dcap_quote *q)
{
    mt_bytes body;
    if (q->version == 5) {
        uint16_t type = 0;
        uint32_t len = 0;
        bool is_td = q->body != MT_DCAP_SGX;
        MT_TRY(mt_read_u16le(r, &type));
        MT_TRY(mt_read_u32le(r, &len));
        MT_REQUIRE(type >= MT_DCAP_SGX && type <= MT_DCAP_TD15_EX, MT_E_FORMAT,
                   "a quote with an unknown body");
        q->body = (enum mt_dcap_body)type;
        MT_REQUIRE((q->body != MT_DCAP_SGX) == is_td && len == length_of(q->body), MT_E_FORMAT,
                   "a quote whose body is not what its head says");
    }
    MT_TRY(mt_read_bytes(r, length_of(q->body), &body));
    if (q->body == MT_DCAP_SGX) {
        read_sgx(body, &q->sgx);
    } else {
        read_td(body, q->body, &q->td);
    }
    return MT_OK;
}

static MT_ERR read_certification(struct mt_reader *r, struct mt_dcap_quote *q)
{
    uint16_t auth_len = 0;
    uint32_t len = 0;
    MT_TRY(mt_read_bytes(r, SGX_LEN, &q->qe_report_bytes));
    read_sgx(q->qe_report_bytes, &q->qe_report);
    MT_TRY(mt_read_bytes(r, 64, &q->qe_report_signature));
    MT_TRY(mt_read_u16le(r, &auth_len));
    MT_TRY(mt_read_bytes(r, auth_len, &q->qe_auth_data));
    MT_TRY(mt_read_u16le(r, &q->cert_type));
    MT_TRY(mt_read_u32le(r, &len));
    MT_TRY(mt_read_bytes(r, len, &q->cert_data));
    return mt_read_end(r);
}

static MT_ERR read_auth(mt_bytes auth, struct mt_dcap_quote *q)
{
    uint16_t type = 0;
    uint32_t len = 0;
    mt_bytes nested;
    struct mt_reader r = mt_reader_over(auth);
    MT_TRY(mt_read_bytes(&r, 64, &q->signature));
    MT_TRY(mt_read_bytes(&r, 64, &q->attestation_key));
    if (q->version == 3) {
        return read_certification(&r, q);
    }
    MT_TRY(mt_read_u16le(&r, &type));
    MT_REQUIRE(type == CERT_QE_REPORT, MT_E_FORMAT, "a quote without a report of its enclave");
    MT_TRY(mt_read_u32le(&r, &len));
    MT_TRY(mt_read_bytes(&r, len, &nested));
    MT_TRY(mt_read_end(&r));
    struct mt_reader inner = mt_reader_over(nested);
    return read_certification(&inner, q);
}

MT_ERR mt_dcap_quote_parse(mt_bytes in, struct mt_dcap_quote *out)
{
    struct mt_dcap_quote q = {.version = 0};
    struct mt_reader r = mt_reader_over(in);
    uint32_t auth_len = 0;
    mt_bytes auth;
    MT_TRY(read_header(&r, &q));
    MT_TRY(read_body(&r, &q));
    q.signed_bytes = (mt_bytes){in.ptr, in.len - r.rest.len};
    MT_TRY(mt_read_u32le(&r, &auth_len));
    MT_TRY(mt_read_bytes(&r, auth_len, &auth));
    MT_TRY(read_auth(auth, &q));
    *out = q;
    return MT_OK;
}
