/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Real quotes with the collateral of their time (tests/vectors/dcap). Arguments: that folder; and
 * 1 for every byte of every quote instead of some. */
#include "attest/dcap_trust.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "crypto/context.h"
#include "unit/runner.h"
#include "wire/json.h"

#define OK(call_) MT_ASSERT(!mt_failed(call_))

enum { FILE_BYTES_MAX = 8192, FILES = 10, SETS = 8, STATUS_BYTES_MAX = 64 };

static const char *folder;
static bool is_whole;

static const char *const names[SETS] = {
    "sgx_v3_processor", "sgx_v3_tcbinfo_v2_debug", "tdx_v4_uptodate", "tdx_v4_azure",
    "tdx_v4_gcp",       "tdx_v4_not_supported",    "tdx_v5_uptodate", "tdx_v5_relaunch_advised"};

struct set {
    uint8_t room[FILES][FILE_BYTES_MAX];
    struct mt_evidence in;
    mt_bytes expected;
    uint8_t report_data[MT_REPORT_DATA_LEN];
};
static struct set sets[SETS];

static mt_err no_random(void *state, mt_span out)
{
    (void)state;
    memset(out.ptr, 7, out.len);
    return MT_OK;
}

static mt_bytes load(const char *set, const char *file, uint8_t room[FILE_BYTES_MAX])
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s/%s", folder, set, file);
    FILE *f = fopen(path, "rb");
    MT_ASSERT(f != NULL);
    size_t len = fread(room, 1, FILE_BYTES_MAX, f);
    MT_ASSERT(len > 0 && fgetc(f) == EOF);
    (void)fclose(f);
    return (mt_bytes){room, len};
}

static void load_set(const char *name, struct set *s)
{
    mt_bytes text;
    MT_DEFER(mt_json_free) struct mt_json *root = NULL;
    struct mt_collateral *c = &s->in.collateral;
    s->in.quote = load(name, "quote.bin", s->room[0]);
    c->tcb_info = load(name, "tcb_info.json", s->room[1]);
    c->tcb_info_signature = load(name, "tcb_info.sig", s->room[2]);
    c->tcb_info_chain = load(name, "tcb_info_chain.pem", s->room[3]);
    c->qe_identity = load(name, "qe_identity.json", s->room[4]);
    c->qe_identity_signature = load(name, "qe_identity.sig", s->room[5]);
    c->qe_identity_chain = load(name, "qe_identity_chain.pem", s->room[6]);
    c->root_ca_crl = load(name, "root_ca_crl.der", s->room[7]);
    c->pck_crl = load(name, "pck_crl.der", s->room[8]);
    s->expected = load(name, "expected.json", s->room[9]);
    OK(mt_json_parse(s->expected, &root, NULL));
    OK(mt_json_text(root, "reference_time", &text));
    OK(mt_time_parse(text, &s->in.now_ms));
    OK(mt_json_hex(root, "report_data", (mt_span){s->report_data, MT_REPORT_DATA_LEN}));
}

/* NULL if it is genuine, else the rule that failed. */
static const char *ask_as(const struct mt_evidence *in, const uint8_t *report_data,
                          struct mt_claims *claims)
{
    struct mt_trace trace = {.count = 0};
    mt_err e = mt_dcap_verify(in, mt_dcap_intel_roots(), report_data, claims, &trace);
    const struct mt_check *failed = mt_trace_failed(&trace);
    MT_ASSERT(mt_failed(e) == (failed != NULL));
    return failed != NULL ? failed->rule : NULL;
}

static const char *ask(const struct set *s, const struct mt_evidence *in)
{
    struct mt_claims claims;
    return ask_as(in, s->report_data, &claims);
}

static void is_refused(const struct set *s, const struct mt_evidence *in, const char *rule)
{
    const char *got = ask(s, in);
    MT_ASSERT(got != NULL && strcmp(got, rule) == 0);
}

static void same_advisories(const struct mt_json *want, const struct mt_claims *c)
{
    size_t found = 0;
    for (size_t i = 0; i < mt_json_count(want); i++) {
        mt_bytes id;
        OK(mt_json_as_text(mt_json_at(want, i), &id));
        for (size_t k = 0; k < c->advisories_count; k++) {
            found += mt_bytes_equal(id, c->advisories[k]) ? 1 : 0;
        }
    }
    MT_ASSERT(found == mt_json_count(want) && found == c->advisories_count);
}

