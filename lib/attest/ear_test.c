/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/ear.h"

#include "attest/world_test.h"
#include "wire/json.h"

enum { TOKEN_MAX = 8192, PARTS = 3 };
static const uint64_t now_ms = 1750000000999;

static struct mt_claims claims;
static struct mt_trace trace;
static struct mt_ear ear;
static uint8_t nonce[MT_REPORT_DATA_LEN];

static struct mt_buf token;
static mt_bytes signed_part;
static struct mt_buf parts[PARTS]; /* header, payload, signature, decoded */

/* An up-to-date TDX guest, accepted. */
static void begin(void)
{
    static mt_hash policy;
    memset(&claims, 0, sizeof claims);
    memset(&policy, 0x33, sizeof policy);
    memset(nonce, 0xfb, sizeof nonce);
    claims.kind = MT_EVIDENCE_TDX;
    claims.level = MT_LEVEL_CVM;
    claims.tcb_status = MT_TCB_UP_TO_DATE;
    memset(&claims.measurement, 0x11, sizeof claims.measurement);
    memset(&claims.platform, 0x22, sizeof claims.platform);
    trace.count = 0;
    mt_trace_pass(&trace, "tcb-status", "");
    mt_trace_pass(&trace, "platform-foreign", "");
    mt_trace_pass(&trace, "measurement-unknown", "");
    mt_trace_pass(&trace, "configuration-unknown", "");
    ear = (struct mt_ear){&claims, &trace, true, &policy, {nonce, 2}, now_ms, 3600000};
}

static void drop(void)
{
    mt_buf_free(&token);
    for (size_t i = 0; i < PARTS; i++) {
        mt_buf_free(&parts[i]);
    }
}

/* The token, taken apart as RFC 7515 says. */
static void make(void)
{
    drop();
    token = mt_buf_of_max(TOKEN_MAX);
    struct mt_writer w = mt_writer_onto(&token);
    OK(mt_ear_write(&w, keys[OWNER], &ear));
    mt_bytes rest = written(&w);
    const mt_bytes whole = rest;
    for (size_t i = 0; i < PARTS; i++) {
        const uint8_t *dot = memchr(rest.ptr, '.', rest.len);
        MT_ASSERT((dot == NULL) == (i == PARTS - 1));
        size_t len = dot != NULL ? (size_t)(dot - rest.ptr) : rest.len;
        parts[i] = mt_buf_of_max(TOKEN_MAX);
        OK(mt_base64url_parse((mt_bytes){rest.ptr, len}, &parts[i]));
        if (i == 1) {
            signed_part = (mt_bytes){whole.ptr, (size_t)(rest.ptr + len - whole.ptr)};
        }
        if (dot != NULL) {
            rest = (mt_bytes){dot + 1, rest.len - len - 1};
        }
    }
}

static bool is_payload(const char *text)
{
    make();
    return mt_bytes_equal(mt_buf_bytes(&parts[1]), mt_bytes_of_text(text));
}

#define H11 "1111111111111111111111111111111111111111111111111111111111111111"
#define H22 "2222222222222222222222222222222222222222222222222222222222222222"
#define H33 "3333333333333333333333333333333333333333333333333333333333333333"
#define FRONT                                                                                      \
    "{\"ear.verifier-id\":{\"build\":\"mesatee\",\"developer\":\"The MesaTEE authors\"},"          \
    "\"eat_nonce\":\"-_s\",\"eat_profile\":\"tag:github.com,2023:veraison/ear\","                  \
    "\"exp\":1750003600,\"iat\":1750000000,\"submods\":{\"platform\":{"

/* The names are those of RFC 9711 (eat_nonce, eat_profile, submods), RFC 7519 (iat, exp) and
 * draft-ietf-rats-ear, the numbers those of AR4SI. */
static void an_accepted_result_is_these_bytes(void)
{
    begin();
    MT_ASSERT(is_payload(
        FRONT
        "\"ear.appraisal-policy-id\":\"" H33 "\",\"ear.status\":\"affirming\","
        "\"ear.trustworthiness-vector\":{\"configuration\":2,\"executables\":3,\"hardware\":2,"
        "\"instance-identity\":2,\"runtime-opaque\":2},\"mesatee.kind\":\"tdx\",\"mesatee.level\":"
        "4,"
        "\"mesatee.measurement\":\"" H11 "\",\"mesatee.platform\":\"" H22
        "\",\"mesatee.tcb-status\":\"UpToDate\"}}}"));
}

static void evidence_that_is_not_genuine_claims_nothing(void)
{
    begin();
    ear.claims = NULL;
    ear.is_accepted = false;
    ear.policy = NULL;
    trace.count = 0;
    mt_trace_fail(&trace, "quote-signature", "", "");
    MT_ASSERT(is_payload(
        FRONT "\"ear.status\":\"contraindicated\",\"ear.trustworthiness-vector\":{"
              "\"configuration\":99,\"executables\":99,\"hardware\":99,\"instance-identity\":99,"
              "\"runtime-opaque\":99},\"mesatee.failed\":\"quote-signature\"}}}"));
}

