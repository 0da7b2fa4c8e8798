/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/receipt.h"

#include "attest/binder.h"
#include "attest/world_test.h"
#include "crypto/merkle.h"
#include "unit/mangle.h"
#include "unit/scarce.h"
#include "wire/cose.h"

enum { LEAVES = 6, TXID = 4, ITEMS = 3, EVIDENCE_BYTES = 2048, SIGNED_BYTES = 1024 };

/* A receipt for the fourth of six transactions, of which it shows two of three claims. Every part
 * that a test wants to be wrong is made anew by whoever would have to lie: sign(), attest(). */
static struct {
    struct mt_receipt r;
    struct mt_receipt_header header;
    struct mt_receipt_proof proof;
    mt_hash root; /* of the tree, honestly */
    mt_spki service;
    uint8_t evidence[EVIDENCE_BYTES];
    uint8_t signed_[SIGNED_BYTES];
} w;

static struct mt_policy policy;
static const struct mt_appraiser appraiser = {&policy, {NULL, 0}};
static struct mt_receipt_facts facts;

static void attest(enum party platform)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(EVIDENCE_BYTES);
    uint8_t report_data[MT_REPORT_DATA_LEN];
    mt_bind_service_key(&w.header.cluster, &w.r.incarnation, &w.service, report_data);
    mt_bytes evidence = world_evidence(&room, platform, report_data);
    memcpy(w.evidence, evidence.ptr, evidence.len);
    w.r.format = MT_LITERAL("soft");
    w.r.evidence = (mt_bytes){w.evidence, evidence.len};
}

static void sign(enum party by, mt_bytes label, bool is_detached)
{
    uint8_t head_room[256];
    uint8_t proof_room[512];
    uint8_t tbs_room[512];
    uint8_t signature[MT_SIGNATURE_LEN];
    struct mt_writer head = mt_writer_over((mt_span){head_room, sizeof head_room});
    struct mt_writer proof = mt_writer_over((mt_span){proof_room, sizeof proof_room});
    struct mt_writer tbs = mt_writer_over((mt_span){tbs_room, sizeof tbs_room});
    struct mt_writer out = mt_writer_over((mt_span){w.signed_, sizeof w.signed_});
    mt_receipt_header_write(&head, &w.header);
    mt_receipt_proof_write(&proof, &w.proof);
    mt_cose_tbs_write(&tbs, written(&head), label, mt_hash_bytes(&w.root));
    OK(mt_sign(keys[by], written(&tbs), signature));
    const struct mt_cose_sign1 m = {written(&head), written(&proof), mt_hash_bytes(&w.root),
                                    is_detached, MT_BYTES_OF(signature)};
    mt_cose_sign1_write(&out, &m);
    w.r.signed_ = written(&out);
}

static void sign_well(void)
{
    sign(SERVICE, mt_label_bytes(MT_LABEL_RECEIPT), true);
}

static mt_hash item_hash(const struct mt_receipt_item *it)
{
    const mt_bytes label = mt_label_bytes(MT_LABEL_CLAIM_ITEM);
    const uint8_t len = (uint8_t)label.len;
    const mt_bytes parts[] = {{&len, 1}, label, mt_id_bytes(&it->salt), it->item};
    mt_hash h;
    mt_sha256(parts, 4, &h);
    return h;
}

static mt_hash leaf_of(const struct mt_receipt *r)
{
    uint8_t room[128];
    mt_hash claims;
    mt_hash leaf;
    struct mt_writer entry = mt_writer_over((mt_span){room, sizeof room});
    const mt_bytes all = {(const uint8_t *)r->item_hashes, ITEMS * sizeof(mt_hash)};
    mt_sha256(&all, 1, &claims);
    mt_receipt_entry_write(&entry, &r->entry, &claims);
    const mt_bytes part = written(&entry);
    mt_merkle_leaf(&part, 1, &leaf);
    return leaf;
}

/* The transactions beside ours are the same in every ledger, but for `fork`. */
static void grow_tree(uint8_t fork)
{
    MT_DEFER(mt_merkle_free) struct mt_merkle *tree = NULL;
    const mt_hash ours = leaf_of(&w.r);
    OK(mt_merkle_new(&tree));
    for (int i = 0; i < LEAVES; i++) {
        const mt_hash other = {{(uint8_t)i, fork}};
        OK(mt_merkle_append(tree, i == TXID - 1 ? &ours : &other));
    }
    OK(mt_merkle_root(tree, LEAVES, &w.root));
    w.proof.tree_size = LEAVES;
    w.proof.leaf_index = TXID - 1;
    OK(mt_merkle_path(tree, TXID - 1, LEAVES, w.proof.path, &w.proof.path_count));
}

