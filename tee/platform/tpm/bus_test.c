/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "crypto/context.h"
#include "platform/process.h"
#include "platform/tpm/inside.h"
#include "platform/tpm/sealed.h"
#include "unit/runner.h"
#include "vectors/seal_formats.h"

/* No TPM at all: a bus that answers every command with the same bytes. */
struct bus {
    TSS2_TCTI_CONTEXT_COMMON_V1 common;
    const uint8_t *answer;
    size_t len;
    TSS2_RC rc;
};

static TSS2_RC take(TSS2_TCTI_CONTEXT *t, size_t len, const uint8_t *command)
{
    (void)t;
    (void)len;
    (void)command;
    return TSS2_RC_SUCCESS;
}

static TSS2_RC give(TSS2_TCTI_CONTEXT *t, size_t *len, uint8_t *answer, int32_t timeout)
{
    const struct bus *b = (const struct bus *)(const void *)t;
    (void)timeout;
    if (b->rc == TSS2_RC_SUCCESS && answer != NULL) {
        MT_ASSERT(b->len <= *len);
        memcpy(answer, b->answer, b->len);
    }
    *len = b->len;
    return b->rc;
}

static struct mt_device *device_over(const uint8_t *answer, size_t len, TSS2_RC rc)
{
    struct mt_tpm *t = NULL;
    struct bus *b = calloc(1, sizeof *b);
    MT_ASSERT(b != NULL);
    *b = (struct bus){
        {.magic = 1, .version = 1, .transmit = take, .receive = give}, answer, len, rc};
    MT_ASSERT(!mt_failed(mt_tpm_new((TSS2_TCTI_CONTEXT *)(void *)b, &t)));
    return &t->device;
}

static const uint8_t nothing[MT_REPORT_DATA_LEN];
enum { CALLS = 6 };

static mt_err call(struct mt_device *d, size_t which)
{
    static const uint8_t challenge[] = {0, 3, 1, 2, 3};
    static const mt_bytes hex = {(const uint8_t *)MT_VECTOR_TPM_SEALED,
                                 sizeof MT_VECTOR_TPM_SEALED - 1};
    uint8_t sealed[(sizeof MT_VECTOR_TPM_SEALED - 1) / 2];
    uint8_t out[MT_DEVICE_SECRET_LEN];
    uint64_t number = 0;
    size_t got = 0;
    mt_err e;
    struct mt_device_evidence evidence;
    struct mt_buf a = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    struct mt_buf b = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    mt_device_evidence_init(&evidence);
    MT_ASSERT(!mt_failed(mt_hex_parse(hex, (mt_span){sealed, sizeof sealed})));
    switch (which) {
    case 0:
        e = mt_device_evidence(d, nothing, &evidence);
        break;
    case 1:
        e = mt_device_endorsement(d, &a, &b);
        break;
    case 2:
        e = mt_device_activate(d, MT_BYTES_OF(challenge), MT_BYTES_OF(challenge),
                               (mt_span){out, sizeof out}, &got);
        break;
    case 3:
        e = mt_device_count(d, true, &number, NULL);
        break;
    case 4:
        e = mt_device_seal(d, (mt_bytes){nothing, MT_DEVICE_SECRET_LEN}, false, &a);
        break;
    default:
        e = mt_device_unseal(d, MT_BYTES_OF(sealed), (mt_span){out, sizeof out});
        break;
    }
    mt_device_evidence_free(&evidence);
    mt_buf_free(&a);
    mt_buf_free(&b);
    return e;
}

/* Whatever is asked, it fails, and for this reason; 0: for any. */
static void all_fail(const uint8_t *answer, size_t len, TSS2_RC rc, enum mt_code code)
{
    for (size_t i = 0; i < CALLS; i++) {
        struct mt_device *d = device_over(answer, len, rc);
        mt_err e = call(d, i);
        MT_ASSERT(mt_failed(e));
        if (code != 0 && e.fault->code != code) {
            (void)printf("# call %zu: %s\n", i, e.fault->what);
            (void)fflush(stdout);
        }
        MT_ASSERT(code == 0 || e.fault->code == code);
        mt_device_close(&d);
    }
}

static void every_code_of_a_tpm_has_a_meaning(void)
{
    static const struct {
        uint16_t rc;
        enum mt_code code;
    } known[] = {
        {TPM2_RC_LOCKOUT, MT_E_DENIED},
        {TPM2_RC_RETRY, MT_E_BUSY},
        {TPM2_RC_YIELDED, MT_E_BUSY},
        {TPM2_RC_NV_RATE, MT_E_BUSY},
        {TPM2_RC_OBJECT_MEMORY, MT_E_BUSY},
        {TPM2_RC_SESSION_MEMORY, MT_E_BUSY},
        {TPM2_RC_SESSION_HANDLES, MT_E_BUSY},
        {TPM2_RC_FAILURE, MT_E_IO},
        {TPM2_RC_INITIALIZE, MT_E_IO},
        {TPM2_RC_COMMAND_CODE, MT_E_IO},
        {TPM2_RC_BAD_AUTH | 0x900, MT_E_DENIED},
        {TPM2_RC_AUTH_FAIL | 0x900, MT_E_DENIED},
        {TPM2_RC_POLICY_FAIL | 0x900, MT_E_DENIED},
        {TPM2_RC_PCR_CHANGED, MT_E_DENIED},
        {TPM2_RC_INTEGRITY | 0x1c0, MT_E_PROOF},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const uint8_t answer[] = {
            0x80, 1, 0, 0, 0, 10, 0, 0, (uint8_t)(known[i].rc >> 8), (uint8_t)known[i].rc};
        all_fail(answer, sizeof answer, TSS2_RC_SUCCESS, known[i].code);
    }
}

