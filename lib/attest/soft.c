/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/soft.h"

#include "attest/eventlog.h"
#include "attest/signed.h"
#include "base/assert.h"
#include "crypto/ct.h"
#include "wire/cbor.h"

enum { VERSION = 1 };

void mt_soft_evidence_write(struct mt_writer *w, const struct mt_key *platform, mt_bytes log,
                            const uint8_t report_data[MT_REPORT_DATA_LEN])
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
    struct mt_writer p = mt_writer_onto(&room);
    mt_bytes payload;
    mt_cbor_write_array(&p, 3);
    mt_cbor_write_uint(&p, VERSION);
    mt_cbor_write_bytes(&p, (mt_bytes){report_data, MT_REPORT_DATA_LEN});
    mt_cbor_write_bytes(&p, log);
    mt_err e = mt_write_end(&p, &payload);
    if (mt_failed(e)) {
        mt_write_err(w, e);
        return;
    }
    mt_signed_write(w, platform, MT_LABEL_SOFT_EVIDENCE, payload);
}

void mt_platform_certificate_write(struct mt_writer *w, const struct mt_key *operator_key,
                                   const mt_hash *platform, uint64_t not_before_ms,
                                   uint64_t not_after_ms)
{
    uint8_t room[80];
    mt_bytes payload;
    struct mt_writer p = mt_writer_over((mt_span){room, sizeof room});
    mt_cbor_write_array(&p, 4);
    mt_cbor_write_uint(&p, VERSION);
    mt_cbor_write_bytes(&p, mt_hash_bytes(platform));
    mt_cbor_write_uint(&p, not_before_ms);
    mt_cbor_write_uint(&p, not_after_ms);
    mt_err e = mt_write_end(&p, &payload);
    MT_ASSERT(!mt_failed(e)); /* the room above holds every certificate */
    mt_signed_write(w, operator_key, MT_LABEL_PLATFORM_CERT, payload);
}

/* Whether this endorsement is a certificate for the platform, valid now, by an operator that we
 * know. */
static bool is_certified(const struct mt_soft_input *in, mt_bytes endorsement,
                         const mt_hash *platform)
{
    mt_spki signer;
    mt_hash signer_hash;
    mt_hash subject;
    mt_bytes payload;
    uint64_t count = 0;
    uint64_t version = 0;
    uint64_t not_before_ms = 0;
    uint64_t not_after_ms = 0;
    if (mt_failed(mt_signed_parse(endorsement, MT_LABEL_PLATFORM_CERT, &signer, &payload))) {
        return false;
    }
    mt_spki_hash(&signer, &signer_hash);
    struct mt_reader r = mt_reader_over(payload);
    bool is_read = !mt_failed(mt_cbor_read_array(&r, 4, &count)) && count == 4 &&
                   !mt_failed(mt_cbor_read_uint(&r, &version)) && version == VERSION &&
                   !mt_failed(mt_cbor_read_copy(&r, (mt_span){subject.b, sizeof subject.b})) &&
                   !mt_failed(mt_cbor_read_uint(&r, &not_before_ms)) &&
                   !mt_failed(mt_cbor_read_uint(&r, &not_after_ms)) && !mt_failed(mt_read_end(&r));
    return is_read && mt_hash_equal(&subject, platform) && not_before_ms <= in->now_ms &&
           in->now_ms < not_after_ms &&
           mt_hash_is_among(&signer_hash, in->roots.operators, in->roots.operators_count);
}

bool mt_platform_is_known(const struct mt_soft_input *in, const mt_hash *platform)
{
    if (mt_hash_is_among(platform, in->roots.platforms, in->roots.platforms_count)) {
        return true;
    }
    for (size_t i = 0; i < in->endorsements_count; i++) {
        if (is_certified(in, in->endorsements[i], platform)) {
            return true;
        }
    }
    return false;
}

struct payload {
    mt_bytes report_data;
    mt_bytes log;
};