static void receipt_begin(void)
{
    const struct mt_receipt_item first = {0, {{1}}, MT_LITERAL("task 7")};
    const struct mt_receipt_item hidden = {1, {{2}}, MT_LITERAL("between us")};
    const struct mt_receipt_item third = {2, {{3}}, MT_LITERAL("echo")};
    memset(&w, 0, sizeof w);
    w.service = spki_of(SERVICE);
    w.r.service_key = mt_spki_bytes(&w.service);
    w.r.incarnation = (mt_hash){{0x1c}};
    w.r.configuration = world_configuration();
    w.r.entry = (struct mt_receipt_entry){TXID, {{0x35}}, {{0x0c}}};
    w.r.item_hashes[0] = item_hash(&first);
    w.r.item_hashes[1] = item_hash(&hidden);
    w.r.item_hashes[2] = item_hash(&third);
    w.r.item_hashes_count = ITEMS;
    w.r.shown[0] = first;
    w.r.shown[1] = third;
    w.r.shown_count = 2;
    grow_tree(0);
    w.header = (struct mt_receipt_header){subject_of(SERVICE), {{0xc1}}, 2, LEAVES, NOW_MS};
    sign_well();
    attest(PLATFORM);
    policy = (struct mt_policy){.minimum_level = MT_LEVEL_SOFT,
                                .platforms = {subject_of(PLATFORM)},
                                .platforms_count = 1,
                                .measurements = {world_measurement()},
                                .measurements_count = 1};
}

static mt_err verify(void)
{
    memset(&facts, 0, sizeof facts);
    return mt_receipt_verify(&w.r, &appraiser, NOW_MS, &facts);
}

static bool is_bad(mt_err e, const char *rule)
{
    return is_refused(e, MT_E_PROOF, &facts.appraisal.trace, rule);
}

static void a_genuine_receipt_verifies_and_says_its_facts(void)
{
    receipt_begin();
    OK(verify());
    MT_ASSERT(facts.header.recovery_epoch == 2 && facts.header.tree_size == LEAVES);
    MT_ASSERT(facts.proof.leaf_index == TXID - 1);
    MT_ASSERT(mt_hash_equal(&facts.root, &w.root));
    MT_ASSERT(facts.appraisal.verdict.level == MT_LEVEL_SOFT);
    MT_ASSERT(mt_trace_failed(&facts.appraisal.trace) == NULL);
}

static bool is_good(const uint8_t *bytes, size_t len)
{
    static struct mt_receipt r;
    memset(&facts, 0, sizeof facts);
    return !mt_failed(mt_receipt_parse((mt_bytes){bytes, len}, &r)) &&
           !mt_failed(mt_receipt_verify(&r, &appraiser, NOW_MS, &facts));
}

static void every_truncation_and_every_flipped_bit_of_a_receipt_is_refused(void)
{
    static uint8_t file[4096];
    struct mt_writer out = mt_writer_over((mt_span){file, sizeof file});
    receipt_begin();
    mt_receipt_write(&out, &w.r);
    size_t len = written(&out).len;
    mt_mangle_length(is_good, file, len);
    MT_ASSERT(mt_mangle_some_bits(is_good, file, len, step) == 0);
}

static void a_receipt_by_another_key_than_was_attested_is_refused(void)
{
    receipt_begin();
    sign(STRANGER, mt_label_bytes(MT_LABEL_RECEIPT), true); /* under the service key's name */
    MT_ASSERT(is_bad(verify(), "receipt-signature"));
    w.service = spki_of(STRANGER); /* and with its own, unattested */
    MT_ASSERT(is_bad(verify(), "receipt-format"));
    w.header.kid = subject_of(STRANGER);
    sign(STRANGER, mt_label_bytes(MT_LABEL_RECEIPT), true);
    MT_ASSERT(is_bad(verify(), "report-data"));
    attest(FRESH_PLATFORM); /* attested, by a machine of its own */
    MT_ASSERT(is_bad(verify(), "platform-unknown"));
}

static void a_signature_for_another_purpose_is_no_receipt(void)
{
    receipt_begin();
    sign(SERVICE, mt_label_bytes(MT_LABEL_APPROVAL), true);
    MT_ASSERT(is_bad(verify(), "receipt-signature"));
}

