/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_NODE_HELD_WORLD_TEST_H
#define MT_NODE_HELD_WORLD_TEST_H

#include "node/collateral.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attest/verify.h"
#include "base/time.h"
#include "platform/process.h"
#include "seal/world_test.h"
#include "wire/json.h"

/* A TDX machine's real quote, and Intel's collateral of its time (tests/vectors/dcap), which the
 * first argument names. */
enum { ROOM = 32 * 1024, DAY_MS = 24 * 60 * 60 * 1000 };
static const char set[] = "tdx_v4_uptodate";
static const char other_set[] = "sgx_v3_processor";
static const char *const names[] = {"tcb_info.json",    "tcb_info.sig",    "tcb_info_chain.pem",
                                    "qe_identity.json", "qe_identity.sig", "qe_identity_chain.pem",
                                    "root_ca_crl.der",  "pck_crl.der"};
enum { NAMES = sizeof names / sizeof *names };

static const char *vectors;
static char folder[] = "/tmp/mesatee-held-XXXXXX";
static struct mt_root *root;
static struct mt_buf quote;
static struct mt_bundle own;
static uint8_t report_data[MT_REPORT_DATA_LEN];
static uint64_t now_ms;
static struct mt_trace trace;

static struct mt_buf load(const char *from, const char *name)
{
    char path[1024];
    struct mt_buf out;
    (void)snprintf(path, sizeof path, "%s/%s/%s", vectors, from, name);
    OK(mt_process_read_file(path, ROOM, &out));
    return out;
}

static void put(const char *name, mt_bytes content)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    OK(mt_process_put_file(path, content));
}

static void fetch(const char *from)
{
    for (size_t i = 0; i < NAMES; i++) {
        MT_DEFER(mt_buf_free) struct mt_buf b = load(from, names[i]);
        put(names[i], mt_buf_bytes(&b));
    }
}

static void clear(void)
{
    char path[128];
    for (size_t i = 0; i < NAMES; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
}

static void begin(void)
{
    mt_bytes text;
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf expected = load(set, "expected.json");
    disk_begin();
    OK(mt_root_create(fs, &world_file, 0, &root));
    quote = load(set, "quote.bin");
    own = (struct mt_bundle){.log = MT_LITERAL("log"), .evidence.quote = mt_buf_bytes(&quote)};
    OK(mt_json_parse(mt_buf_bytes(&expected), &j, NULL));
    OK(mt_json_text(j, "reference_time", &text));
    OK(mt_time_parse(text, &now_ms));
    OK(mt_json_hex(j, "report_data", (mt_span){report_data, sizeof report_data}));
    fetch(set);
}

static void end(void)
{
    clear();
    mt_buf_free(&quote);
    mt_root_free(&root);
    disk_end();
}

static struct mt_held opened(void)
{
    struct mt_held h;
    OK(mt_held_open(fs, root, &h));
    return h;
}

/* As a client does, who has nothing but what the node shows. */
static mt_err verify_shown(const struct mt_held *h)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX);
    struct mt_writer w = mt_writer_onto(&room);
    struct mt_bundle shown = own;
    struct mt_bundle seen;
    struct mt_claims claims;
    mt_bytes bytes;
    trace.count = 0;
    mt_held_lend(h, &shown.evidence.collateral);
    mt_bundle_write(&w, &shown);
    OK(mt_write_end(&w, &bytes));
    OK(mt_bundle_parse(bytes, &seen));
    seen.evidence.now_ms = now_ms;
    return mt_evidence_verify(MT_EVIDENCE_TDX, &seen.evidence, MT_BYTES_OF(report_data), &claims,
                              &trace);
}

static int held_main(int argc, char **argv, const struct mt_test *tests, size_t count)
{
    MT_ASSERT(argc == 2);
    vectors = argv[1];
    OK(mt_crypto_init(world_random, NULL));
    int rc = mt_test_run(tests, count);
    mt_crypto_done();
    (void)rmdir(folder);
    return rc;
}

#endif