static MT_ERR parse_payload(mt_bytes in, struct payload *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct payload p;
    uint64_t count = 0;
    uint64_t version = 0;
    MT_TRY(mt_cbor_read_array(&r, 3, &count));
    MT_REQUIRE(count == 3, MT_E_FORMAT, "soft evidence has three parts");
    MT_TRY(mt_cbor_read_uint(&r, &version));
    MT_REQUIRE(version == VERSION, MT_E_FORMAT, "soft evidence of another version");
    MT_TRY(mt_cbor_read_bytes(&r, &p.report_data));
    MT_REQUIRE(p.report_data.len == MT_REPORT_DATA_LEN, MT_E_FORMAT, "report data has 64 bytes");
    MT_TRY(mt_cbor_read_bytes(&r, &p.log));
    MT_TRY(mt_read_end(&r));
    *out = p;
    return MT_OK;
}

static MT_ERR claims_of(const struct payload *p, const mt_spki *platform, struct mt_claims *out)
{
    mt_hash registers[MT_REGISTERS];
    MT_TRY(mt_eventlog_replay(p->log, registers));
    *out = (struct mt_claims){
        .kind = MT_EVIDENCE_SOFT,
        .level = MT_LEVEL_SOFT,
        .has_host_in_tcb = true,
        .measurement = registers[MT_REGISTER_CODE],
        .configuration = registers[MT_REGISTER_CONFIGURATION],
        .kernel = registers[MT_REGISTER_KERNEL],
    };
    mt_spki_hash(platform, &out->platform);
    return MT_OK;
}

MT_ERR mt_soft_verify(const struct mt_soft_input *in, const uint8_t report_data[MT_REPORT_DATA_LEN],
                      struct mt_claims *out, struct mt_trace *trace)
{
    mt_spki platform;
    mt_bytes bytes;
    struct payload p = {.log = {NULL, 0}};
    struct mt_claims claims;
    mt_err e = mt_signed_parse(in->evidence, MT_LABEL_SOFT_EVIDENCE, &platform, &bytes);
    MT_CHECK(trace, !mt_failed(e), MT_E_PROOF, "evidence-signature",
             "the evidence is well formed and signed by the key that it carries",
             "the evidence was damaged or made by something else: fetch it again, and do not trust "
             "whoever sent it");
    e = parse_payload(bytes, &p);
    MT_CHECK(trace, !mt_failed(e), MT_E_FORMAT, "evidence-format",
             "what was signed is soft evidence of version 1",
             "use a verifier of the same release as the node");
    e = claims_of(&p, &platform, &claims);
    MT_CHECK(trace, !mt_failed(e), MT_E_PROOF, "measurement-log",
             "the measurement log is whole and its events are what their digests say",
             "the node's log is broken: do not trust it");
    MT_CHECK(trace, mt_ct_equal(p.report_data, (mt_bytes){report_data, MT_REPORT_DATA_LEN}),
             MT_E_PROOF, "report-data",
             "the evidence was made for this very connection or key, and for nothing else",
             "evidence of another connection was shown: replayed, relayed or reflected; do not "
             "trust whoever sent it");
    MT_CHECK(trace, mt_platform_is_known(in, &claims.platform), MT_E_PROOF, "platform-unknown",
             "the platform key is known, or certified by an operator who is",
             "if this machine is yours, add its platform key to your appraisal policy: mesatee "
             "policy new --platform HASH");
    *out = claims;
    return MT_OK;
}

MT_ERR mt_soft_evidence_show(mt_bytes evidence, struct mt_claims *out)
{
    mt_spki platform;
    mt_bytes bytes;
    struct payload p;
    MT_TRY(mt_signed_parse(evidence, MT_LABEL_SOFT_EVIDENCE, &platform, &bytes));
    MT_TRY(parse_payload(bytes, &p));
    MT_TRY(claims_of(&p, &platform, out));
    mt_claim_bytes(out, "report_data", p.report_data);
    return MT_OK;
}