static void the_header_names_the_algorithm_and_the_key(void)
{
    uint8_t room[256];
    const mt_hash kid = subject_of(OWNER);
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_bytes(&w, MT_LITERAL("{\"alg\":\"ES256\",\"kid\":\""));
    mt_hex_write(&w, mt_hash_bytes(&kid));
    mt_write_bytes(&w, MT_LITERAL("\",\"typ\":\"JWT\"}"));
    begin();
    make();
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&parts[0]), written(&w)));
}

static void the_signature_is_over_all_of_it_and_by_this_key_alone(void)
{
    begin();
    make();
    const mt_spki key = spki_of(OWNER);
    const mt_spki other = spki_of(STRANGER);
    const mt_bytes signature = mt_buf_bytes(&parts[2]);
    uint8_t *at = (uint8_t *)token.ptr;
    MT_ASSERT(signature.len == MT_SIGNATURE_LEN && signed_part.ptr == at);
    OK(mt_verify(&key, signed_part, signature));
    MT_ASSERT(mt_failed(mt_verify(&other, signed_part, signature)));
    for (size_t i = 0; i < signed_part.len; i += 5) {
        at[i] ^= 1;
        MT_ASSERT(mt_failed(mt_verify(&key, signed_part, signature)));
        at[i] ^= 1;
    }
}

/* One member of the result of the one attester, as JSON. */
static bool has_result(const char *member)
{
    make();
    const mt_bytes all = mt_buf_bytes(&parts[1]);
    return memmem(all.ptr, all.len, member, strlen(member)) != NULL;
}

static void each_number_goes_by_its_rule(void)
{
    static const struct {
        const char *rule;
        const char *passed;
        const char *failed;
        const char *unseen;
    } table[] = {
        {"configuration-unknown", "\"configuration\":2,", "\"configuration\":36,",
         "\"configuration\":0,"},
        {"measurement-unknown", "\"executables\":3,", "\"executables\":33,", "\"executables\":0,"},
        {"tcb-status", "\"hardware\":2,", "\"hardware\":96,", "\"hardware\":0,"},
        {"platform-foreign", "\"instance-identity\":2,", "\"instance-identity\":96,",
         "\"instance-identity\":0,"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        begin();
        MT_ASSERT(has_result(table[i].passed));
        trace.count = 0;
        MT_ASSERT(has_result(table[i].unseen));
        mt_trace_fail(&trace, table[i].rule, "", "");
        ear.is_accepted = false;
        MT_ASSERT(has_result(table[i].failed) && has_result("\"ear.status\":\"contraindicated\""));
        MT_ASSERT(has_result(table[i].rule));
    }
}

/* Its policy may tolerate it; a relying party that reads the status alone has not. */
static void the_status_is_no_better_than_the_worst_number(void)
{
    begin();
    MT_ASSERT(has_result("\"ear.status\":\"affirming\""));
    mt_claim_weakness(&claims, MT_WEAK_DEBUG);
    MT_ASSERT(has_result("\"runtime-opaque\":96"));
    MT_ASSERT(has_result("\"ear.status\":\"contraindicated\""));
    begin();
    claims.has_host_in_tcb = true;
    MT_ASSERT(has_result("\"ear.status\":\"contraindicated\""));
    begin();
    mt_trace_fail(&trace, "configuration-unknown", "", ""); /* seen twice: the first counts */
    MT_ASSERT(has_result("\"ear.status\":\"affirming\""));
    trace.count = 3;
    mt_trace_fail(&trace, "configuration-unknown", "", "");
    MT_ASSERT(has_result("\"ear.status\":\"warning\""));
    begin();
    ear.is_accepted = false;
    MT_ASSERT(has_result("\"ear.status\":\"contraindicated\""));
}

static void a_token_is_about_its_nonce_and_for_its_time(void)
{
    begin();
    ear.nonce = MT_BYTES_OF(nonce);
    MT_ASSERT(
        has_result("\"eat_nonce\":\"-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_"
                   "v7-_v7-_v7-_v7-_v7-_v7-_v7-w\""));
    nonce[0] = 0;
    MT_ASSERT(has_result("\"eat_nonce\":\"APv7"));
    ear.valid_ms = 60000;
    MT_ASSERT(has_result("\"exp\":1750000060,\"iat\":1750000000,"));
    ear.now_ms = 0;
    MT_ASSERT(has_result("\"exp\":60,\"iat\":0,"));
}

static void a_writer_without_room_fails(void)
{
    uint8_t room[TOKEN_MAX];
    mt_bytes out;
    begin();
    make();
    for (size_t len = 0; len < token.len; len += 101) {
        struct mt_writer w = mt_writer_over((mt_span){room, len});
        OK(mt_ear_write(&w, keys[OWNER], &ear));
        MT_ASSERT(mt_failed(mt_write_end(&w, &out)));
    }
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(an_accepted_result_is_these_bytes),
        MT_TEST(evidence_that_is_not_genuine_claims_nothing),
        MT_TEST(the_header_names_the_algorithm_and_the_key),
        MT_TEST(the_signature_is_over_all_of_it_and_by_this_key_alone),
        MT_TEST(each_number_goes_by_its_rule),
        MT_TEST(the_status_is_no_better_than_the_worst_number),
        MT_TEST(a_token_is_about_its_nonce_and_for_its_time),
        MT_TEST(a_writer_without_room_fails),
    };
    world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    drop();
    world_end();
    return rc;
}
