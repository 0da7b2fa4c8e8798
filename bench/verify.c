/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Ours beside bench/verify/ (Go, Rust), in the same words:
 *   verify bench VECTORS SET   a line with a number is answered by the microseconds of a
 *                              verification, all collateral anew; of one, collateral believed once
 *                              (0 where there is no such thing); and peak memory in KiB
 *   verify judge VECTORS       a line "SET FILE=HEX..." is answered by "yes STATUS", or "no RULE"
 */
#include <stddef.h>
#include <string.h>

#include "attest/dcap.h"
#include "attest/verify.h"
#include "base/id.h"
#include "base/time.h"
#include "bench.h"
#include "crypto/context.h"
#include "wire/json.h"

enum { FILE_MAX_BYTES = 64 * 1024, FILES = 13, LINE_MAX_BYTES = 1024 * 1024 };

static const struct {
    const char *name;
    size_t at;
} files[FILES] = {
    {"quote.bin", offsetof(struct mt_evidence, quote)},
    {"report.bin", offsetof(struct mt_evidence, quote)},
    {"tcb_info.json", offsetof(struct mt_evidence, collateral.tcb_info)},
    {"tcb_info.sig", offsetof(struct mt_evidence, collateral.tcb_info_signature)},
    {"tcb_info_chain.pem", offsetof(struct mt_evidence, collateral.tcb_info_chain)},
    {"qe_identity.json", offsetof(struct mt_evidence, collateral.qe_identity)},
    {"qe_identity.sig", offsetof(struct mt_evidence, collateral.qe_identity_signature)},
    {"qe_identity_chain.pem", offsetof(struct mt_evidence, collateral.qe_identity_chain)},
    {"root_ca_crl.der", offsetof(struct mt_evidence, collateral.root_ca_crl)},
    {"pck_crl.der", offsetof(struct mt_evidence, collateral.pck_crl)},
    {"vcek.der", offsetof(struct mt_evidence, collateral.vek)},
    {"vcek.pem", offsetof(struct mt_evidence, collateral.vek)},
    {"vlek.der", offsetof(struct mt_evidence, collateral.vek)},
};

struct set {
    uint8_t room[FILES][FILE_MAX_BYTES];
    struct mt_evidence in;
    uint8_t report_data[MT_REPORT_DATA_LEN];
};
static struct set set;

static mt_err no_random(void *state, mt_span out)
{
    (void)state;
    memset(out.ptr, 7, out.len);
    return MT_OK;
}

static size_t load_file(const char *folder, const char *name, mt_span room)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    size_t len = f == NULL ? 0 : fread(room.ptr, 1, room.len, f);
    MT_ASSERT(len < room.len);
    if (f != NULL) {
        (void)fclose(f);
    }
    return len;
}

static void put(size_t file, size_t len)
{
    const mt_bytes b = {set.room[file], len};
    memcpy((uint8_t *)&set.in + files[file].at, &b, sizeof b);
}

static void load_set(const char *vectors, const char *name)
{
    static uint8_t text[FILE_MAX_BYTES];
    char folder[2048];
    mt_bytes value;
    MT_DEFER(mt_json_free) struct mt_json *expected = NULL;
    (void)snprintf(folder, sizeof folder, "%s/%s", vectors, name);
    set.in = (struct mt_evidence){.now_ms = 0};
    for (size_t i = 0; i < FILES; i++) {
        size_t len = load_file(folder, files[i].name, (mt_span){set.room[i], FILE_MAX_BYTES});
        if (len > 0) {
            put(i, len);
        }
    }
    size_t len = load_file(folder, "expected.json", (mt_span){text, sizeof text});
    OK(mt_json_parse((mt_bytes){text, len}, &expected, NULL));
    OK(mt_json_text(expected, "reference_time", &value));
    OK(mt_time_parse(value, &set.in.now_ms));
    OK(mt_json_hex(expected, "report_data", (mt_span){set.report_data, MT_REPORT_DATA_LEN}));
}

