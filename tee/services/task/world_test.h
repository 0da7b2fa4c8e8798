/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVICES_TASK_WORLD_TEST_H
#define MT_SERVICES_TASK_WORLD_TEST_H

#include "crypto/labels.h"
#include "jobs/call_test.h"
#include "services/data/data.h"
#include "services/task/task.h"
#include "wire/cbor.h"
#include "wire/cose.h"
#include "wire/task.h"

/* People with data who approve a task: Alice and Bob own an input each, Carol makes the task and
 * receives the first output, Dave the second. */

static const struct mt_service *const task_services[] = {&mt_data_service, &mt_task_service, NULL};

static char alice_data[33];
static char bob_data[33];
static char task_id[33];
static char run_id[33];
static char result_ids[2][33];
static mt_hash task_digest;

static inline void copy_id(char to[33], const char *from)
{
    (void)snprintf(to, 33, "%s", from);
}

static inline const char *hex_of(enum person who)
{
    static char room[8][65];
    static size_t next;
    char *out = room[next++ % 8];
    mt_bytes done;
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)out, 64});
    mt_hex_write(&w, mt_hash_bytes(&people[who].subject));
    OK(mt_write_end(&w, &done));
    out[64] = '\0';
    return out;
}

static inline void put_set(enum person who, const char *query, const char *bytes, char id[33])
{
    OK(CALL(who, "data.put", .query = query, .upload = bytes));
    copy_id(id, text_of(answer, "data"));
}

static inline void allow(enum person owner, const char *id, enum person who, const char *right)
{
    char body[256];
    (void)snprintf(body, sizeof body, "{\"right\":\"%s\",\"grantee\":\"%s\"}", right, hex_of(who));
    OK(CALL(owner, "data.grant", .args = {id}, .body = body));
}

/* What Carol asks for; a test changes a part of it. */
struct wish {
    const char *function, *arguments, *data, *other_data, *receivers, *policy, *extra;
    uint64_t version, function_version, time_ms, memory, level, runs;
    uint64_t not_before, not_after;
};

static inline struct wish a_wish(void)
{
    return (struct wish){
        .function = "echo",
        .arguments = "{}",
        .data = alice_data,
        .other_data = bob_data,
        .policy = "00000000000000000000000000000000000000000000000000000000000000aa",
        .extra = "",
        .version = 1,
        .function_version = 1,
        .time_ms = 60000,
        .memory = 1 << 20,
        .level = 2,
        .runs = 2,
        .not_before = now_ms,
        .not_after = now_ms + WORLD_HOUR_MS,
    };
}

static inline const char *body_of(const struct wish *w)
{
    static char body[4096];
    char receivers[256];
    (void)snprintf(receivers, sizeof receivers, "[\"%s\"]", hex_of(CAROL));
    (void)snprintf(
        body, sizeof body,
        "{\"function\":{\"name\":\"%s\",\"version\":%llu},\"arguments\":%s,\"inputs\":["
        "{\"name\":\"a\",\"data\":\"%s\",\"version\":%llu},{\"name\":\"b\",\"data\":\"%s\","
        "\"version\":1}],\"outputs\":[{\"name\":\"x\",\"receivers\":%s},{\"name\":\"y\","
        "\"receivers\":[\"%s\"]}],\"limits\":{\"time_ms\":%llu,\"memory_bytes\":%llu},"
        "\"minimum_level\":%llu,\"policy\":\"%s\",\"not_before_ms\":%llu,\"not_after_ms\":%llu,"
        "\"runs\":%llu%s}",
        w->function, (unsigned long long)w->function_version, w->arguments, w->data,
        (unsigned long long)w->version, w->other_data,
        w->receivers != NULL ? w->receivers : receivers, hex_of(DAVE),
        (unsigned long long)w->time_ms, (unsigned long long)w->memory, (unsigned long long)w->level,
        w->policy, (unsigned long long)w->not_before, (unsigned long long)w->not_after,
        (unsigned long long)w->runs, w->extra);
    return body;
}

