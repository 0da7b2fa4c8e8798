/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adversary/peer.h"
#include "base/assert.h"
#include "mesatee/entropy.h"
#include "mesatee/statement.h"
#include "wire/json.h"

/* api BUILD: walks through a node's API as a client that behaves, and prints each answer as one
 * JSON object a line; tests/house/openapi_test.py judges them. */
enum { TEXT_MAX = 4096 };

static struct node node;
static struct peer peer;

/* Asks, prints, and expects this status. */
__attribute__((format(printf, 4, 5))) static void ask(unsigned status, const char *method,
                                                      const char *body, const char *target, ...)
{
    char path[TEXT_MAX];
    va_list args;
    va_start(args, target);
    (void)vsnprintf(path, sizeof path, target, args);
    va_end(args);
    bool is_get = strcmp(method, "get") == 0;
    const char *verb = is_get ? "GET" : strcmp(method, "post") == 0 ? "POST" : "DELETE";
    unsigned got =
        is_get ? peer_ask(&peer, "GET /mesatee/v1%s HTTP/1.1\r\nhost: mesatee\r\n\r\n", path)
               : peer_ask(&peer,
                          "%s /mesatee/v1%s HTTP/1.1\r\nhost: mesatee\r\n"
                          "content-length: %zu\r\n\r\n%s",
                          verb, path, strlen(body), body);
    (void)printf(
        "{\"method\": \"%s\", \"target\": \"/mesatee/v1%s\", \"status\": %u, \"body\": %.*s}\n",
        method, path, got, (int)peer.body.len, (const char *)peer.body.ptr);
    (void)fflush(stdout);
    if (got != status) {
        (void)printf("%s %s: %u, not %u\n", verb, path, got, status);
        (void)fflush(stdout);
        MT_ASSERT(false); /* which ends the node too */
    }
}

/* A text of the last answer. */
static const char *said(const char *name)
{
    static char room[8][2 * TEXT_MAX];
    static size_t next;
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    mt_bytes text;
    char *out = room[next++ % 8];
    MT_ASSERT(!mt_failed(mt_json_parse(mt_buf_bytes(&peer.body), &j, NULL)));
    MT_ASSERT(!mt_failed(mt_json_text(j, name, &text)));
    (void)snprintf(out, sizeof room[0], "%.*s", (int)text.len, (const char *)text.ptr);
    return out;
}

static const char *hex_of(mt_bytes bytes)
{
    static char room[4][TEXT_MAX];
    static size_t next;
    char *out = room[next++ % 4];
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)out, TEXT_MAX - 1});
    mt_bytes all;
    mt_hex_write(&w, bytes);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &all)));
    out[all.len] = '\0';
    return out;
}

