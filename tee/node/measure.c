/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "attest/binder.h"
#include "attest/bundle.h"
#include "attest/eventlog.h"
#include "attest/soft.h"
#include "attest/verify.h"
#include "crypto/hash.h"
#include "node/node.h"
#include "platform/process.h"
#include "wire/json.h"

enum { FILES_MAX = 64, PATH_BYTES = 256, CONFIG_BYTES_MAX = 8192 };

struct executable {
    mt_hash digest;
    char path[PATH_BYTES];
};

struct executables {
    struct executable files[FILES_MAX];
    size_t count;
};

static mt_err note_executable(void *state, mt_bytes path, mt_bytes content)
{
    struct executables *x = state;
    MT_REQUIRE(x->count < FILES_MAX, MT_E_LIMIT, "too many programs and libraries are mapped");
    struct executable *f = &x->files[x->count++];
    mt_sha256(&content, 1, &f->digest);
    size_t len = path.len < PATH_BYTES - 1 ? path.len : PATH_BYTES - 1;
    memcpy(f->path, path.ptr, len);
    f->path[len] = '\0';
    return MT_OK;
}

/* Where the loader put a library is chance: the measurement goes by content. */
static int by_digest(const void *a, const void *b)
{
    const struct executable *x = a;
    const struct executable *y = b;
    return mt_bytes_order(mt_hash_bytes(&x->digest), mt_hash_bytes(&y->digest));
}

static void free_executables(struct executables **x)
{
    free(*x);
    *x = NULL;
}

static MT_ERR write_code(struct mt_writer *w)
{
    MT_DEFER(free_executables) struct executables *x = calloc(1, sizeof *x);
    MT_REQUIRE(x != NULL, MT_E_NOMEM, "no memory for a measurement");
    MT_TRY(mt_process_executables(note_executable, x));
    qsort(x->files, x->count, sizeof *x->files, by_digest);
    for (size_t i = 0; i < x->count; i++) {
        const struct mt_event e = {MT_REGISTER_CODE, MT_EV_IPL, x->files[i].digest,
                                   mt_bytes_of_text(x->files[i].path)};
        mt_event_write(w, &e);
    }
    return MT_OK;
}

/* The event's data is the text itself: whoever verifies may read it. */
static MT_ERR write_text(struct mt_writer *w, uint32_t index, mt_bytes text)
{
    struct mt_event e = {.index = index, .type = MT_EV_ACTION, .data = text};
    mt_sha256(&text, 1, &e.digest);
    mt_event_write(w, &e);
    return w->failed;
}

/* What a peer has to be is said by a file, and the setting is only its name. */
static MT_ERR write_peer_policy(const struct mt_node *n, struct mt_writer *w)
{
    uint8_t room[128];
    const mt_bytes content = mt_buf_bytes(&n->peer_policy);
    struct mt_writer t = mt_writer_over((mt_span){room, sizeof room});
    mt_hash hash;
    mt_bytes text;
    if (content.len == 0) {
        return MT_OK;
    }
    mt_sha256(&content, 1, &hash);
    mt_write_bytes(&t, MT_LITERAL("peer_policy-sha256 = "));
    mt_hex_write(&t, mt_hash_bytes(&hash));
    mt_write_bytes(&t, MT_LITERAL("\n"));
    MT_TRY(mt_write_end(&t, &text));
    return write_text(w, MT_REGISTER_CONFIGURATION, text);
}

MT_ERR mt_node_write_log(struct mt_node *n)
{
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(CONFIG_BYTES_MAX);
    MT_DEFER(mt_buf_free) struct mt_buf facts = mt_buf_of_max(CONFIG_BYTES_MAX);
    struct mt_writer w = mt_writer_onto(&n->log);
    struct mt_writer c = mt_writer_onto(&text);
    mt_bytes all;
    n->log.len = 0;
    mt_eventlog_head_write(&w);
    if (n->device == NULL || !mt_device_measures_process(n->device)) {
        MT_TRY(write_code(&w)); /* in an enclave, maps(5) names files whose numbers are Gramine's */
    }
    mt_config_write(&c, &n->config);
    MT_TRY(mt_write_end(&c, &all));
    MT_TRY(write_text(&w, MT_REGISTER_CONFIGURATION, all));
    MT_TRY(write_peer_policy(n, &w));
    MT_TRY(mt_process_kernel_facts(&facts));
    MT_TRY(write_text(&w, MT_REGISTER_KERNEL, mt_buf_bytes(&facts)));
    return mt_write_end(&w, &all);
}