static mt_err verify(struct mt_claims *claims, struct mt_trace *trace)
{
    trace->count = 0;
    return mt_evidence_verify(mt_evidence_kind_of(&set.in), &set.in,
                              (mt_bytes){set.report_data, MT_REPORT_DATA_LEN}, claims, trace);
}

static double us_each(uint64_t began_ns, uint64_t count)
{
    return (double)(bench_now_ns(CLOCK_PROCESS_CPUTIME_ID) - began_ns) / 1000 / (double)count;
}

/* With what Intel says believed once; AMD's chain is the smaller part of verifying a report. */
static double bench_once(uint64_t count)
{
    MT_DEFER(mt_dcap_trust_free) struct mt_dcap_trust *t = NULL;
    struct mt_trace trace = {.count = 0};
    static struct mt_claims claims;
    enum mt_evidence_kind kind = mt_evidence_kind_of(&set.in);
    if (kind != MT_EVIDENCE_SGX && kind != MT_EVIDENCE_TDX) {
        return 0;
    }
    OK(mt_dcap_trust_new(&set.in, mt_dcap_intel_roots(), &t, &trace));
    uint64_t began = bench_now_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t i = 0; i < count; i++) {
        trace.count = 0;
        OK(mt_dcap_verify_with(t, &set.in, set.report_data, &claims, &trace));
    }
    return us_each(began, count);
}

/* The largest resident set of this program: what getrusage says was inherited from whoever started
 * it. */
static unsigned long long peak_kib(void)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    MT_ASSERT(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            kib = strtoull(line + 6, NULL, 10);
        }
    }
    (void)fclose(f);
    return kib;
}

static void bench(void)
{
    char line[64];
    static struct mt_claims claims;
    struct mt_trace trace;
    OK(verify(&claims, &trace));
    (void)puts("ready");
    (void)fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        uint64_t count = strtoull(line, NULL, 10);
        uint64_t began = bench_now_ns(CLOCK_PROCESS_CPUTIME_ID);
        for (uint64_t i = 0; i < count; i++) {
            OK(verify(&claims, &trace));
        }
        double cold = us_each(began, count);
        double once = bench_once(count);
        (void)printf("%.2f %.2f %llu\n", cold, once, peak_kib());
        (void)fflush(stdout);
    }
}

static void change(const char *word)
{
    size_t len = strcspn(word, "=");
    const char *digits = word + len + 1;
    size_t bytes = strlen(digits) / 2;
    MT_ASSERT(word[len] == '=' && bytes <= FILE_MAX_BYTES);
    for (size_t i = 0; i < FILES; i++) {
        if (strlen(files[i].name) == len && strncmp(word, files[i].name, len) == 0) {
            OK(mt_hex_parse((mt_bytes){(const uint8_t *)digits, 2 * bytes},
                            (mt_span){set.room[i], bytes}));
            put(i, bytes);
        }
    }
}

static void judge(const char *vectors)
{
    static char line[LINE_MAX_BYTES];
    while (fgets(line, sizeof line, stdin) != NULL) {
        static struct mt_claims claims;
        struct mt_trace trace;
        char *rest = NULL;
        const char *name = strtok_r(line, " \n", &rest);
        load_set(vectors, name);
        for (const char *w = strtok_r(NULL, " \n", &rest); w != NULL;
             w = strtok_r(NULL, " \n", &rest)) {
            change(w);
        }
        mt_err e = verify(&claims, &trace);
        const struct mt_check *failed = mt_trace_failed(&trace);
        (void)printf("%s %s\n", mt_failed(e) ? "no" : "yes",
                     !mt_failed(e)    ? mt_tcb_status_name(claims.tcb_status)
                     : failed != NULL ? failed->rule
                                      : "evidence-kind");
        (void)fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    OK(mt_crypto_init(no_random, NULL));
    if (argc == 4 && strcmp(argv[1], "bench") == 0) {
        load_set(argv[2], argv[3]);
        bench();
    } else if (argc == 3 && strcmp(argv[1], "judge") == 0) {
        judge(argv[2]);
    } else {
        (void)fputs("usage: verify bench VECTORS SET | verify judge VECTORS\n", stderr);
        return 2;
    }
    mt_crypto_done();
    return 0;
}