static void every_set_has_the_verdict_that_others_gave_it(void)
{
    for (size_t i = 0; i < SETS; i++) {
        const struct set *s = &sets[i];
        static struct mt_claims c;
        mt_bytes status;
        mt_bytes date;
        uint64_t date_ms = 0;
        bool is_debug = false;
        MT_DEFER(mt_json_free) struct mt_json *want = NULL;
        OK(mt_json_parse(s->expected, &want, NULL));
        OK(mt_json_text(want, "tcb_status", &status));
        OK(mt_json_bool(want, "debug", &is_debug));
        const char *rule = ask_as(&s->in, s->report_data, &c);
        if (rule != NULL) {
            (void)printf("# %s: %s\n", names[i], rule);
        }
        MT_ASSERT(rule == NULL && c.has_hardware_root);
        MT_ASSERT(mt_claims_has(&c, MT_WEAK_DEBUG) == is_debug);
        if (mt_bytes_equal(status, MT_LITERAL("TCB_NOT_SUPPORTED"))) {
            MT_ASSERT(c.tcb_status == MT_TCB_NOT_SUPPORTED && c.tcb_date_ms == 0);
            continue;
        }
        MT_ASSERT(mt_bytes_equal(status, mt_bytes_of_text(mt_tcb_status_name(c.tcb_status))));
        OK(mt_json_text(want, "tcb_date", &date));
        OK(mt_time_parse(date, &date_ms));
        MT_ASSERT(c.tcb_date_ms == date_ms);
        same_advisories(mt_json_get(want, "advisory_ids"), &c);
    }
}

static void a_set_is_for_its_time(void)
{
    static const uint64_t days_400_ms = 400ULL * 24 * 60 * 60 * 1000;
    for (size_t i = 0; i < SETS; i++) {
        struct mt_evidence in = sets[i].in;
        in.now_ms = sets[i].in.now_ms + days_400_ms;
        MT_ASSERT(ask(&sets[i], &in) != NULL);
        in.now_ms = sets[i].in.now_ms - days_400_ms;
        MT_ASSERT(ask(&sets[i], &in) != NULL);
    }
}

static void report_data_is_compared_whole(void)
{
    struct mt_claims c;
    for (size_t i = 0; i < SETS; i++) {
        for (size_t at = 0; at < MT_REPORT_DATA_LEN; at += is_whole ? 1 : 7) {
            sets[i].report_data[at] ^= 0x80;
            const char *rule = ask_as(&sets[i].in, sets[i].report_data, &c);
            MT_ASSERT(rule != NULL && strcmp(rule, "report-data") == 0);
            sets[i].report_data[at] ^= 0x80;
        }
    }
}

static void collateral_of_another_platform_is_refused(void)
{
    for (size_t i = 0; i < SETS; i++) {
        for (size_t k = 0; k < SETS; k++) {
            struct mt_evidence in = sets[i].in;
            in.collateral = sets[k].in.collateral;
            in.now_ms = sets[k].in.now_ms;
            /* The two last ones, and the one of Azure, are of one model of platform. */
            if (i != k && !(i >= 6 && k >= 6) && !(i == 3 && k >= 6) && !(k == 3 && i >= 6)) {
                MT_ASSERT(ask(&sets[i], &in) != NULL);
            }
        }
    }
}

static void what_is_missing_or_damaged_is_named(void)
{
    const struct set *s = &sets[2];
    struct mt_evidence in = s->in;
    in.collateral.pck_crl.len = 0;
    is_refused(s, &in, "crl-missing");
    in = s->in;
    in.collateral.root_ca_crl.len = 0;
    is_refused(s, &in, "crl-missing");
    in = s->in;
    in.collateral.tcb_info.len--;
    is_refused(s, &in, "collateral-signature");
    in = s->in;
    in.collateral.qe_identity_signature.len--;
    is_refused(s, &in, "collateral-signature");
    in = s->in;
    in.collateral.qe_identity.len--;
    is_refused(s, &in, "collateral-signature");
    in = s->in;
    in.collateral.tcb_info_chain.len = 0;
    is_refused(s, &in, "tcb-chain-format");
    in = s->in;
    in.quote.len = 0;
    is_refused(s, &in, "quote-format");
    in = s->in;
    in.collateral.tcb_info = sets[0].in.collateral.tcb_info;
    is_refused(s, &in, "collateral-signature");
    in.collateral = sets[0].in.collateral; /* of SGX, of the same day */
    is_refused(s, &in, "crl-missing");
}