static void a_receipt_does_not_carry_its_root(void)
{
    receipt_begin();
    sign(SERVICE, mt_label_bytes(MT_LABEL_RECEIPT), false);
    MT_ASSERT(is_bad(verify(), "receipt-format"));
}

static void a_receipt_of_another_cluster_or_start_is_refused(void)
{
    receipt_begin();
    w.header.cluster.b[31] ^= 1; /* signed, but not what the key was attested for */
    sign_well();
    MT_ASSERT(is_bad(verify(), "report-data"));
    receipt_begin();
    w.r.incarnation.b[31] ^= 1;
    MT_ASSERT(is_bad(verify(), "report-data"));
}

static void evidence_of_a_connection_is_none_for_a_service_key(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(EVIDENCE_BYTES);
    static const uint8_t ekm[32] = {1};
    static const uint8_t nonce[32] = {2};
    uint8_t report_data[MT_REPORT_DATA_LEN];
    receipt_begin();
    const struct mt_binding b = {MT_ROLE_SERVER,    MT_BYTES_OF(ekm),   subject_of(SERVICE),
                                 subject_of(OWNER), MT_BYTES_OF(nonce), w.header.cluster};
    mt_bind_channel(&b, report_data);
    w.r.evidence = world_evidence(&room, PLATFORM, report_data);
    MT_ASSERT(is_bad(verify(), "report-data"));
}

static void a_receipt_whose_parts_do_not_belong_together_is_refused(void)
{
    receipt_begin();
    w.header.tree_size++;
    sign_well();
    MT_ASSERT(is_bad(verify(), "receipt-format"));
    receipt_begin();
    w.r.entry.txid++;
    MT_ASSERT(is_bad(verify(), "receipt-format"));
    receipt_begin();
    w.r.signed_.len--;
    MT_ASSERT(is_bad(verify(), "receipt-format"));
    receipt_begin();
    w.service.b[90] ^= 1;
    MT_ASSERT(is_bad(verify(), "receipt-format"));
}

/* A COSE message whose headers are not a receipt's. */
static mt_err with_headers(mt_bytes protected_, mt_bytes unprotected)
{
    static const uint8_t signature[MT_SIGNATURE_LEN] = {1};
    struct mt_writer out = mt_writer_over((mt_span){w.signed_, sizeof w.signed_});
    const struct mt_cose_sign1 m = {
        protected_, unprotected, {NULL, 0}, true, MT_BYTES_OF(signature)};
    mt_cose_sign1_write(&out, &m);
    w.r.signed_ = written(&out);
    return verify();
}

static void other_headers_than_a_receipts_are_refused(void)
{
    uint8_t head_room[256];
    struct mt_writer head = mt_writer_over((mt_span){head_room, sizeof head_room});
    receipt_begin();
    mt_receipt_header_write(&head, &w.header);
    MT_ASSERT(is_bad(with_headers(MT_LITERAL("\xa0"), MT_LITERAL("\xa0")), "receipt-format"));
    MT_ASSERT(is_bad(with_headers(written(&head), MT_LITERAL("\xa0")), "receipt-format"));
}

static void a_configuration_that_was_not_measured_is_refused(void)
{
    receipt_begin();
    w.r.configuration.b[0] ^= 1;
    MT_ASSERT(is_bad(verify(), "receipt-configuration"));
}

static void a_path_of_the_wrong_length_or_to_another_root_is_refused(void)
{
    receipt_begin();
    w.proof.path_count--;
    sign_well();
    MT_ASSERT(is_bad(verify(), "receipt-path"));
    receipt_begin();
    w.proof.path[1].b[7] ^= 1;
    sign_well(); /* the signature covers the root, not the path */
    MT_ASSERT(is_bad(verify(), "receipt-signature"));
}

static void a_transaction_that_was_altered_is_refused(void)
{
    receipt_begin();
    w.r.entry.write_set_hash.b[0] ^= 1;
    MT_ASSERT(is_bad(verify(), "receipt-signature"));
    receipt_begin();
    w.r.entry.nonce.b[15] ^= 1;
    MT_ASSERT(is_bad(verify(), "receipt-signature"));
    receipt_begin();
    w.r.item_hashes[1].b[0] ^= 1; /* of the claim that is not shown */
    MT_ASSERT(is_bad(verify(), "receipt-signature"));
}

