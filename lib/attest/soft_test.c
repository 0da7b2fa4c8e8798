/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/soft.h"

#include "attest/world_test.h"
#include "unit/mangle.h"
#include "unit/scarce.h"

enum { VERSION = 1, PARTS = 3 };

static const uint8_t asked[MT_REPORT_DATA_LEN] = {0xda, 0x7a};
static struct mt_trace trace;
static struct mt_claims claims;

/* Verified by someone who knows this platform and this operator. */
static mt_err verify_by(mt_bytes evidence, const mt_bytes *endorsements, size_t count,
                        const uint8_t report_data[MT_REPORT_DATA_LEN])
{
    const mt_hash platform = subject_of(PLATFORM);
    const mt_hash operators[] = {subject_of(OWNER), subject_of(OPERATOR)};
    const struct mt_soft_input in = {.evidence = evidence,
                                     .endorsements = endorsements,
                                     .endorsements_count = count,
                                     .roots = {&platform, 1, operators, 2},
                                     .now_ms = NOW_MS};
    trace.count = 0;
    memset(&claims, 0, sizeof claims);
    return mt_soft_verify(&in, report_data, &claims, &trace);
}

static mt_err verify(mt_bytes evidence)
{
    return verify_by(evidence, NULL, 0, asked);
}

static void genuine_evidence_gives_claims_of_level_2(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    const mt_hash measurement = world_measurement();
    const mt_hash configuration = world_configuration();
    const mt_hash platform = subject_of(PLATFORM);
    struct mt_claims shown;
    mt_bytes evidence = world_evidence(&room, PLATFORM, asked);
    OK(verify(evidence));
    MT_ASSERT(mt_trace_failed(&trace) == NULL && trace.count == 5);
    MT_ASSERT(claims.level == MT_LEVEL_SOFT);
    MT_ASSERT(!claims.has_hardware_root);
    MT_ASSERT(claims.has_host_in_tcb);
    MT_ASSERT(mt_hash_equal(&claims.measurement, &measurement));
    MT_ASSERT(mt_hash_equal(&claims.configuration, &configuration));
    MT_ASSERT(mt_hash_equal(&claims.platform, &platform));
    OK(mt_soft_evidence_show(evidence, &shown));
    MT_ASSERT(mt_hash_equal(&claims.kernel, &shown.kernel));
}

static bool is_good(const uint8_t *bytes, size_t len)
{
    bool has_failed = mt_failed(verify((mt_bytes){bytes, len}));
    MT_ASSERT(has_failed == (mt_trace_failed(&trace) != NULL));
    MT_ASSERT(has_failed == (claims.level == 0));
    return !has_failed;
}

static void every_truncation_and_every_flipped_bit_of_evidence_is_refused(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    mt_bytes evidence = world_evidence(&room, PLATFORM, asked);
    mt_mangle_length(is_good, evidence.ptr, evidence.len);
    MT_ASSERT(mt_mangle_some_bits(is_good, evidence.ptr, evidence.len, step) == 0);
}

static void report_data_one_bit_off_is_refused_in_each_of_its_64_bytes(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    mt_bytes evidence = world_evidence(&room, PLATFORM, asked);
    for (size_t bit = 0; bit < 8 * sizeof asked; bit += bit % 8 == 7 ? 1 : 7) {
        uint8_t other[MT_REPORT_DATA_LEN];
        memcpy(other, asked, sizeof other);
        other[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        MT_ASSERT(
            is_refused(verify_by(evidence, NULL, 0, other), MT_E_PROOF, &trace, "report-data"));
    }
}

static void a_fresh_platform_key_with_the_same_binary_is_refused(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    mt_bytes evidence = world_evidence(&room, FRESH_PLATFORM, asked);
    MT_ASSERT(is_refused(verify(evidence), MT_E_PROOF, &trace, "platform-unknown"));
}

static mt_bytes certificate(struct mt_buf *room, enum party by, enum party platform,
                            const uint64_t validity_ms[2])
{
    const mt_hash subject = subject_of(platform);
    struct mt_writer w = mt_writer_onto(room);
    mt_platform_certificate_write(&w, keys[by], &subject, validity_ms[0], validity_ms[1]);
    return written(&w);
}

static const uint64_t today[2] = {NOW_MS - HOUR_MS, NOW_MS + HOUR_MS};

/* The fresh platform's evidence with this certificate beside it. */
static mt_err certified(mt_bytes endorsement)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    return verify_by(world_evidence(&room, FRESH_PLATFORM, asked), &endorsement, 1, asked);
}

