/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "crypto/hash.h"
#include "platform/tpm/inside.h"
#include "platform/tpm/world_test.h"

/* A bus that lies, once in each call: whatever it says, no wrong answer is taken for a right one.
 */
static const uint8_t secret[MT_DEVICE_SECRET_LEN] = "the key of everything, 32 bytes.";
static const uint8_t report_data[MT_REPORT_DATA_LEN] = {1};
static struct mt_buf sealed;
static uint64_t count;

static TSS2_TCTI_RECEIVE_FCN receives;
static int answers; /* so far */
static int lie_in;
static void (*lie)(uint8_t *answer, size_t *len, unsigned how);
static unsigned lie_how;
static bool has_lied;

static TSS2_RC receive_lie(TSS2_TCTI_CONTEXT *t, size_t *len, uint8_t *answer, int32_t timeout)
{
    TSS2_RC rc = receives(t, len, answer, timeout);
    if (rc == TSS2_RC_SUCCESS && answer != NULL && answers++ == lie_in) {
        has_lied = true;
        lie(answer, len, lie_how);
    }
    return rc;
}

static void interpose(void)
{
    TSS2_TCTI_CONTEXT_COMMON_V1 *bus = (void *)mt_tpm_of(device)->tcti;
    receives = bus->receive;
    bus->receive = receive_lie;
    answers = 0;
    has_lied = false;
}

static void try_evidence(void)
{
    struct mt_device_evidence e;
    mt_device_evidence_init(&e);
    mt_err e_or_ok = mt_device_evidence(device, report_data, &e);
    MT_ASSERT(!mt_failed(e_or_ok) || e.kind == MT_EVIDENCE_NONE);
    mt_device_evidence_free(&e); /* a verifier judges it */
}

static void try_unseal(void)
{
    uint8_t out[sizeof secret] = {0};
    bool is_ok =
        !mt_failed(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out}));
    MT_ASSERT(!is_ok || mt_bytes_equal(MT_BYTES_OF(out), MT_BYTES_OF(secret)));
    MT_ASSERT(is_ok || out[0] == 0);
}

static void try_count(void)
{
    uint64_t now = 0;
    bool is_ok = !mt_failed(mt_device_count(device, false, &now, NULL));
    MT_ASSERT(!is_ok || now == count);
}

static void try_seal(void)
{
    struct mt_buf out = mt_buf_of_max(8192);
    mt_err e = mt_device_seal(device, MT_BYTES_OF(secret), false, &out);
    MT_ASSERT(!mt_failed(e) || out.len == 0);
    mt_buf_free(&out);
}

static void (*const calls[])(void) = {try_evidence, try_unseal, try_count, try_seal};

/* What was left in the TPM by a call that broke off, a resource manager would take away. */
static void flush(uint32_t handle)
{
    TSS2_TCTI_CONTEXT *bus = mt_tpm_of(device)->tcti;
    uint8_t command[14];
    uint8_t answer[4096];
    size_t len = sizeof answer;
    struct mt_writer w = mt_writer_over((mt_span){command, sizeof command});
    mt_write_u16be(&w, TPM2_ST_NO_SESSIONS);
    mt_write_u32be(&w, sizeof command);
    mt_write_u32be(&w, TPM2_CC_FlushContext);
    mt_write_u32be(&w, handle);
    MT_ASSERT(Tss2_Tcti_Transmit(bus, mt_write_done(&w).len, command) == TSS2_RC_SUCCESS);
    MT_ASSERT(Tss2_Tcti_Receive(bus, &len, answer, -1) == TSS2_RC_SUCCESS);
}

static void fresh_tpm(void)
{
    mt_device_close(&device);
    open_device();
    for (uint32_t i = 0; i < 3; i++) {
        flush(TPM2_TRANSIENT_FIRST + i);
        flush(TPM2_HMAC_SESSION_FIRST + i);
        flush(TPM2_POLICY_SESSION_FIRST + i);
    }
    interpose();
}

/* Each answer of each call, lied about once. */
static void lie_everywhere(void (*how)(uint8_t *, size_t *, unsigned), unsigned variant)
{
    lie = how;
    lie_how = variant;
    for (size_t c = 0; c < sizeof calls / sizeof calls[0]; c++) {
        has_lied = true;
        for (lie_in = 0; has_lied; lie_in++) {
            fresh_tpm();
            calls[c]();
        }
        MT_ASSERT(lie_in > 2);
    }
}

