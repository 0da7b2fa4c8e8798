/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <tss2/tss2_mu.h>

#include "attest/credential.h"
#include "crypto/hash.h"
#include "platform/tpm/inside.h"
#include "platform/tpm/sealed.h"
#include "platform/tpm/world_test.h"

static const uint8_t report_data[MT_REPORT_DATA_LEN] = {1, 2, 3};
static const uint8_t key[MT_DEVICE_SECRET_LEN] = "one key of thirty-two bytes, yes";

/* The bus between us and the TPM: who listens to it, and what happens on it before a quote. */
static struct mt_buf heard;
static unsigned extends;
static bool is_other_data;
static uint16_t cut;     /* the answer to this command lacks its last byte, and says so */
static uint16_t changed; /* and the answer to this one a bit of its value */
static uint16_t asked;
static TSS2_TCTI_TRANSMIT_FCN sends;
static TSS2_TCTI_RECEIVE_FCN receives;

static const uint8_t extend_pcr5[] = {
    0x80, 2, 0, 0, 0,    65,   0,        0, 1, 0x82, 0, 0, 0, 5, /* TPM2_PCR_Extend */
    0,    0, 0, 9, 0x40, 0,    0,        9, 0, 0,    0, 0, 0,    /* without a password */
    0,    0, 0, 1, 0,    0x0b, [64] = 1,                         /* SHA-256 */
};

static void send_extend(TSS2_TCTI_CONTEXT *t)
{
    uint8_t answer[4096];
    size_t len = sizeof answer;
    MT_ASSERT(sends(t, sizeof extend_pcr5, extend_pcr5) == TSS2_RC_SUCCESS);
    MT_ASSERT(receives(t, &len, answer, TSS2_TCTI_TIMEOUT_BLOCK) == TSS2_RC_SUCCESS);
    MT_ASSERT(answer[8] == 0 && answer[9] == 0);
}

static TSS2_RC send_heard(TSS2_TCTI_CONTEXT *t, size_t len, const uint8_t *command)
{
    enum { EXTRA_DATA_AT = 29 };
    uint8_t sent[4096];
    MT_ASSERT(len <= sizeof sent);
    memcpy(sent, command, len);
    asked = (uint16_t)(command[8] << 8 | command[9]);
    OK(mt_buf_append(&heard, (mt_bytes){command, len}));
    if (asked == TPM2_CC_Quote) {
        if (extends > 0) {
            extends--;
            send_extend(t);
        }
        sent[EXTRA_DATA_AT] ^= is_other_data ? 1 : 0;
    }
    return sends(t, len, sent);
}

static TSS2_RC receive_heard(TSS2_TCTI_CONTEXT *t, size_t *len, uint8_t *answer, int32_t timeout)
{
    TSS2_RC rc = receives(t, len, answer, timeout);
    if (rc == TSS2_RC_SUCCESS && answer != NULL) {
        enum { LENGTH_AT = 4, VALUE_AT = 18 };
        OK(mt_buf_append(&heard, (mt_bytes){answer, *len}));
        if (asked == cut) {
            *len -= 1;
            answer[*len] ^= 0xff; /* the library's room is not emptied between answers */
            answer[LENGTH_AT] = (uint8_t)(*len >> 8);
            answer[LENGTH_AT + 1] = (uint8_t)*len;
        }
        answer[VALUE_AT] ^= asked == changed ? 1 : 0;
    }
    return rc;
}

static void begin_heard(void)
{
    begin();
    heard = mt_buf_of_max(1 << 20);
    TSS2_TCTI_CONTEXT_COMMON_V1 *bus = (void *)mt_tpm_of(device)->tcti;
    sends = bus->transmit;
    receives = bus->receive;
    bus->transmit = send_heard;
    bus->receive = receive_heard;
}

static void end_heard(void)
{
    mt_buf_free(&heard);
    end();
}

static void extend(ESYS_TR pcr)
{
    const TPML_DIGEST_VALUES values = {.count = 1, .digests = {{.hashAlg = TPM2_ALG_SHA256}}};
    MT_ASSERT(Esys_PCR_Extend(mt_tpm_of(device)->esys, pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                              ESYS_TR_NONE, &values) == TSS2_RC_SUCCESS);
}