mt_err mt_node_evidence(void *state, const uint8_t report_data[64], struct mt_writer *w)
{
    const struct mt_node *n = state;
    if (n->device != NULL) {
        return mt_node_device_evidence(n, report_data, w);
    }
    mt_soft_evidence_write(w, n->platform_key, mt_buf_bytes(&n->log), report_data);
    return w->failed;
}

MT_ERR mt_node_evidence_format(const struct mt_node *n, mt_bytes evidence, mt_bytes *out)
{
    struct mt_bundle b;
    enum mt_evidence_kind kind = MT_EVIDENCE_SOFT;
    if (n->device != NULL) {
        MT_TRY(mt_bundle_parse(evidence, &b));
        kind = mt_evidence_kind_of(&b.evidence);
    }
    *out = mt_bytes_of_text(mt_evidence_kind_name(kind));
    return MT_OK;
}

/* The log's registers, which is all that hardware does not say. */
static MT_ERR claims_of(struct mt_node *n, mt_bytes evidence,
                        const uint8_t report_data[MT_REPORT_DATA_LEN], struct mt_claims *out)
{
    mt_hash registers[MT_REGISTERS];
    if (n->device == NULL) {
        return mt_soft_evidence_show(evidence, out);
    }
    MT_TRY(mt_node_device_claims(n, evidence, report_data, out));
    MT_TRY(mt_eventlog_replay(mt_buf_bytes(&n->log), registers));
    out->configuration = registers[MT_REGISTER_CONFIGURATION];
    return MT_OK;
}

MT_ERR mt_node_measure(struct mt_node *n)
{
    uint8_t report_data[MT_REPORT_DATA_LEN];
    struct mt_claims claims;
    mt_hash incarnation;
    mt_bytes evidence;
    struct mt_writer w = mt_writer_onto(&n->service_evidence);
    MT_TRY(mt_node_write_log(n));
    mt_spki_hash(mt_key_public(n->tls_key), &incarnation);
    mt_bind_service_key(mt_ledger_cluster_id(n->ledger), &incarnation,
                        mt_key_public(n->service_key), report_data);
    MT_TRY(mt_node_open_collateral(n, report_data));
    MT_TRY(mt_node_evidence(n, report_data, &w));
    MT_TRY(mt_write_end(&w, &evidence));
    MT_TRY(claims_of(n, evidence, report_data, &claims));
    struct mt_server_facts *f = &n->facts;
    f->measurement = claims.measurement;
    f->configuration = claims.configuration;
    f->platform = claims.platform;
    f->format = mt_bytes_of_text(mt_evidence_kind_name(claims.kind));
    f->level = (uint64_t)claims.level;
    f->has_hardware_root = claims.has_hardware_root;
    f->has_host_in_tcb = claims.has_host_in_tcb;
    f->service_evidence = evidence;
    f->started_ms = mt_loop_host_time_ms(n->loop);
    return n->device != NULL ? mt_node_device_facts(n) : MT_OK;
}

static MT_ERR put(struct mt_node *n, const char *fresh, const char *name, mt_bytes content)
{
    MT_DEFER(mt_file_close) struct mt_file *f = NULL;
    mt_err e = mt_fs_remove(n->fs, fresh);
    MT_REQUIRE(!mt_failed(e) || e.fault->code == MT_E_NOTFOUND, MT_E_IO,
               "an unfinished file for the operator cannot be removed");
    MT_TRY(mt_fs_open(n->fs, fresh, MT_FS_CREATE, &f));
    MT_TRY(mt_file_write_at(f, 0, content));
    return mt_fs_rename(n->fs, fresh, name);
}

MT_ERR mt_node_publish(struct mt_node *n)
{
    uint8_t room[1024];
    mt_bytes text;
    const mt_bytes quote = n->holding.own.evidence.quote;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    struct mt_json_writer j = mt_json_writer_over(&w);
    mt_json_begin_object(&j, NULL);
    mt_json_put_hex(&j, "cluster_id", mt_hash_bytes(mt_ledger_cluster_id(n->ledger)));
    mt_json_put_hex(&j, "configuration", mt_hash_bytes(&n->facts.configuration));
    mt_json_put_hex(&j, "measurement", mt_hash_bytes(&n->facts.measurement));
    mt_json_put_hex(&j, "platform", mt_hash_bytes(&n->facts.platform));
    mt_json_put_uint(&j, "port", n->port);
    mt_json_put_uint(&j, "probe_port", n->probe_port);
    mt_json_end_object(&j);
    MT_TRY(mt_write_end(&w, &text));
    /* Collateral is fetched by it. */
    MT_TRY(quote.len > 0 ? put(n, "quote.new", "quote.bin", quote) : MT_OK);
    return put(n, "public.new", "public.json", text);
}