static void every_code_is_a_failure(void)
{
    for (unsigned rc = 1; rc < 0x1000; rc += 7) {
        const uint8_t answer[] = {0x80, 1, 0, 0, 0, 10, 0, 0, (uint8_t)(rc >> 8), (uint8_t)rc};
        all_fail(answer, sizeof answer, TSS2_RC_SUCCESS, 0);
    }
}

static void answers_of_the_wrong_length_are_refused(void)
{
    static const uint8_t empty_success[] = {0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0};
    static const uint8_t says_more[] = {0x80, 1, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t says_less[] = {0x80, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0};
    for (size_t len = 0; len <= sizeof empty_success; len++) {
        all_fail(empty_success, len, TSS2_RC_SUCCESS, 0);
    }
    all_fail(says_more, sizeof says_more, TSS2_RC_SUCCESS, 0);
    all_fail(says_less, sizeof says_less, TSS2_RC_SUCCESS, 0);
}

/* A success full of the same byte, as long as it says, with and without sessions. */
static void answers_full_of_anything_are_refused(void)
{
    static uint8_t answer[4096];
    for (unsigned fill = 0; fill < 256; fill += 5) {
        for (size_t len = 10; len <= sizeof answer; len += 227) {
            memset(answer, (int)fill, sizeof answer);
            memcpy(answer, (const uint8_t[]){0x80, fill & 1 ? 2 : 1, 0, 0}, 4);
            answer[4] = (uint8_t)(len >> 8);
            answer[5] = (uint8_t)len;
            memset(answer + 6, 0, 4);
            all_fail(answer, len, TSS2_RC_SUCCESS, 0);
        }
    }
}

static void a_bus_that_breaks_is_closed(void)
{
    all_fail(NULL, 0, TSS2_TCTI_RC_IO_ERROR, MT_E_CLOSED);
    all_fail(NULL, 0, TSS2_TCTI_RC_NO_CONNECTION, MT_E_CLOSED);
    struct mt_device *d = device_over(NULL, 0, TSS2_TCTI_RC_IO_ERROR);
    for (size_t i = 0; i < 3 * CALLS; i++) {
        mt_err e = call(d, i % CALLS);
        MT_ASSERT(mt_failed(e));
        MT_ASSERT(e.fault->code == MT_E_CLOSED);
    }
    mt_device_close(&d);
}

/* What another program made of the words of spec/tpm-sealed.md. */
static void what_is_sealed_reads_as_the_page_says(void)
{
    static const struct {
        const char *hex;
        bool has_operator;
        bool is_counted;
        const char *policy; /* NULL: nobody has written it down */
    } all[] = {{MT_VECTOR_TPM_SEALED, false, true, NULL},
               {MT_VECTOR_TPM_SEALED_OPERATOR, true, true, MT_VECTOR_TPM_POLICY_COUNTED},
               {MT_VECTOR_TPM_SEALED_UNCOUNTED, true, false, MT_VECTOR_TPM_POLICY_EITHER}};
    for (size_t i = 0; i < 3; i++) {
        struct mt_tpm_sealed s;
        uint8_t room[512];
        mt_hash policy;
        mt_hash wanted;
        const mt_bytes hex = mt_bytes_of_text(all[i].hex);
        MT_ASSERT(hex.len / 2 <= sizeof room);
        MT_ASSERT(!mt_failed(mt_hex_parse(hex, (mt_span){room, hex.len / 2})));
        MT_ASSERT(!mt_failed(mt_tpm_sealed_parse((mt_bytes){room, hex.len / 2}, &s)));
        MT_ASSERT(s.has_operator == all[i].has_operator && s.is_counted == all[i].is_counted);
        MT_ASSERT(s.until == (s.is_counted ? 5 : 0));
        if (all[i].policy != NULL) {
            MT_ASSERT(!mt_failed(mt_hex_parse(mt_bytes_of_text(all[i].policy),
                                              (mt_span){wanted.b, sizeof wanted.b})));
            mt_tpm_sealed_policy(&s, &policy);
            MT_ASSERT(mt_hash_equal(&policy, &wanted));
        }
        room[0] = 3;
        mt_err e = mt_tpm_sealed_parse((mt_bytes){room, hex.len / 2}, &s);
        MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_CONFLICT);
        MT_ASSERT(strcmp(e.fault->what, "what the TPM sealed is of another version") == 0);
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(every_code_of_a_tpm_has_a_meaning),
        MT_TEST(every_code_is_a_failure),
        MT_TEST(answers_of_the_wrong_length_are_refused),
        MT_TEST(answers_full_of_anything_are_refused),
        MT_TEST(a_bus_that_breaks_is_closed),
        MT_TEST(what_is_sealed_reads_as_the_page_says),
    };
    MT_ASSERT(!mt_failed(mt_crypto_init(mt_process_entropy, NULL)));
    int status = mt_test_run(tests, sizeof tests / sizeof tests[0]);
    mt_crypto_done();
    return status;
}
