/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What an independent program made from the words of spec/ (tests/vectors/trust_formats.py and
 * wire_formats.py) is genuine here: evidence, certificates, policies, lists, approvals, and a
 * receipt that stands on all of them. */
#include "attest/receipt.h"
#include "attest/world_test.h"
#include "vectors/attest_round.h"
#include "vectors/trust_formats.h"
#include "vectors/wire_formats.h"
#include "wire/run.h"
#include "wire/task.h"

enum { BYTES_MAX = 4096 };
static const uint64_t now_ms = 1750000000000;

struct room {
    uint8_t b[BYTES_MAX];
};

static mt_bytes bytes_of(mt_bytes hex, struct room *room)
{
    MT_ASSERT(hex.len / 2 <= BYTES_MAX);
    OK(mt_hex_parse(hex, (mt_span){room->b, hex.len / 2}));
    return (mt_bytes){room->b, hex.len / 2};
}

static mt_hash hash_of(const char *hex)
{
    mt_hash h;
    OK(mt_hex_parse(mt_bytes_of_text(hex), (mt_span){h.b, sizeof h.b}));
    return h;
}

static void the_log_comes_back_and_its_registers_are_those_of_the_page(void)
{
    static struct mt_eventlog log;
    struct room room;
    struct room again;
    const mt_hash want[] = {hash_of(MT_VECTOR_MEASUREMENT), hash_of(MT_VECTOR_CONFIGURATION),
                            hash_of(MT_VECTOR_KERNEL)};
    mt_bytes in = bytes_of(MT_LITERAL(MT_VECTOR_LOG), &room);
    mt_bytes out;
    struct mt_writer w = mt_writer_over((mt_span){again.b, sizeof again.b});
    MT_ASSERT(!mt_failed(mt_eventlog_parse(in, &log)) && log.count == 4);
    mt_eventlog_head_write(&w);
    for (size_t i = 0; i < log.count; i++) {
        mt_event_write(&w, &log.events[i]);
    }
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)) && mt_bytes_equal(in, out));
    for (size_t i = 0; i < MT_REGISTERS; i++) {
        MT_ASSERT(mt_hash_equal(&log.registers[i], &want[i]));
    }
}

struct policy {
    struct room file;
    struct mt_policy p;
};

/* The policy of a file, whose text is this. */
static const struct mt_policy *policy_of(mt_bytes file_hex, mt_bytes text_hex, struct policy *out)
{
    struct room wanted;
    struct room again;
    mt_spki signer;
    mt_bytes text;
    struct mt_writer w = mt_writer_over((mt_span){again.b, sizeof again.b});
    OK(mt_policy_file_parse(bytes_of(file_hex, &out->file), &signer, &out->p));
    mt_policy_write(&w, &out->p);
    OK(mt_write_end(&w, &text));
    MT_ASSERT(mt_bytes_equal(text, bytes_of(text_hex, &wanted)));
    return &out->p;
}

static const struct mt_policy *pinned(void)
{
    static struct policy policy;
    return policy_of(MT_LITERAL(MT_VECTOR_POLICY_PINNED_FILE), MT_LITERAL(MT_VECTOR_POLICY_PINNED),
                     &policy);
}

static const struct mt_policy *audited(void)
{
    static struct policy policy;
    return policy_of(MT_LITERAL(MT_VECTOR_POLICY_AUDITED_FILE),
                     MT_LITERAL(MT_VECTOR_POLICY_AUDITED), &policy);
}

static mt_err appraise(const struct mt_appraiser *a, const mt_bytes *certificate,
                       struct mt_appraisal *out)
{
    static struct room evidence;
    uint8_t report_data[MT_REPORT_DATA_LEN];
    const struct mt_shown shown = {
        .format = MT_LITERAL("soft"),
        .evidence = bytes_of(MT_LITERAL(MT_VECTOR_EVIDENCE_CHANNEL), &evidence),
        .endorsements = certificate,
        .endorsements_count = certificate == NULL ? 0 : 1,
    };
    memset(out, 0, sizeof *out);
    OK(mt_hex_parse(MT_LITERAL(MT_VECTOR_BINDER_SERVER),
                    (mt_span){report_data, sizeof report_data}));
    return mt_appraise_evidence(a, &shown, report_data, now_ms, out);
}