/* Where the signature data ends: what follows is nobody's. */
static size_t end_of(mt_bytes quote)
{
    size_t at = quote.ptr[0] == 3 ? 432 : 632;
    if (quote.ptr[0] == 5) {
        at = 54 + (size_t)quote.ptr[50] + ((size_t)quote.ptr[51] << 8);
    }
    return at + 4 + quote.ptr[at] + ((size_t)quote.ptr[at + 1] << 8);
}

static void every_byte_of_a_quote_counts(void)
{
    size_t step = is_whole ? 1 : 41;
    for (size_t i = 0; i < SETS; i++) {
        struct set *s = &sets[i];
        size_t len = end_of(s->in.quote);
        for (size_t at = i % step; at < len; at += step) {
            s->room[0][at] ^= 1;
            MT_ASSERT(ask(s, &s->in) != NULL);
            s->room[0][at] ^= 1;
        }
        MT_ASSERT(ask(s, &s->in) == NULL);
    }
}

static void every_truncation_is_refused_down_to_what_nobody_signed(void)
{
    for (size_t i = 0; i < SETS; i++) {
        struct mt_evidence in = sets[i].in;
        size_t end = end_of(in.quote);
        in.quote.len = end;
        MT_ASSERT(ask(&sets[i], &in) == NULL);
        for (size_t len = 0; len < end; len++) {
            in.quote.len = len;
            is_refused(&sets[i], &in, "quote-format");
        }
    }
}

static void only_the_pinned_root_is_believed(void)
{
    struct mt_claims c;
    struct mt_trace trace = {.count = 0};
    const struct mt_dcap_roots *intel = mt_dcap_intel_roots();
    uint8_t der[1024];
    memcpy(der, intel->sgx_root.ptr, intel->sgx_root.len);
    der[intel->sgx_root.len - 1] ^= 1; /* of its signature: the same key and names */
    const struct mt_dcap_roots other = {{der, intel->sgx_root.len}};
    MT_ASSERT(mt_failed(mt_dcap_verify(&sets[2].in, &other, sets[2].report_data, &c, &trace)));
    MT_ASSERT(strcmp(mt_trace_failed(&trace)->rule, "certificate-untrusted") == 0);
}

static const char *ask_trust(const struct mt_dcap_trust *t, const struct set *s, uint64_t now_ms,
                             struct mt_claims *claims)
{
    struct mt_trace trace = {.count = 0};
    const struct mt_evidence in = {.quote = s->in.quote, .now_ms = now_ms};
    mt_err e = mt_dcap_verify_with(t, &in, s->report_data, claims, &trace);
    const struct mt_check *failed = mt_trace_failed(&trace);
    MT_ASSERT(mt_failed(e) == (failed != NULL));
    return failed != NULL ? failed->rule : NULL;
}

static bool is_window(const char *rule)
{
    return rule != NULL && strcmp(rule, "collateral-window") == 0;
}