static void cut(uint8_t *answer, size_t *len, unsigned how)
{
    (void)answer;
    *len = how == 0 ? 0 : how == 1 ? 9 : *len - 1;
}

static void shorter(uint8_t *answer, size_t *len, unsigned how)
{
    /* The header says so, too. */
    *len = how == 0 ? 10 : *len - 1;
    answer[2] = 0;
    answer[3] = 0;
    answer[4] = (uint8_t)(*len >> 8);
    answer[5] = (uint8_t)*len;
}

static void refuse(uint8_t *answer, size_t *len, unsigned code)
{
    static const uint8_t head[6] = {0x80, 0x01, 0, 0, 0, 10};
    memcpy(answer, head, sizeof head);
    answer[6] = 0;
    answer[7] = 0;
    answer[8] = (uint8_t)(code >> 8);
    answer[9] = (uint8_t)code;
    *len = 10;
}

static void flip(uint8_t *answer, size_t *len, unsigned how)
{
    answer[*len * how / 8] ^= 1;
}

static void fill(uint8_t *answer, size_t *len, unsigned how)
{
    memset(answer + 10, (int)how, *len - 10);
}

static void begin_all(void)
{
    lie_in = -1;
    begin();
    sealed = mt_buf_of_max(8192);
    OK(mt_device_seal(device, MT_BYTES_OF(secret), false, &sealed));
    OK(mt_device_count(device, true, &count, NULL));
}

static void end_all(void)
{
    mt_buf_free(&sealed);
    end();
}

static void an_answer_that_is_cut_is_none(void)
{
    begin_all();
    for (unsigned how = 0; how < 3; how++) {
        lie_everywhere(cut, how);
    }
    for (unsigned how = 0; how < 2; how++) {
        lie_everywhere(shorter, how);
    }
    end_all();
}

static void an_error_is_no_answer(void)
{
    static const unsigned codes[] = {TPM2_RC_FAILURE,
                                     TPM2_RC_LOCKOUT,
                                     TPM2_RC_INITIALIZE,
                                     TPM2_RC_HANDLE | 0x100,
                                     TPM2_RC_POLICY_FAIL | 0x900,
                                     0xfff};
    begin_all();
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        lie_everywhere(refuse, codes[i]);
    }
    end_all();
}

static void an_answer_that_was_changed_is_never_a_wrong_result(void)
{
    begin_all();
    for (unsigned how = 1; how < 8; how += 2) {
        lie_everywhere(flip, how);
    }
    lie_everywhere(fill, 0xff);
    lie_everywhere(fill, 0);
    end_all();
}

/* TPM2_CreatePrimary's answer has the public area after head, handle and size, and its name. */
static void unrestrict(uint8_t *answer, size_t *len, unsigned how)
{
    enum { AREA = 10 + 4 + 4 + 2 };
    static const uint8_t attributes[] = {0x00, 0x05, 0x04, 0x72};
    const mt_bytes area = {answer + AREA, (size_t)answer[AREA - 2] << 8 | answer[AREA - 1]};
    uint8_t *at = memmem(answer, *len, attributes, sizeof attributes);
    mt_hash name;
    (void)how;
    MT_ASSERT(at != NULL);
    mt_sha256(&area, 1, &name);
    uint8_t *named = memmem(answer, *len, name.b, sizeof name.b);
    MT_ASSERT(named != NULL);
    at[1] = 0x04;
    mt_sha256(&area, 1, &name);
    memcpy(named, name.b, sizeof name.b);
}

/* One that is not restricted signs whatever it is given, made up quotes too. */
static void a_quoting_key_that_is_not_restricted_is_refused(void)
{
    struct mt_device_evidence e;
    begin_all();
    fresh_tpm();
    lie = unrestrict;
    lie_in = 1; /* behind the question whether it is still there */
    mt_device_evidence_init(&e);
    fails(mt_device_evidence(device, report_data, &e), MT_E_PROOF);
    MT_ASSERT(has_lied);
    mt_device_evidence_free(&e);
    end_all();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(an_answer_that_is_cut_is_none),
        MT_TEST(an_error_is_no_answer),
        MT_TEST(an_answer_that_was_changed_is_never_a_wrong_result),
        MT_TEST(a_quoting_key_that_is_not_restricted_is_refused),
    };
    if (!has_program("swtpm")) {
        (void)puts("1..0 # skip swtpm is not here");
        return 0;
    }
    return mt_test_run(tests, sizeof tests / sizeof tests[0]);
}