static void a_claim_that_the_transaction_did_not_make_is_refused(void)
{
    receipt_begin();
    w.r.shown[1].item = MT_LITERAL("psi");
    MT_ASSERT(is_bad(verify(), "receipt-items"));
    receipt_begin();
    w.r.shown[0].salt.b[0] ^= 1;
    MT_ASSERT(is_bad(verify(), "receipt-items"));
    receipt_begin();
    w.r.shown[1].index = ITEMS;
    MT_ASSERT(is_bad(verify(), "receipt-items"));
    receipt_begin();
    w.r.shown[1].index = 1;
    MT_ASSERT(is_bad(verify(), "receipt-items"));
}

static void a_receipt_that_the_verifiers_policy_refuses_is_refused(void)
{
    receipt_begin();
    policy.minimum_level = MT_LEVEL_TPM;
    MT_ASSERT(is_refused(verify(), MT_E_DENIED, &facts.appraisal.trace, "level-minimum"));
    receipt_begin();
    policy.measurements_count = 0;
    MT_ASSERT(is_refused(verify(), MT_E_DENIED, &facts.appraisal.trace, "measurement-unknown"));
}

static void in_scarcity_of_memory_no_receipt_is_believed(void)
{
    bool was_reached = true;
    receipt_begin();
    for (size_t n = 1; was_reached; n++) {
        w.r.shown[1].item = MT_LITERAL("psi");
        scarce_in = n;
        MT_ASSERT(mt_failed(verify()));
        (void)scarce_end();
        w.r.shown[1].item = MT_LITERAL("echo");
        scarce_in = n;
        bool has_failed = mt_failed(verify());
        was_reached = scarce_end();
        MT_ASSERT(was_reached || !has_failed);
    }
}

static void two_receipts_of_one_ledger_agree(void)
{
    static struct mt_receipt_facts first;
    receipt_begin();
    OK(verify());
    first = facts;
    OK(mt_receipt_compare(&first, &facts));
    facts.header.tree_size++; /* later, of a tree that has grown */
    facts.root.b[0] ^= 1;
    facts.proof.leaf_index++;
    facts.leaf.b[0] ^= 1;
    OK(mt_receipt_compare(&first, &facts));
    MT_ASSERT(!mt_hash_equal(&first.root, &facts.root));
}

static void receipts_of_a_forked_ledger_do_not_agree(void)
{
    static struct mt_receipt_facts first;
    receipt_begin();
    OK(verify());
    first = facts;
    grow_tree(1); /* the same transaction, another past */
    sign_well();
    OK(verify());
    MT_ASSERT(is_code(mt_receipt_compare(&first, &facts), MT_E_PROOF));
    w.r.entry.write_set_hash.b[0] ^= 1; /* another transaction in its place, later */
    grow_tree(0);
    sign_well();
    OK(verify());
    facts.header.tree_size++;
    MT_ASSERT(is_code(mt_receipt_compare(&first, &facts), MT_E_PROOF));
    facts.header.recovery_epoch++; /* announced: a restored node begins a new history */
    OK(mt_receipt_compare(&first, &facts));
}

static void receipts_of_two_clusters_are_not_compared(void)
{
    static struct mt_receipt_facts first;
    receipt_begin();
    OK(verify());
    first = facts;
    facts.header.cluster.b[0] ^= 1;
    MT_ASSERT(is_code(mt_receipt_compare(&first, &facts), MT_E_ARG));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(a_genuine_receipt_verifies_and_says_its_facts),
        MT_TEST(every_truncation_and_every_flipped_bit_of_a_receipt_is_refused),
        MT_TEST(a_receipt_by_another_key_than_was_attested_is_refused),
        MT_TEST(a_signature_for_another_purpose_is_no_receipt),
        MT_TEST(a_receipt_does_not_carry_its_root),
        MT_TEST(a_receipt_of_another_cluster_or_start_is_refused),
        MT_TEST(evidence_of_a_connection_is_none_for_a_service_key),
        MT_TEST(a_receipt_whose_parts_do_not_belong_together_is_refused),
        MT_TEST(other_headers_than_a_receipts_are_refused),
        MT_TEST(a_configuration_that_was_not_measured_is_refused),
        MT_TEST(a_path_of_the_wrong_length_or_to_another_root_is_refused),
        MT_TEST(a_transaction_that_was_altered_is_refused),
        MT_TEST(a_claim_that_the_transaction_did_not_make_is_refused),
        MT_TEST(a_receipt_that_the_verifiers_policy_refuses_is_refused),
        MT_TEST(in_scarcity_of_memory_no_receipt_is_believed),
        MT_TEST(two_receipts_of_one_ledger_agree),
        MT_TEST(receipts_of_a_forked_ledger_do_not_agree),
        MT_TEST(receipts_of_two_clusters_are_not_compared),
    };
    world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