/* Good until the next. */
__attribute__((format(printf, 1, 2))) static const char *text(const char *format, ...)
{
    static char room[2 * TEXT_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(room, sizeof room, format, args);
    va_end(args);
    MT_ASSERT(len > 0);
    MT_ASSERT((size_t)len < sizeof room);
    return room;
}

static void people(void)
{
    struct mt_key *key = NULL;
    MT_ASSERT(!mt_failed(mt_key_new(&key)));
    const char *body = text("{\"key\":\"%s\",\"name\":\"bob\",\"role\":\"user\"}",
                            hex_of(mt_spki_bytes(mt_key_public(key))));
    mt_key_free(&key);
    ask(201, "post", body, "/users");
    const char *bob = said("subject");
    ask(409, "post", body, "/users");
    ask(200, "get", "", "/users");
    ask(200, "delete", "", "/users/%s", bob);
    ask(200, "get", "", "/users");
}

static const char *data(const char *subject)
{
    ask(201, "post", "name,city,kg\nann,ulm,1.5\nbob,rom,2.25\n", "/data?name=table");
    ask(201, "post", "\x01\x02 no table", "/data?name=noise");
    const char *noise = said("data");
    ask(201, "post", "a,b\n1,2\n", "/data?name=table");
    const char *table = said("data");
    ask(400, "post", "a,b\n1,2\n", "/data");
    const char *body = text("{\"right\":\"use\",\"grantee\":\"%s\",\"count\":3}", subject);
    ask(201, "post", body, "/data/%s/grants", table);
    const char *grant = said("grant");
    ask(200, "get", "", "/data/%s", table);
    ask(200, "delete", "", "/data/%s/grants/%s", table, grant);
    ask(200, "delete", "", "/data/%s", noise);
    ask(200, "get", "", "/data/%s", noise);
    ask(200, "get", "", "/data");
    ask(200, "get", "", "/data?limit=1");
    ask(413, "get", "", "/data?limit=1000000");
    return table;
}

static void create(const char *table, const char *subject)
{
    const char *body =
        text("{\"function\":{\"name\":\"echo\",\"version\":1},\"arguments\":{},"
             "\"inputs\":[{\"name\":\"in\",\"data\":\"%s\",\"version\":1}],"
             "\"outputs\":[{\"name\":\"out\",\"receivers\":[\"%s\"]}],"
             "\"limits\":{\"time_ms\":60000,\"memory_bytes\":67108864},\"minimum_level\":2,"
             "\"policy\":\"%s\",\"not_before_ms\":0,\"not_after_ms\":4102444800000,\"runs\":2}",
             table, subject, subject);
    ask(201, "post", body, "/tasks");
}

static void run(const char *task)
{
    ask(202, "post", "", "/tasks/%s/runs", task);
    const char *id = said("run");
    for (int i = 0; i < NODE_LOOKS && !peer_has(&peer, "\"state\":\"done\""); i++) {
        node_pause(NODE_STEP_MS);
        ask(200, "get", "", "/tasks/%s/runs/%s", task, id);
    }
    MT_ASSERT(peer_has(&peer, "\"state\":\"done\""));
    ask(409, "delete", "", "/tasks/%s/runs/%s", task, id);
}

static void tasks(const char *table, const char *subject)
{
    uint8_t room[1024];
    mt_hash digest;
    mt_bytes statement;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    create(table, subject);
    const char *task = said("task");
    MT_ASSERT(!mt_failed(
        mt_hex_parse(mt_bytes_of_text(said("digest")), (mt_span){digest.b, sizeof digest.b})));
    ask(200, "get", "", "/tasks/%s", task);
    ask(403, "post", "", "/tasks/%s/runs", task);
    MT_ASSERT(!mt_failed(mt_approval_write(&w, node.admin, &digest)));
    MT_ASSERT(!mt_failed(mt_write_end(&w, &statement)));
    const char *body = text("{\"statement\":\"%s\"}", hex_of(statement));
    ask(201, "post", body, "/tasks/%s/approvals", task);
    run(task);
    ask(200, "get", "", "/tasks/%s", task);
    ask(200, "delete", "", "/tasks/%s/approvals", task);
    ask(201, "post", "{\"reason\":\"enough\"}", "/tasks/%s/rejections", task);
    ask(200, "get", "", "/tasks/%s", task);
    ask(200, "get", "", "/tasks");
    ask(200, "delete", "", "/tasks/%s", task);
    ask(200, "get", "", "/tasks/%s", task);
}

static void operate(void)
{
    const char *body = text("{\"kind\":\"file\",\"secret\":\"%064d\"}", 7);
    ask(200, "get", "", "/status");
    ask(201, "post", body, "/keyslots");
    ask(200, "post", text("{\"nonce\":\"%064d\"}", 7), "/attestation");
    ask(201, "post",
        text("{\"kind\":\"shares\",\"secret\":\"%064d\",\"set\":\"0202%0128d\"}", 7, 8),
        "/keyslots");
    ask(200, "get", "", "/keyslots");
    ask(200, "delete", "", "/keyslots/1");
    ask(404, "delete", "", "/keyslots/9");
    ask(200, "get", "", "/peers");
    ask(400, "post", "{\"policy\":\"\"}", "/peers");
    ask(404, "delete", "", "/peers/00000000000000000000000000000000");
    ask(200, "post", "", "/handover");
    ask(200, "get", "", "/recovery");
    ask(200, "get", "", "/ledger/head");
    ask(200, "get", "", "/ledger/head?from=3");
    ask(410, "get", "", "/ledger/head?from=1000000");
    ask(200, "get", "", "/audit?limit=100");
    ask(200, "get", "", "/functions");
    ask(200, "get", "", "/functions/echo");
    ask(404, "get", "", "/functions/none");
}

int main(int argc, char **argv)
{
    mt_hash subject;
    MT_ASSERT(argc == 2);
    MT_ASSERT(!mt_failed(mt_entropy_open()));
    node_begin(&node, argv[1]);
    node_start(&node, "");
    MT_ASSERT(peer_open(&peer, &node, node.admin));
    mt_spki_hash(mt_key_public(node.admin), &subject);
    const char *me = hex_of(mt_hash_bytes(&subject));
    char own[TEXT_MAX];
    (void)snprintf(own, sizeof own, "%s", me);
    people();
    tasks(data(own), own);
    operate();
    peer_close(&peer);
    node_end(&node);
    mt_entropy_close();
    return 0;
}