/* Our evidence through the eyes of tpm2-tools, with this much of extraData. */
static int checked_by_others(const struct mt_device_evidence *e, const mt_hash *extra)
{
    char hex[2 * sizeof(mt_hash) + 1];
    for (size_t i = 0; i < sizeof extra->b; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", extra->b[i]);
    }
    uint8_t sized[1024];
    struct mt_writer w = mt_writer_over((mt_span){sized, sizeof sized});
    mt_write_u16be(&w, (uint16_t)e->ak_public.len);
    mt_write_bytes(&w, mt_buf_bytes(&e->ak_public));
    put("ak.pub", mt_write_done(&w));
    put("quote", mt_buf_bytes(&e->quote));
    put("signature", mt_buf_bytes(&e->signature));
    return run((const char *const[]){"tpm2_checkquote", "-u", "ak.pub", "-m", "quote", "-s",
                                     "signature", "-q", hex, NULL});
}

static void a_quote_is_about_the_report_data_and_tpm2_checkquote_agrees(void)
{
    mt_hash extra;
    struct mt_device_evidence e;
    mt_bytes data = MT_BYTES_OF(report_data);
    begin();
    mt_device_evidence_init(&e);
    OK(mt_device_evidence(device, report_data, &e));
    MT_ASSERT(e.kind == MT_EVIDENCE_TPM);
    MT_ASSERT(e.pcrs.len == 15 * sizeof(mt_hash));
    mt_sha256(&data, 1, &extra);
    MT_ASSERT(checked_by_others(&e, &extra) == 0);
    extra.b[31] ^= 1;
    MT_ASSERT(checked_by_others(&e, &extra) != 0);
    mt_device_evidence_free(&e);
    end();
}

static void the_quoting_key_is_the_same_after_a_restart(void)
{
    struct mt_device_evidence one;
    struct mt_device_evidence two;
    begin();
    mt_device_evidence_init(&one);
    mt_device_evidence_init(&two);
    OK(mt_device_evidence(device, report_data, &one));
    power_off();
    power_on();
    OK(mt_device_evidence(device, report_data, &two));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&one.ak_public), mt_buf_bytes(&two.ak_public)));
    MT_ASSERT(!mt_bytes_equal(mt_buf_bytes(&one.quote), mt_buf_bytes(&two.quote)));
    mt_device_evidence_free(&one);
    mt_device_evidence_free(&two);
    end();
}

static void a_quote_about_anything_else_is_refused(void)
{
    struct mt_device_evidence e;
    begin_heard();
    mt_device_evidence_init(&e);
    is_other_data = true;
    fails(mt_device_evidence(device, report_data, &e), MT_E_PROOF);
    is_other_data = false;
    mt_device_evidence_free(&e);
    end_heard();
}

static void values_and_quote_are_of_one_moment(void)
{
    mt_hash digest;
    struct mt_device_evidence e;
    begin_heard();
    mt_device_evidence_init(&e);
    extends = 2;
    OK(mt_device_evidence(device, report_data, &e));
    MT_ASSERT(extends == 0);
    mt_bytes values = mt_buf_bytes(&e.pcrs);
    mt_sha256(&values, 1, &digest); /* a quote ends with it */
    MT_ASSERT(mt_bytes_equal((mt_bytes){e.quote.ptr + e.quote.len - sizeof digest, sizeof digest},
                             MT_BYTES_OF(digest)));
    mt_device_evidence_free(&e);
    mt_device_evidence_init(&e);
    extends = 100;
    fails(mt_device_evidence(device, report_data, &e), MT_E_BUSY);
    extends = 0;
    mt_device_evidence_free(&e);
    end_heard();
}

/* What an owner's command asks, and what the TPM answers: the secret, unless it is for a key whose
 * last byte is another. */