/* Believed once is believed as long as, and no longer than, it would be believed anew. */
static void what_is_believed_once_holds_exactly_as_long_as_all_of_it(void)
{
    for (size_t i = 0; i < SETS; i++) {
        MT_DEFER(mt_dcap_trust_free) struct mt_dcap_trust *t = NULL;
        static struct mt_claims c;
        static struct mt_claims anew;
        struct mt_trace trace = {.count = 0};
        struct mt_evidence in = sets[i].in;
        OK(mt_dcap_trust_new(&in, mt_dcap_intel_roots(), &t, &trace));
        MT_ASSERT(t->from_ms <= in.now_ms && in.now_ms <= t->until_ms);
        MT_ASSERT(ask_trust(t, &sets[i], in.now_ms, &c) == NULL);
        MT_ASSERT(ask_as(&in, sets[i].report_data, &anew) == NULL);
        MT_ASSERT(mt_hash_equal(&c.measurement, &anew.measurement) &&
                  mt_hash_equal(&c.platform, &anew.platform) && c.tcb_status == anew.tcb_status &&
                  c.advisories_count == anew.advisories_count);
        const uint64_t edges[] = {t->from_ms, t->from_ms - 1, t->until_ms, t->until_ms + 1};
        for (size_t k = 0; k < sizeof edges / sizeof *edges; k++) {
            in.now_ms = edges[k];
            const char *rule = ask_as(&in, sets[i].report_data, &anew);
            MT_ASSERT((rule == NULL) == (k == 0 || k == 2));
            MT_ASSERT(is_window(ask_trust(t, &sets[i], in.now_ms, &c)) == (rule != NULL));
        }
    }
}

/* The quoting enclave's word is remembered too: for the same words alone. */
static void every_byte_of_a_quote_counts_for_what_is_believed_once(void)
{
    size_t step = is_whole ? 1 : 7;
    for (size_t i = 0; i < SETS; i++) {
        MT_DEFER(mt_dcap_trust_free) struct mt_dcap_trust *t = NULL;
        static uint8_t room[FILE_BYTES_MAX];
        static struct set changed;
        struct mt_trace trace = {.count = 0};
        struct mt_claims c;
        changed = sets[i];
        const mt_bytes quote = sets[i].in.quote;
        OK(mt_dcap_trust_new(&sets[i].in, mt_dcap_intel_roots(), &t, &trace));
        memcpy(room, quote.ptr, quote.len);
        changed.in.quote.ptr = room;
        size_t end = end_of(quote);
        for (size_t at = i % step; at < end; at += at < end - t->pem.len ? step : 41) {
            room[at] ^= 1;
            MT_ASSERT(ask_trust(t, &changed, sets[i].in.now_ms, &c) != NULL);
            room[at] ^= 1;
        }
        MT_ASSERT(ask_trust(t, &changed, sets[i].in.now_ms, &c) == NULL);
    }
}

static void what_is_believed_of_one_platform_is_for_no_other(void)
{
    for (size_t i = 0; i < SETS; i++) {
        MT_DEFER(mt_dcap_trust_free) struct mt_dcap_trust *t = NULL;
        struct mt_trace trace = {.count = 0};
        struct mt_claims c;
        OK(mt_dcap_trust_new(&sets[i].in, mt_dcap_intel_roots(), &t, &trace));
        for (size_t k = 0; k < SETS; k++) {
            const char *rule = ask_trust(t, &sets[k], sets[i].in.now_ms, &c);
            bool is_foreign = rule != NULL && strcmp(rule, "platform-believed") == 0;
            MT_ASSERT(i == k ? rule == NULL : is_foreign);
        }
        MT_DEFER(mt_dcap_trust_free) struct mt_dcap_trust *none = NULL;
        struct mt_evidence late = sets[i].in;
        late.now_ms = t->until_ms + 1;
        MT_ASSERT(mt_failed(mt_dcap_trust_new(&late, mt_dcap_intel_roots(), &none, &trace)));
    }
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(every_set_has_the_verdict_that_others_gave_it),
        MT_TEST(a_set_is_for_its_time),
        MT_TEST(report_data_is_compared_whole),
        MT_TEST(collateral_of_another_platform_is_refused),
        MT_TEST(what_is_missing_or_damaged_is_named),
        MT_TEST(every_byte_of_a_quote_counts),
        MT_TEST(every_truncation_is_refused_down_to_what_nobody_signed),
        MT_TEST(only_the_pinned_root_is_believed),
        MT_TEST(what_is_believed_once_holds_exactly_as_long_as_all_of_it),
        MT_TEST(every_byte_of_a_quote_counts_for_what_is_believed_once),
        MT_TEST(what_is_believed_of_one_platform_is_for_no_other),
    };
    MT_ASSERT(argc > 1);
    folder = argv[1];
    is_whole = argc > 2;
    OK(mt_crypto_init(no_random, NULL));
    for (size_t i = 0; i < SETS; i++) {
        load_set(names[i], &sets[i]);
    }
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
