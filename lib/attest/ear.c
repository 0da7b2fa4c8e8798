/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/ear.h"

#include <string.h>

#include "base/assert.h"
#include "wire/json.h"

enum { TOKEN_MAX = 64 * 1024, SECOND_MS = 1000 };

/* Trustworthiness claims of AR4SI: 0 nothing was found out, 2 to 31 affirming, 32 to 95 warning, 96
 * and up contraindicated; 99 is a signature that does not verify. */
enum { NO_CLAIM = 0, WARNING = 32, CONTRAINDICATED = 96, NOT_GENUINE = 99 };

/* Each claim goes by one rule: not looked at, passed, failed. */
struct trust {
    const char *name;
    const char *rule;
    unsigned passed;
    unsigned failed;
};
static const struct trust vector[] = {
    {"configuration", "configuration-unknown", 2, 36},
    {"executables", "measurement-unknown", 3, 33},
    {"hardware", "tcb-status", 2, 96},
    {"instance-identity", "platform-foreign", 2, 96},
};

static unsigned value_of(const struct trust *t, const struct mt_ear *e)
{
    for (size_t i = 0; e->claims != NULL && i < e->trace->count; i++) {
        const struct mt_check *k = &e->trace->checks[i];
        if (strcmp(k->rule, t->rule) == 0) {
            return k->has_passed ? t->passed : t->failed;
        }
    }
    return e->claims == NULL ? NOT_GENUINE : NO_CLAIM;
}

/* Memory that neither host nor operator can read; or that they can, for the evidence says so. */
static unsigned opacity_of(const struct mt_ear *e)
{
    if (e->claims == NULL) {
        return NOT_GENUINE;
    }
    bool is_open = e->claims->has_host_in_tcb || mt_claims_has(e->claims, MT_WEAK_DEBUG);
    return is_open ? CONTRAINDICATED : 2;
}

/* "The value of this claim MUST be set to a tier of no higher trust than the tier corresponding to
 * the worst trustworthiness claim across the entire trustworthiness vector" (draft-ietf-rats-ear,
 * ear.status): what a policy tolerates, say debugging, it does not make good for others. */
static const char *status_of(const struct mt_ear *e)
{
    unsigned worst = opacity_of(e);
    for (size_t i = 0; i < sizeof vector / sizeof *vector; i++) {
        unsigned value = value_of(&vector[i], e);
        worst = value > worst ? value : worst;
    }
    if (!e->is_accepted || worst >= CONTRAINDICATED) {
        return "contraindicated";
    }
    return worst >= WARNING ? "warning" : "affirming";
}

static void put_result(struct mt_json_writer *j, const struct mt_ear *e)
{
    const struct mt_check *failed = mt_trace_failed(e->trace);
    mt_json_begin_object(j, "platform");
    if (e->policy != NULL) {
        mt_json_put_hex(j, "ear.appraisal-policy-id", mt_hash_bytes(e->policy));
    }
    mt_json_put_literal(j, "ear.status", status_of(e));
    mt_json_begin_object(j, "ear.trustworthiness-vector");
    for (size_t i = 0; i < sizeof vector / sizeof *vector; i++) {
        mt_json_put_uint(j, vector[i].name, value_of(&vector[i], e));
    }
    mt_json_put_uint(j, "runtime-opaque", opacity_of(e));
    mt_json_end_object(j);
    if (e->claims != NULL) {
        mt_json_put_literal(j, "mesatee.kind", mt_evidence_kind_name(e->claims->kind));
        mt_json_put_uint(j, "mesatee.level", (uint64_t)e->claims->level);
        mt_json_put_hex(j, "mesatee.measurement", mt_hash_bytes(&e->claims->measurement));
        mt_json_put_hex(j, "mesatee.platform", mt_hash_bytes(&e->claims->platform));
        mt_json_put_literal(j, "mesatee.tcb-status", mt_tcb_status_name(e->claims->tcb_status));
    }
    if (failed != NULL) {
        mt_json_put_literal(j, "mesatee.failed", failed->rule);
    }
    mt_json_end_object(j);
}

static void put_nonce(struct mt_json_writer *j, mt_bytes nonce)
{
    uint8_t room[2 * MT_REPORT_DATA_LEN];
    mt_bytes text;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_base64url_write(&w, nonce);
    mt_err e = mt_write_end(&w, &text);
    MT_ASSERT(!mt_failed(e)); /* no report data is longer than the room takes */
    mt_json_put_text(j, "eat_nonce", text);
}

static void put_payload(struct mt_writer *w, const struct mt_ear *e)
{
    struct mt_json_writer j = mt_json_writer_over(w);
    mt_json_begin_object(&j, NULL);
    mt_json_begin_object(&j, "ear.verifier-id");
    mt_json_put_literal(&j, "build", "mesatee");
    mt_json_put_literal(&j, "developer", "The MesaTEE authors");
    mt_json_end_object(&j);
    put_nonce(&j, e->nonce);
    mt_json_put_literal(&j, "eat_profile", "tag:github.com,2023:veraison/ear");
    mt_json_put_uint(&j, "exp", (e->now_ms + e->valid_ms) / SECOND_MS);
    mt_json_put_uint(&j, "iat", e->now_ms / SECOND_MS);
    mt_json_begin_object(&j, "submods");
    put_result(&j, e);
    mt_json_end_object(&j);
    mt_json_end_object(&j);
}

static void put_head(struct mt_writer *w, const struct mt_key *k)
{
    mt_hash kid;
    struct mt_json_writer j = mt_json_writer_over(w);
    mt_spki_hash(mt_key_public(k), &kid);
    mt_json_begin_object(&j, NULL);
    mt_json_put_literal(&j, "alg", "ES256");
    mt_json_put_hex(&j, "kid", mt_hash_bytes(&kid));
    mt_json_put_literal(&j, "typ", "JWT");
    mt_json_end_object(&j);
}

MT_ERR mt_ear_write(struct mt_writer *w, const struct mt_key *k, const struct mt_ear *e)
{
    uint8_t signature[MT_SIGNATURE_LEN];
    MT_DEFER(mt_buf_free) struct mt_buf head = mt_buf_of_max(TOKEN_MAX);
    MT_DEFER(mt_buf_free) struct mt_buf payload = mt_buf_of_max(TOKEN_MAX);
    MT_DEFER(mt_buf_free) struct mt_buf signed_part = mt_buf_of_max(TOKEN_MAX);
    struct mt_writer h = mt_writer_onto(&head);
    struct mt_writer p = mt_writer_onto(&payload);
    struct mt_writer s = mt_writer_onto(&signed_part);
    mt_bytes bytes;
    put_head(&h, k);
    MT_TRY(mt_write_end(&h, &bytes));
    mt_base64url_write(&s, bytes);
    mt_write_u8(&s, '.');
    put_payload(&p, e);
    MT_TRY(mt_write_end(&p, &bytes));
    mt_base64url_write(&s, bytes);
    MT_TRY(mt_write_end(&s, &bytes));
    MT_TRY(mt_sign(k, bytes, signature));
    mt_write_bytes(w, bytes);
    mt_write_u8(w, '.');
    mt_base64url_write(w, MT_BYTES_OF(signature));
    return MT_OK;
}