static mt_err ask(uint8_t change, mt_span answer, size_t *got)
{
    static const uint8_t seed[MT_CREDENTIAL_SEED_LEN] = "a seed";
    uint8_t room[2][512];
    struct mt_device_evidence e;
    struct mt_buf certificate = mt_buf_of_max(MT_X509_BYTES_MAX);
    struct mt_buf ek = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    mt_device_evidence_init(&e);
    OK(mt_device_evidence(device, report_data, &e));
    OK(mt_device_endorsement(device, &certificate, &ek));
    MT_ASSERT(certificate.len == 0);
    e.ak_public.ptr[e.ak_public.len - 1] ^= change;
    struct mt_writer blob = mt_writer_over((mt_span){room[0], sizeof room[0]});
    struct mt_writer secret = mt_writer_over((mt_span){room[1], sizeof room[1]});
    const struct mt_credential_wish wanted = {.ek_public = mt_buf_bytes(&ek),
                                              .ak_public = mt_buf_bytes(&e.ak_public),
                                              .seed = MT_BYTES_OF(seed),
                                              .secret = MT_BYTES_OF(key)};
    OK(mt_credential_make(&wanted, &blob, &secret));
    fails(mt_device_activate(device, (mt_bytes){room[0], 3}, mt_write_done(&secret), answer, got),
          MT_E_FORMAT);
    mt_err said =
        mt_device_activate(device, mt_write_done(&blob), mt_write_done(&secret), answer, got);
    mt_device_evidence_free(&e);
    mt_buf_free(&certificate);
    mt_buf_free(&ek);
    return said;
}

static void challenge(void)
{
    uint8_t answer[MT_DEVICE_SECRET_LEN];
    size_t got = 0;
    OK(ask(0, (mt_span){answer, sizeof answer}, &got));
    MT_ASSERT(mt_bytes_equal((mt_bytes){answer, got}, MT_BYTES_OF(key)));
}

static void a_challenge_is_answered_by_the_tpm_with_both_keys(void)
{
    uint8_t answer[MT_DEVICE_SECRET_LEN];
    size_t got = 0;
    begin();
    challenge();
    fails(ask(1, (mt_span){answer, sizeof answer}, &got), MT_E_PROOF);
    end();
}

static void the_makers_certificate_is_read_whole(void)
{
    uint8_t made[1300];
    struct mt_buf certificate = mt_buf_of_max(MT_X509_BYTES_MAX);
    struct mt_buf ek = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    begin();
    for (size_t i = 0; i < sizeof made; i++) {
        made[i] = (uint8_t)(i * 7);
    }
    put("certificate", MT_BYTES_OF(made));
    WITHOUT_DEVICE("tpm2_nvdefine", "-T", TCTI, "-C", "o", "-s", "1300", "-a",
                   "ownerwrite|authread|authwrite|no_da", "0x1c00002");
    WITHOUT_DEVICE("tpm2_nvwrite", "-T", TCTI, "-C", "o", "-i", "certificate", "0x1c00002");
    OK(mt_device_endorsement(device, &certificate, &ek));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&certificate), MT_BYTES_OF(made)));
    mt_buf_free(&certificate);
    mt_buf_free(&ek);
    end();
}

static uint64_t counted(bool is_step)
{
    uint64_t value = 0;
    OK(mt_device_count(device, is_step, &value, NULL));
    return value;
}

static void the_counter_goes_up_and_survives_a_restart_and_its_own_removal(void)
{
    begin();
    const uint64_t first = counted(false);
    MT_ASSERT(counted(false) == first);
    MT_ASSERT(counted(true) == first + 1);
    power_off();
    power_on();
    MT_ASSERT(counted(false) == first + 1);
    MT_ASSERT(counted(true) == first + 2);
    WITHOUT_DEVICE("tpm2_nvundefine", "-T", TCTI, "-C", "o", "0x01804d54");
    MT_ASSERT(counted(false) > first + 2);
    end();
}

/* Made of the owner's seed: another TPM's is another, and the same one's after a clear, too. */
static void a_counter_says_which_tpm_counts(void)
{
    mt_hash first;
    mt_hash again;
    uint64_t value = 0;
    begin();
    OK(mt_device_count(device, false, &value, &first));
    power_off();
    power_on();
    OK(mt_device_count(device, true, &value, &again));
    MT_ASSERT(mt_hash_equal(&first, &again));
    WITHOUT_DEVICE("tpm2_clear", "-T", TCTI, "-c", "p");
    OK(mt_device_count(device, true, &value, &again));
    MT_ASSERT(!mt_hash_equal(&first, &again));
    end();
    begin();
    OK(mt_device_count(device, false, &value, &again));
    MT_ASSERT(!mt_hash_equal(&first, &again));
    end();
}