static void a_platform_that_its_operator_certified_is_known(void)
{
    static const uint64_t from_now[2] = {NOW_MS, NOW_MS + 1};
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(1024);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(1024);
    OK(certified(certificate(&a, OPERATOR, FRESH_PLATFORM, today)));
    OK(certified(certificate(&b, OPERATOR, FRESH_PLATFORM, from_now)));
}

static void a_certificate_by_another_operator_is_none(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(1024);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(1024);
    mt_err e = certified(certificate(&a, OTHER_OPERATOR, FRESH_PLATFORM, today));
    MT_ASSERT(is_refused(e, MT_E_PROOF, &trace, "platform-unknown"));
    e = certified(certificate(&b, FRESH_PLATFORM, FRESH_PLATFORM, today)); /* by itself */
    MT_ASSERT(is_refused(e, MT_E_PROOF, &trace, "platform-unknown"));
}

static void an_expired_certificate_and_an_early_one_are_none(void)
{
    static const uint64_t past[2] = {NOW_MS - HOUR_MS, NOW_MS};
    static const uint64_t future[2] = {NOW_MS + 1, NOW_MS + HOUR_MS};
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(1024);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(1024);
    mt_err e = certified(certificate(&a, OPERATOR, FRESH_PLATFORM, past));
    MT_ASSERT(is_refused(e, MT_E_PROOF, &trace, "platform-unknown"));
    e = certified(certificate(&b, OPERATOR, FRESH_PLATFORM, future));
    MT_ASSERT(is_refused(e, MT_E_PROOF, &trace, "platform-unknown"));
}

static void a_certificate_for_another_platform_is_none(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(1024);
    mt_err e = certified(certificate(&room, OPERATOR, STRANGER, today));
    MT_ASSERT(is_refused(e, MT_E_PROOF, &trace, "platform-unknown"));
}

static void a_certificate_among_others_is_found(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    MT_DEFER(mt_buf_free) struct mt_buf a = mt_buf_of_max(1024);
    MT_DEFER(mt_buf_free) struct mt_buf b = mt_buf_of_max(1024);
    const mt_bytes all[] = {MT_LITERAL("noise"), certificate(&a, STRANGER, FRESH_PLATFORM, today),
                            certificate(&b, OPERATOR, FRESH_PLATFORM, today)};
    mt_bytes evidence = world_evidence(&room, FRESH_PLATFORM, asked);
    OK(verify_by(evidence, all, 3, asked));
    MT_ASSERT(mt_failed(verify_by(evidence, all, 2, asked)));
}

/* What a certificate says: [version, platform, not before, not after], so that each can be wrong.
 */
static mt_bytes certificate_says(struct mt_writer *w, uint64_t count, uint64_t version,
                                 mt_bytes platform)
{
    mt_cbor_write_array(w, count);
    mt_cbor_write_uint(w, version);
    mt_cbor_write_bytes(w, platform);
    mt_cbor_write_uint(w, today[0]);
    mt_cbor_write_uint(w, today[1]);
    return written(w);
}

static mt_err certified_by_hand(mt_bytes payload, enum mt_label label)
{
    MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(1024);
    return certified(statement(&out, OPERATOR, label, payload));
}