static inline mt_err create(const struct wish *w)
{
    MT_TRY(CALL(CAROL, "task.create", .body = body_of(w)));
    copy_id(task_id, text_of(answer, "task"));
    OK(mt_json_hex(answer, "digest", (mt_span){task_digest.b, sizeof task_digest.b}));
    return MT_OK;
}

static inline void tasks_begin(void)
{
    node_begin(task_services);
    put_set(ALICE, "name=of-alice", "the rows of alice", alice_data);
    put_set(BOB, "name=of-bob", "the rows of bob", bob_data);
    allow(ALICE, alice_data, CAROL, "use");
    allow(BOB, bob_data, CAROL, "use");
    const struct wish w = a_wish();
    OK(create(&w));
    turn();
}

/* What a person signs: [key, COSE_Sign1 over the digest]. */
struct statement {
    enum person key, kid, signer; /* all the same, but in a forgery */
    mt_hash digest;
    enum mt_label label;
    bool is_detached, has_header;
};

static inline struct statement statement_of(enum person who)
{
    return (struct statement){who, who, who, task_digest, MT_LABEL_APPROVAL, false, false};
}

static inline const char *statement_hex(const struct statement *s)
{
    static uint8_t hex[4096];
    uint8_t protected_[128];
    uint8_t message[512];
    uint8_t tbs[512];
    uint8_t whole[1024];
    uint8_t signature[MT_SIGNATURE_LEN];
    mt_bytes done;
    struct mt_cose_sign1 m = {.unprotected = MT_LITERAL("\xa0"),
                              .payload = mt_hash_bytes(&s->digest),
                              .is_detached = s->is_detached};
    if (s->has_header) {
        m.unprotected = MT_LITERAL("\xa1\x05\x01");
    }
    struct mt_writer w = mt_writer_over((mt_span){protected_, sizeof protected_});
    mt_cose_protected_write(&w, mt_hash_bytes(&people[s->kid].subject));
    OK(mt_write_end(&w, &m.protected_));
    w = mt_writer_over((mt_span){tbs, sizeof tbs});
    mt_cose_tbs_write(&w, m.protected_, mt_label_bytes(s->label), m.payload);
    OK(mt_write_end(&w, &done));
    OK(mt_sign(people[s->signer].key, done, signature));
    m.signature = (mt_bytes){signature, sizeof signature};
    w = mt_writer_over((mt_span){message, sizeof message});
    mt_cose_sign1_write(&w, &m);
    OK(mt_write_end(&w, &done));
    w = mt_writer_over((mt_span){whole, sizeof whole});
    mt_cbor_write_array(&w, 2);
    mt_cbor_write_bytes(&w, mt_spki_bytes(&people[s->key].spki));
    mt_cbor_write_bytes(&w, done);
    OK(mt_write_end(&w, &done));
    w = mt_writer_over((mt_span){hex, sizeof hex - 1});
    mt_hex_write(&w, done);
    OK(mt_write_end(&w, &done));
    hex[done.len] = '\0';
    return (const char *)hex;
}

static inline mt_err send_statement(enum person who, const char *hex)
{
    char body[4352];
    (void)snprintf(body, sizeof body, "{\"statement\":\"%s\"}", hex);
    return CALL(who, "task.approve", .args = {task_id}, .body = body);
}

static inline mt_err approve(enum person who)
{
    const struct statement s = statement_of(who);
    return send_statement(who, statement_hex(&s));
}

static inline mt_err run_task(void)
{
    MT_TRY(CALL(CAROL, "task.run", .args = {task_id}, .body = "{}"));
    copy_id(run_id, text_of(answer, "run"));
    return MT_OK;
}

/* Of the run in run_id. */
static inline const char *run_state(void)
{
    OK(CALL(CAROL, "run.show", .args = {task_id, run_id}));
    const struct mt_json *list = NULL;
    size_t count = 0;
    OK(mt_json_array(answer, "results", MT_TASK_PARTIES_MAX, &list, &count));
    for (size_t i = 0; i < count; i++) {
        copy_id(result_ids[i], text_of(mt_json_at(list, i), "result"));
    }
    return text_of(answer, "state");
}

static inline const char *task_state(void)
{
    OK(CALL(CAROL, "task.show", .args = {task_id}));
    return text_of(answer, "state");
}

static inline bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

#endif
