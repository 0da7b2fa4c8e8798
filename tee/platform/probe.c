/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/dcap_quote.h"
#include "attest/snp_certs.h"
#include "attest/snp_report.h"
#include "platform/makers.h"

static MT_ERR check_asked(mt_bytes got, const uint8_t asked[MT_REPORT_DATA_LEN])
{
    MT_REQUIRE(mt_bytes_equal(got, (mt_bytes){asked, MT_REPORT_DATA_LEN}), MT_E_PROOF,
               "evidence is about other bytes than those that were asked for");
    return MT_OK;
}

MT_ERR mt_device_take_snp(mt_bytes report, mt_bytes certs,
                          const uint8_t report_data[MT_REPORT_DATA_LEN],
                          struct mt_device_evidence *out)
{
    struct mt_snp_report r;
    struct mt_snp_certs c = {{NULL, 0}, {NULL, 0}};
    MT_TRY(mt_snp_report_parse(report, &r));
    MT_TRY(check_asked(r.report_data, report_data));
    if (mt_failed(mt_snp_certs_parse(certs, &c))) {
        c = (struct mt_snp_certs){{NULL, 0}, {NULL, 0}};
    }
    const mt_bytes vek = r.key == MT_SNP_VLEK ? c.vlek : c.vcek;
    MT_TRY(mt_buf_append(&out->quote, report));
    MT_TRY(mt_buf_append(&out->vek, vek));
    out->kind = MT_EVIDENCE_SNP;
    return MT_OK;
}

MT_ERR mt_device_take_quote(enum mt_evidence_kind kind, mt_bytes quote,
                            const uint8_t report_data[MT_REPORT_DATA_LEN],
                            struct mt_device_evidence *out)
{
    struct mt_dcap_quote q;
    MT_TRY(mt_dcap_quote_parse(quote, &q));
    bool is_sgx = q.body == MT_DCAP_SGX;
    MT_REQUIRE(is_sgx == (kind == MT_EVIDENCE_SGX), MT_E_FORMAT,
               "a quote is of another technology than the device that gave it");
    MT_TRY(check_asked(is_sgx ? q.sgx.report_data : q.td.report_data, report_data));
    MT_TRY(mt_buf_append(&out->quote, quote));
    out->kind = kind;
    return MT_OK;
}

MT_ERR mt_device_probe(struct mt_device_io *io, struct mt_device **out)
{
    typedef mt_err maker(struct mt_device_io *, struct mt_device **);
    static maker *const makers[] = {mt_gramine_new, mt_sev_guest_new, mt_tsm_new};
    mt_err why = MT_OK;
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        MT_DEFER(mt_device_close) struct mt_device *d = NULL;
        mt_err e = makers[i](io, &d);
        bool is_missing = mt_failed(e) && e.fault->code == MT_E_NOTFOUND;
        e = mt_failed(e) ? e : mt_device_check(d);
        if (!mt_failed(e)) {
            *out = d;
            d = NULL; /* given */
            return MT_OK;
        }
        why = mt_failed(why) || is_missing ? why : e;
    }
    MT_REQUIRE(mt_failed(why), MT_E_NOTFOUND, "this machine has no device that shows evidence");
    return why;
}