static void a_certificate_of_another_form_is_none(void)
{
    static const struct {
        uint64_t count;
        uint64_t version;
        size_t hash_len;
    } wrong[] = {{3, VERSION, 32}, {5, VERSION, 32}, {4, 2, 32}, {4, VERSION, 31}};
    const mt_hash subject = subject_of(FRESH_PLATFORM);
    uint8_t room[128];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
        mt_bytes says = certificate_says(&w, wrong[i].count, wrong[i].version,
                                         (mt_bytes){subject.b, wrong[i].hash_len});
        mt_err e = certified_by_hand(says, MT_LABEL_PLATFORM_CERT);
        MT_ASSERT(is_refused(e, MT_E_PROOF, &trace, "platform-unknown"));
    }
}

static void a_certificate_is_read_whole_and_for_its_own_purpose(void)
{
    const mt_hash subject = subject_of(FRESH_PLATFORM);
    uint8_t room[128] = {0};
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_bytes says = certificate_says(&w, 4, VERSION, mt_hash_bytes(&subject));
    OK(certified_by_hand(says, MT_LABEL_PLATFORM_CERT));
    MT_ASSERT(mt_failed(certified_by_hand(says, MT_LABEL_APPROVAL)));
    for (size_t len = 0; len <= says.len + 1; len++) { /* and one byte more */
        mt_err e = certified_by_hand((mt_bytes){room, len}, MT_LABEL_PLATFORM_CERT);
        MT_ASSERT(mt_failed(e) == (len != says.len));
    }
}

static bool is_certified(const uint8_t *bytes, size_t len)
{
    return !mt_failed(certified((mt_bytes){bytes, len}));
}

static void a_damaged_certificate_is_none(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(1024);
    mt_bytes c = certificate(&room, OPERATOR, FRESH_PLATFORM, today);
    for (size_t i = 0; i < c.len; i += 3) {
        MT_ASSERT(!is_certified(c.ptr, i));
        room.ptr[i] ^= 4;
        MT_ASSERT(!is_certified(c.ptr, c.len));
        room.ptr[i] ^= 4;
    }
    MT_ASSERT(is_certified(c.ptr, c.len));
}

/* What the platform signed, field by field. */
static mt_err says_by_hand(uint64_t count, uint64_t version, size_t report_len, mt_bytes log)
{
    uint8_t room[1024];
    MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(2048);
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_claims shown;
    mt_cbor_write_array(&w, count);
    mt_cbor_write_uint(&w, version);
    mt_cbor_write_bytes(&w, (mt_bytes){asked, report_len});
    mt_cbor_write_bytes(&w, log);
    if (count > PARTS) {
        mt_cbor_write_uint(&w, 0);
    }
    mt_bytes s = statement(&out, PLATFORM, MT_LABEL_SOFT_EVIDENCE, written(&w));
    mt_err e = verify(s);
    MT_ASSERT(mt_failed(mt_soft_evidence_show(s, &shown)) == mt_failed(e));
    return e;
}

static void evidence_of_another_form_is_refused(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    mt_bytes log = world_log(&room);
    OK(says_by_hand(PARTS, VERSION, sizeof asked, log));
    MT_ASSERT(
        is_refused(says_by_hand(4, VERSION, 64, log), MT_E_FORMAT, &trace, "evidence-format"));
    MT_ASSERT(
        is_refused(says_by_hand(2, VERSION, 64, log), MT_E_FORMAT, &trace, "evidence-format"));
    MT_ASSERT(is_refused(says_by_hand(PARTS, 2, 64, log), MT_E_FORMAT, &trace, "evidence-format"));
    MT_ASSERT(
        is_refused(says_by_hand(PARTS, VERSION, 63, log), MT_E_FORMAT, &trace, "evidence-format"));
}

static bool is_cut_off(mt_bytes payload)
{
    MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(4096);
    mt_err e = verify(statement(&out, PLATFORM, MT_LABEL_SOFT_EVIDENCE, payload));
    MT_ASSERT(!mt_failed(e) || is_refused(e, MT_E_FORMAT, &trace, "evidence-format"));
    return mt_failed(e);
}