static void a_store_in_the_counters_place_is_no_counter(void)
{
    uint64_t value = 0;
    begin();
    WITHOUT_DEVICE("tpm2_nvdefine", "-T", TCTI, "-C", "o", "-s", "8", "-a",
                   "authread|authwrite|no_da", "0x01804d54");
    fails(mt_device_count(device, false, &value, NULL), MT_E_PROOF);
    fails(mt_device_count(device, true, &value, NULL), MT_E_PROOF);
    end();
}

static void what_was_sealed_opens_until_anything_else_is_measured(void)
{
    uint8_t out[MT_DEVICE_SECRET_LEN] = {0};
    struct mt_buf sealed = mt_buf_of_max(MT_CREDENTIAL_BYTES_MAX);
    begin();
    OK(mt_device_seal(device, MT_BYTES_OF(key), false, &sealed));
    MT_ASSERT(memmem(sealed.ptr, sealed.len, key, sizeof key) == NULL);
    OK(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out}));
    MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(out), MT_BYTES_OF(key)));
    extend(ESYS_TR_PCR14); /* is nobody's */
    OK(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out}));
    extend(ESYS_TR_PCR11);
    fails(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out}), MT_E_DENIED);
    power_off();
    power_on();
    OK(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out}));
    mt_buf_free(&sealed);
    end();
}

static void what_was_changed_or_sealed_elsewhere_does_not_open(void)
{
    uint8_t out[MT_DEVICE_SECRET_LEN] = {0};
    struct mt_buf sealed = mt_buf_of_max(MT_CREDENTIAL_BYTES_MAX);
    begin();
    OK(mt_device_seal(device, MT_BYTES_OF(key), false, &sealed));
    for (size_t i = 0; i < sealed.len; i += 5) {
        sealed.ptr[i] ^= 1;
        MT_ASSERT(
            mt_failed(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out})));
        sealed.ptr[i] ^= 1;
        fails(mt_device_unseal(device, (mt_bytes){sealed.ptr, i}, (mt_span){out, sizeof out}),
              MT_E_FORMAT);
    }
    OK(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out}));
    end();
    begin();
    fails(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out}), MT_E_PROOF);
    mt_buf_free(&sealed);
    end();
}

static void no_password_opens_what_was_sealed(void)
{
    struct mt_tpm_sealed s;
    TPM2B_SENSITIVE_DATA *plain = NULL;
    struct mt_buf sealed = mt_buf_of_max(MT_CREDENTIAL_BYTES_MAX);
    begin();
    ESYS_CONTEXT *esys = mt_tpm_of(device)->esys;
    struct mt_tpm_object parent = {mt_tpm_of(device), ESYS_TR_NONE};
    struct mt_tpm_object object = {mt_tpm_of(device), ESYS_TR_NONE};
    OK(mt_device_seal(device, MT_BYTES_OF(key), false, &sealed));
    OK(mt_tpm_sealed_parse(mt_buf_bytes(&sealed), &s));
    OK(mt_tpm_primary(&parent, MT_TPM_STORAGE, NULL));
    OK(mt_tpm_said(Esys_Load(esys, parent.at, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                             &s.private, &s.area, &object.at)));
    MT_ASSERT(Esys_Unseal(esys, object.at, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &plain) !=
              TSS2_RC_SUCCESS);
    mt_tpm_flush(&object);
    mt_tpm_flush(&parent);
    mt_buf_free(&sealed);
    end();
}

static bool is_heard(void)
{
    return memmem(heard.ptr, heard.len, key, sizeof key) != NULL;
}

static void who_listens_on_the_bus_learns_no_secret(void)
{
    uint8_t out[MT_DEVICE_SECRET_LEN];
    struct mt_buf sealed = mt_buf_of_max(MT_CREDENTIAL_BYTES_MAX);
    begin_heard();
    OK(mt_device_seal(device, MT_BYTES_OF(key), false, &sealed));
    MT_ASSERT(heard.len > 0 && !is_heard());
    OK(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out}));
    MT_ASSERT(!is_heard());
    challenge();
    MT_ASSERT(!is_heard());
    mt_buf_free(&sealed);
    end_heard();
}