static void evidence_of_a_pinned_platform_is_accepted(void)
{
    static struct mt_appraisal got;
    const struct mt_appraiser a = {pinned(), {NULL, 0}};
    const mt_hash platform = hash_of(MT_VECTOR_PLATFORM);
    const mt_hash measurement = hash_of(MT_VECTOR_MEASUREMENT);
    OK(appraise(&a, NULL, &got));
    MT_ASSERT(got.claims.level == MT_LEVEL_SOFT && got.claims.has_host_in_tcb);
    MT_ASSERT(!got.claims.has_hardware_root && mt_hash_equal(&got.claims.platform, &platform));
    MT_ASSERT(mt_hash_equal(&got.claims.measurement, &measurement));
}

static void a_certificate_and_two_auditors_are_accepted_too(void)
{
    static struct mt_appraisal got;
    struct room list;
    struct room room;
    const struct mt_appraiser a = {audited(), bytes_of(MT_LITERAL(MT_VECTOR_LIST_OF_TWO), &list)};
    mt_bytes certificate = bytes_of(MT_LITERAL(MT_VECTOR_CERTIFICATE), &room);
    OK(appraise(&a, &certificate, &got));
    certificate = bytes_of(MT_LITERAL(MT_VECTOR_CERTIFICATE_PAST), &room);
    mt_err e = appraise(&a, &certificate, &got);
    MT_ASSERT(is_refused(e, MT_E_PROOF, &got.trace, "platform-unknown"));
}

static void one_auditor_who_signs_twice_counts_once(void)
{
    static struct mt_appraisal got;
    struct room list;
    struct room room;
    const struct mt_appraiser a = {audited(), bytes_of(MT_LITERAL(MT_VECTOR_LIST_OF_ONE), &list)};
    const mt_bytes certificate = bytes_of(MT_LITERAL(MT_VECTOR_CERTIFICATE), &room);
    mt_err e = appraise(&a, &certificate, &got);
    MT_ASSERT(is_refused(e, MT_E_PROOF, &got.trace, "auditors-quorum"));
}

static void approvals_are_signed_by_the_owners_whom_the_task_names(void)
{
    static struct mt_task t;
    struct room room;
    struct room approvals[2];
    const mt_bytes statements[] = {bytes_of(MT_LITERAL(MT_VECTOR_APPROVAL), &approvals[0]),
                                   bytes_of(MT_LITERAL(MT_VECTOR_APPROVAL_B), &approvals[1])};
    const mt_hash digest = hash_of(MT_VECTOR_TASK_DIGEST);
    OK(mt_task_parse(bytes_of(MT_LITERAL(MT_VECTOR_TASK), &room), &t));
    for (size_t i = 0; i < 2; i++) {
        mt_spki signer;
        mt_hash who;
        mt_bytes payload;
        OK(mt_signed_parse(statements[i], MT_LABEL_APPROVAL, &signer, &payload));
        mt_spki_hash(&signer, &who);
        MT_ASSERT(mt_hash_equal(&who, &t.inputs[i].owner));
        MT_ASSERT(mt_bytes_equal(payload, mt_hash_bytes(&digest)));
        MT_ASSERT(mt_failed(mt_signed_parse(statements[i], MT_LABEL_POLICY, &signer, &payload)));
    }
}

static void the_receipt_verifies_by_either_policy(void)
{
    static struct mt_receipt r;
    static struct mt_receipt_facts facts;
    struct room list;
    struct room room;
    const mt_hash root = hash_of(MT_VECTOR_ROOT);
    OK(mt_receipt_parse(bytes_of(MT_LITERAL(MT_VECTOR_RECEIPT), &room), &r));
    const struct mt_appraiser first = {pinned(), {NULL, 0}};
    OK(mt_receipt_verify(&r, &first, now_ms, &facts));
    MT_ASSERT(mt_hash_equal(&facts.root, &root));
    const struct mt_appraiser second = {audited(),
                                        bytes_of(MT_LITERAL(MT_VECTOR_LIST_OF_TWO), &list)};
    memset(&facts, 0, sizeof facts);
    OK(mt_receipt_verify(&r, &second, now_ms, &facts));
    memset(&facts, 0, sizeof facts);
    r.entry.nonce.b[0] ^= 1;
    mt_err e = mt_receipt_verify(&r, &first, now_ms, &facts);
    MT_ASSERT(is_refused(e, MT_E_PROOF, &facts.appraisal.trace, "receipt-signature"));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(the_log_comes_back_and_its_registers_are_those_of_the_page),
        MT_TEST(evidence_of_a_pinned_platform_is_accepted),
        MT_TEST(a_certificate_and_two_auditors_are_accepted_too),
        MT_TEST(one_auditor_who_signs_twice_counts_once),
        MT_TEST(approvals_are_signed_by_the_owners_whom_the_task_names),
        MT_TEST(the_receipt_verifies_by_either_policy),
    };
    world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