static void what_was_signed_is_read_whole(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    mt_spki signer;
    mt_bytes payload;
    OK(mt_signed_parse(world_evidence(&room, PLATFORM, asked), MT_LABEL_SOFT_EVIDENCE, &signer,
                       &payload));
    for (size_t len = 0; len < payload.len; len += len < 3 ? 1 : step) {
        MT_ASSERT(is_cut_off((mt_bytes){payload.ptr, len}));
    }
    MT_ASSERT(!is_cut_off(payload));
    MT_ASSERT(is_cut_off((mt_bytes){payload.ptr, payload.len + 1})); /* nor is more than all */
}

static void a_broken_measurement_log_is_refused(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    mt_bytes log = world_log(&room);
    room.ptr[log.len - 1] ^= 1;
    MT_ASSERT(
        is_refused(says_by_hand(PARTS, VERSION, 64, log), MT_E_PROOF, &trace, "measurement-log"));
    MT_ASSERT(is_refused(says_by_hand(PARTS, VERSION, 64, MT_LITERAL("")), MT_E_PROOF, &trace,
                         "measurement-log"));
}

static void what_the_platform_signed_for_another_purpose_is_no_evidence(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(4096);
    mt_spki signer;
    mt_bytes payload;
    struct mt_claims shown;
    mt_bytes good = world_evidence(&room, PLATFORM, asked);
    OK(mt_signed_parse(good, MT_LABEL_SOFT_EVIDENCE, &signer, &payload));
    mt_bytes other = statement(&out, PLATFORM, MT_LABEL_APPROVAL, payload);
    MT_ASSERT(is_refused(verify(other), MT_E_PROOF, &trace, "evidence-signature"));
    MT_ASSERT(is_code(mt_soft_evidence_show(other, &shown), MT_E_PROOF));
}

static void what_is_too_long_for_evidence_is_not_written(void)
{
    static uint8_t log[MT_EVIDENCE_BYTES_MAX];
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(2 * MT_EVIDENCE_BYTES_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    mt_bytes out;
    mt_soft_evidence_write(&w, keys[PLATFORM], MT_BYTES_OF(log), asked);
    MT_ASSERT(is_code(mt_write_end(&w, &out), MT_E_LIMIT));
}

static void in_scarcity_of_memory_no_evidence_is_believed(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    mt_bytes evidence = world_evidence(&room, FRESH_PLATFORM, asked);
    MT_DEFER(mt_buf_free) struct mt_buf other = mt_buf_of_max(4096);
    mt_bytes good = world_evidence(&other, PLATFORM, asked);
    bool was_reached = true;
    for (size_t n = 1; was_reached; n++) {
        scarce_in = n;
        MT_ASSERT(mt_failed(verify(evidence)));
        was_reached = scarce_end();
        scarce_in = n;
        bool has_failed = mt_failed(verify(good));
        MT_ASSERT(has_failed == (mt_trace_failed(&trace) != NULL));
        MT_ASSERT(scarce_end() || !has_failed);
    }
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(genuine_evidence_gives_claims_of_level_2),
        MT_TEST(every_truncation_and_every_flipped_bit_of_evidence_is_refused),
        MT_TEST(report_data_one_bit_off_is_refused_in_each_of_its_64_bytes),
        MT_TEST(a_fresh_platform_key_with_the_same_binary_is_refused),
        MT_TEST(a_platform_that_its_operator_certified_is_known),
        MT_TEST(a_certificate_by_another_operator_is_none),
        MT_TEST(an_expired_certificate_and_an_early_one_are_none),
        MT_TEST(a_certificate_for_another_platform_is_none),
        MT_TEST(a_certificate_among_others_is_found),
        MT_TEST(a_certificate_of_another_form_is_none),
        MT_TEST(a_certificate_is_read_whole_and_for_its_own_purpose),
        MT_TEST(a_damaged_certificate_is_none),
        MT_TEST(evidence_of_another_form_is_refused),
        MT_TEST(what_was_signed_is_read_whole),
        MT_TEST(a_broken_measurement_log_is_refused),
        MT_TEST(what_the_platform_signed_for_another_purpose_is_no_evidence),
        MT_TEST(what_is_too_long_for_evidence_is_not_written),
        MT_TEST(in_scarcity_of_memory_no_evidence_is_believed),
    };
    world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