static void an_answer_that_is_cut_is_refused(void)
{
    static const uint16_t commands[] = {TPM2_CC_CreatePrimary, TPM2_CC_PCR_Read, TPM2_CC_Quote,
                                        TPM2_CC_StartAuthSession, TPM2_CC_Create};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct mt_device_evidence e;
        struct mt_buf sealed = mt_buf_of_max(MT_CREDENTIAL_BYTES_MAX);
        begin_heard();
        mt_device_evidence_init(&e);
        cut = commands[i];
        mt_err quoted = mt_device_evidence(device, report_data, &e);
        mt_err made = mt_device_seal(device, MT_BYTES_OF(key), false, &sealed);
        MT_ASSERT(mt_failed(quoted) || mt_failed(made));
        MT_ASSERT(mt_failed(quoted) || sealed.len == 0);
        MT_ASSERT(!mt_failed(quoted) || e.quote.len == 0);
        cut = 0;
        mt_device_evidence_free(&e);
        mt_buf_free(&sealed);
        end_heard();
    }
}

static void an_answer_that_is_changed_on_its_way_is_refused(void)
{
    uint64_t value = 0;
    uint8_t out[MT_DEVICE_SECRET_LEN];
    struct mt_buf sealed = mt_buf_of_max(MT_CREDENTIAL_BYTES_MAX);
    begin_heard();
    OK(mt_device_seal(device, MT_BYTES_OF(key), false, &sealed));
    changed = TPM2_CC_Unseal;
    fails(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out}), MT_E_PROOF);
    changed = 0;
    end_heard();
    begin_heard();
    (void)counted(true);
    changed = TPM2_CC_NV_Read;
    fails(mt_device_count(device, false, &value, NULL), MT_E_PROOF);
    changed = 0;
    mt_buf_free(&sealed);
    end_heard();
}

/* Nothing of ours stays behind: a TPM has room for three keys and three sessions. */
static void everything_works_again_and_again(void)
{
    uint8_t out[MT_DEVICE_SECRET_LEN];
    begin();
    for (int i = 0; i < 5; i++) {
        struct mt_device_evidence e;
        struct mt_buf sealed = mt_buf_of_max(MT_CREDENTIAL_BYTES_MAX);
        mt_device_evidence_init(&e);
        OK(mt_device_evidence(device, report_data, &e));
        OK(mt_device_seal(device, MT_BYTES_OF(key), false, &sealed));
        OK(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out}));
        fails(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, 7}), MT_E_FORMAT);
        (void)counted(true);
        mt_device_evidence_free(&e);
        mt_buf_free(&sealed);
    }
    end();
}

static void a_tpm_whose_room_others_fill_is_busy(void)
{
    struct mt_device_evidence e;
    struct mt_tpm_object others[3];
    begin();
    mt_device_evidence_init(&e);
    for (size_t i = 0; i < 3; i++) {
        others[i] = (struct mt_tpm_object){mt_tpm_of(device), ESYS_TR_NONE};
        OK(mt_tpm_primary(&others[i], MT_TPM_STORAGE, NULL));
    }
    fails(mt_device_evidence(device, report_data, &e), MT_E_BUSY);
    mt_tpm_flush(&others[1]);
    OK(mt_device_evidence(device, report_data, &e));
    mt_tpm_flush(&others[0]);
    mt_tpm_flush(&others[2]);
    mt_device_evidence_free(&e);
    end();
}

/* What needs no password that could be guessed goes on: unclean stops lock a TPM out as well. */
static void a_tpm_that_is_locked_out_serves_the_node(void)
{
    struct mt_device_evidence e;
    uint8_t out[MT_DEVICE_SECRET_LEN];
    struct mt_buf sealed = mt_buf_of_max(MT_CREDENTIAL_BYTES_MAX);
    begin();
    mt_device_evidence_init(&e);
    OK(mt_device_seal(device, MT_BYTES_OF(key), false, &sealed));
    WITHOUT_DEVICE("tpm2_dictionarylockout", "-T", TCTI, "-s", "-n", "1", "-t", "1000", "-l",
                   "1000");
    WITHOUT_DEVICE("tpm2_nvdefine", "-T", TCTI, "-C", "o", "-s", "8", "-p", "good", "-a",
                   "authread|authwrite", "0x1500001");
    put("eight", MT_LITERAL("8 bytes."));
    mt_device_close(&device);
    for (int i = 0; i < 2; i++) {
        MT_ASSERT(run((const char *const[]){"tpm2_nvwrite", "-T", TCTI, "-P", "bad", "-i", "eight",
                                            "0x1500001", NULL}) != 0);
    }
    open_device();
    OK(mt_device_evidence(device, report_data, &e));
    OK(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out}));
    (void)counted(true);
    mt_device_evidence_free(&e);
    mt_buf_free(&sealed);
    end();
}

