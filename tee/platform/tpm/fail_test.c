/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "platform/tpm/inside.h"
#include "platform/tpm/world_test.h"

/* A TPM that fails once, at the n-th command of what it is asked, for every n: that act fails,
 * nothing of it stays behind, and the next one succeeds. */
static const uint8_t report_data[MT_REPORT_DATA_LEN] = {1, 2, 3};
static const uint8_t key[MT_DEVICE_SECRET_LEN] = "one key of thirty-two bytes, yes";
static struct mt_buf sealed;
static uint64_t counted;
static unsigned fails_in; /* 0: not */
static bool is_failing;
static TSS2_TCTI_TRANSMIT_FCN sends;
static TSS2_TCTI_RECEIVE_FCN receives;

/* The command does not reach the TPM. Ending a key or a session does: no answer says of a failed
 * one whether it is still there. */
static TSS2_RC send_or_fail(TSS2_TCTI_CONTEXT *t, size_t len, const uint8_t *command)
{
    bool is_end = (command[8] << 8 | command[9]) == TPM2_CC_FlushContext;
    if (!is_end && fails_in > 0 && --fails_in == 0) {
        is_failing = true;
        return TSS2_RC_SUCCESS;
    }
    return sends(t, len, command);
}

static TSS2_RC receive_or_fail(TSS2_TCTI_CONTEXT *t, size_t *len, uint8_t *answer, int32_t timeout)
{
    static const uint8_t failure[] = {0x80, 1, 0, 0, 0, 10, 0, 0, 1, 1}; /* TPM_RC_FAILURE */
    if (!is_failing) {
        return receives(t, len, answer, timeout);
    }
    if (answer != NULL) {
        memcpy(answer, failure, sizeof failure);
        is_failing = false;
    }
    *len = sizeof failure;
    return TSS2_RC_SUCCESS;
}

static mt_err quote(void)
{
    struct mt_device_evidence e;
    mt_device_evidence_init(&e);
    mt_err failed = mt_device_evidence(device, report_data, &e);
    mt_device_evidence_free(&e);
    return failed;
}

static mt_err seal(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(MT_CREDENTIAL_BYTES_MAX);
    return mt_device_seal(device, MT_BYTES_OF(key), false, &out);
}

static mt_err unseal(void)
{
    uint8_t out[MT_DEVICE_SECRET_LEN] = {0};
    MT_TRY(mt_device_unseal(device, mt_buf_bytes(&sealed), (mt_span){out, sizeof out}));
    MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(out), MT_BYTES_OF(key)));
    return MT_OK;
}

/* Never back, and once at the most. */
static mt_err count(void)
{
    uint64_t before = 0;
    unsigned later = fails_in;
    fails_in = 0;
    OK(mt_device_count(device, false, &before, NULL));
    MT_ASSERT(before == counted || before == counted + 1);
    counted = before;
    fails_in = later;
    MT_TRY(mt_device_count(device, true, &counted, NULL));
    MT_ASSERT(counted == before + 1);
    return MT_OK;
}

static mt_err endorse(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf certificate = mt_buf_of_max(MT_X509_BYTES_MAX);
    MT_DEFER(mt_buf_free) struct mt_buf ek = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    return mt_device_endorsement(device, &certificate, &ek);
}

static void sweep(mt_err (*act)(void))
{
    for (unsigned n = 1;; n++) {
        fails_in = n;
        mt_err e = act();
        bool was_reached = fails_in == 0;
        fails_in = 0;
        OK(act());
        if (!was_reached) {
            OK(e);
            MT_ASSERT(n > 2);
            return;
        }
        if (n > 1 || mt_failed(e)) { /* the first only asks whether the bus is there */
            fails(e, MT_E_IO);
        }
    }
}

static void a_tpm_that_fails_once_fails_one_act(void)
{
    begin();
    sealed = mt_buf_of_max(MT_CREDENTIAL_BYTES_MAX);
    OK(mt_device_seal(device, MT_BYTES_OF(key), false, &sealed));
    OK(mt_device_count(device, false, &counted, NULL));
    TSS2_TCTI_CONTEXT_COMMON_V1 *bus = (void *)mt_tpm_of(device)->tcti;
    sends = bus->transmit;
    receives = bus->receive;
    bus->transmit = send_or_fail;
    bus->receive = receive_or_fail;
    sweep(quote);
    sweep(seal);
    sweep(unseal);
    sweep(count);
    sweep(endorse);
    mt_buf_free(&sealed);
    end();
}

int main(void)
{
    const struct mt_test tests[] = {MT_TEST(a_tpm_that_fails_once_fails_one_act)};
    if (!has_program("swtpm")) {
        (void)puts("1..0 # skip swtpm is not here");
        return 0;
    }
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