static void a_tpm_that_is_gone_is_closed(void)
{
    uint64_t value = 0;
    begin();
    MT_ASSERT(kill(swtpm, SIGKILL) == 0);
    fails(mt_device_count(device, false, &value, NULL), MT_E_CLOSED);
    fails(mt_device_count(device, false, &value, NULL), MT_E_CLOSED);
    end();
}

/* It was reset, or its driver was: the node need not be started again for that. */
static void a_tpm_that_comes_back_is_opened_again(void)
{
    int status = 0;
    struct mt_device_evidence e;
    begin();
    mt_device_evidence_init(&e);
    const uint64_t before = counted(true);
    MT_ASSERT(kill(swtpm, SIGTERM) == 0);
    MT_ASSERT(waitpid(swtpm, &status, 0) == swtpm);
    fails(mt_device_evidence(device, report_data, &e), MT_E_CLOSED);
    MT_ASSERT(e.quote.len == 0);
    switch_on();
    uint64_t now = 0;
    for (int i = 0; i < 1000 && mt_failed(mt_device_count(device, true, &now, NULL)); i++) {
        (void)usleep(10 * 1000); /* it has not begun to listen */
    }
    MT_ASSERT(now == before + 1);
    OK(mt_device_evidence(device, report_data, &e));
    mt_device_evidence_free(&e);
    end();
}

static void a_tpm_that_is_nowhere_is_not_found(void)
{
    struct mt_device *none = NULL;
    fails(mt_tpm_open("swtpm:path=/nowhere", &none), MT_E_NOTFOUND);
    fails(mt_tpm_open("device:/dev/null/nowhere", &none), MT_E_NOTFOUND);
    fails(mt_tpm_open("libtss2-tcti-swtpm.so", &none), MT_E_ARG);
    fails(mt_tpm_open("", &none), MT_E_ARG);
    MT_ASSERT(none == NULL);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_quote_is_about_the_report_data_and_tpm2_checkquote_agrees),
        MT_TEST(the_quoting_key_is_the_same_after_a_restart),
        MT_TEST(a_quote_about_anything_else_is_refused),
        MT_TEST(values_and_quote_are_of_one_moment),
        MT_TEST(a_challenge_is_answered_by_the_tpm_with_both_keys),
        MT_TEST(the_makers_certificate_is_read_whole),
        MT_TEST(the_counter_goes_up_and_survives_a_restart_and_its_own_removal),
        MT_TEST(a_counter_says_which_tpm_counts),
        MT_TEST(a_store_in_the_counters_place_is_no_counter),
        MT_TEST(what_was_sealed_opens_until_anything_else_is_measured),
        MT_TEST(what_was_changed_or_sealed_elsewhere_does_not_open),
        MT_TEST(no_password_opens_what_was_sealed),
        MT_TEST(who_listens_on_the_bus_learns_no_secret),
        MT_TEST(an_answer_that_is_cut_is_refused),
        MT_TEST(an_answer_that_is_changed_on_its_way_is_refused),
        MT_TEST(everything_works_again_and_again),
        MT_TEST(a_tpm_whose_room_others_fill_is_busy),
        MT_TEST(a_tpm_that_is_locked_out_serves_the_node),
        MT_TEST(a_tpm_that_is_gone_is_closed),
        MT_TEST(a_tpm_that_comes_back_is_opened_again),
        MT_TEST(a_tpm_that_is_nowhere_is_not_found),
    };
    if (!has_program("swtpm") || !has_program("tpm2_checkquote")) {
        (void)puts("1..0 # skip swtpm or tpm2-tools are not here");
        return 0;
    }
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
