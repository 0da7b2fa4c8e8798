/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "adversary/peer.h"
#include "adversary/tap.h"
#include "base/assert.h"
#include "mesatee/entropy.h"
#include "wire/json.h"

/*
 * crowd BUILD: whoever wants a node to itself. Ten thousand who hold a connection and say nothing,
 * those who speak so slowly that nobody else gets a word in, those who fill its staging room, and
 * those who do not read what they asked for.
 */
enum { CROWD = 10000, ATTESTED = 300, DESCRIPTORS = CROWD + 1024, MIB = 1024 * 1024 };

#define V1     "/mesatee/v1"
#define STATUS "GET " V1 "/status HTTP/1.1\r\nhost: mesatee\r\n\r\n"
#define PUT    "POST " V1 "/data?name=%s HTTP/1.1\r\nhost: mesatee\r\ncontent-length: %zu\r\n\r\n"

/* Those who are slow, of a node that waits for two seconds and no longer. */
enum slow { HEAD, BODY, IDLE, DROPS, SLOW };
enum { IMPATIENT_MS = 2000, TRIES = 20 };
#define IMPATIENT "request_timeout_s = 2\nidle_timeout_s = 3\n"

static struct node node;
static struct peer peers[ATTESTED];
static int silent[CROWD];

/* ---- ten thousand */

static bool raise_descriptors(void)
{
    struct rlimit r;
    MT_ASSERT(getrlimit(RLIMIT_NOFILE, &r) == 0);
    if (r.rlim_max < DESCRIPTORS) {
        r.rlim_max = DESCRIPTORS;
    }
    r.rlim_cur = r.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &r) == 0;
}

/* Those whom the kernel has for the node are its own when it says so. */
static uint64_t wait_for_connections(struct peer *p, uint64_t wanted)
{
    uint64_t count = 0;
    for (int i = 0; i < NODE_LOOKS && count != wanted; i++) {
        node_pause(i > 0 ? NODE_STEP_MS : 0);
        count = peer_ask(p, STATUS) == 200 ? peer_number(p, "connections") : UINT64_MAX;
    }
    return count;
}

static bool is_refused(void)
{
    uint8_t byte;
    int fd = peer_dial(node.port, 0);
    ssize_t n = fd < 0 ? 0 : recv(fd, &byte, 1, 0);
    bool is_cut = n == 0 || (n < 0 && errno == ECONNRESET);
    if (fd >= 0) {
        (void)close(fd);
    }
    return is_cut;
}

static void ten_thousand(void)
{
    enum { SILENT = CROWD - ATTESTED };
    const uint64_t bound = (uint64_t)NODE_MEMORY_SLACK * 256 * MIB;
    bool is_open = true;
    for (size_t i = 0; i < ATTESTED; i++) {
        is_open = peer_open(&peers[i], &node, node.admin) && is_open;
    }
    uint64_t attested = node_resident_bytes(&node);
    for (size_t i = 0; i < SILENT; i++) {
        silent[i] = peer_dial(node.port, 0);
        is_open = is_open && silent[i] >= 0;
    }
    uint64_t count = wait_for_connections(&peers[0], CROWD);
    uint64_t resident = node_resident_bytes(&node);
    (void)printf("# %d attested: %llu KiB resident; and %d silent: %llu KiB\n", ATTESTED,
                 (unsigned long long)attested / 1024, SILENT, (unsigned long long)resident / 1024);
    (void)tap_ok(is_open && count == CROWD, "a node holds 10,000 connections, 300 of them attested",
                 "%llu", (unsigned long long)count);
    (void)tap_ok(resident < bound, "in bounded memory", "%llu bytes", (unsigned long long)resident);
    (void)tap_ok(is_refused(), "the next one is refused, at once and without a word", "it is not");
    bool is_well = true;
    for (size_t i = 0; i < ATTESTED && is_well; i += 30) {
        is_well = peer_ask(&peers[i], STATUS) == 200;
    }
    (void)tap_ok(is_well, "and whoever is in is served", "somebody is not");
    for (size_t i = 0; i < SILENT; i++) {
        (void)close(silent[i]);
    }
    count = wait_for_connections(&peers[0], ATTESTED);
    for (size_t i = 1; i < ATTESTED; i++) {
        peer_close(&peers[i]);
    }
    MT_ASSERT(wait_for_connections(&peers[0], 1) == 1);
    peer_close(&peers[0]);
    bool is_open_again = peer_open(&peers[0], &node, node.admin);
    (void)tap_ok(count == ATTESTED && is_open_again && peer_ask(&peers[0], STATUS) == 200,
                 "when they have gone there is room again", "%llu", (unsigned long long)count);
    peer_close(&peers[0]);
}

/* ---- those who are slow */

static uint64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool is_fd_cut(int fd)
{
    uint8_t byte;
    ssize_t n = 0;
    do {
        n = recv(fd, &byte, 1, 0);
    } while (n > 0 || (n < 0 && errno == EINTR));
    return n == 0 || errno == ECONNRESET;
}

/* A byte now and then, so that there is always one in time. */
static bool trickle(struct peer *p)
{
    for (int i = 0; i < 600; i++) {
        if (!peer_send(p, MT_LITERAL("1"))) {
            return true;
        }
        node_pause(50);
    }
    return false;
}

/* A node that is so impatient may cut us on a slow machine before we have come to be slow. */
static bool open_in_time(struct peer *p)
{
    bool is_open = peer_open(p, &node, node.admin);
    for (int i = 1; i < TRIES && !is_open; i++) {
        peer_close(p);
        is_open = peer_open(p, &node, node.admin);
    }
    return is_open;
}

static bool begin_slowly(struct peer slow[SLOW])
{
    for (size_t i = 0; i < SLOW; i++) {
        MT_ASSERT(open_in_time(&slow[i]));
    }
    return peer_say(&slow[HEAD], "GET " V1 "/status HTTP/1.1\r\nhost: mes") &&
           peer_say(&slow[BODY], PUT "1,2\n", "stalled", (size_t)100) &&
           peer_ask(&slow[IDLE], STATUS) == 200 &&
           peer_say(&slow[DROPS], PUT, "trickled", (size_t)MIB);
}

static void slow_senders(void)
{
    struct peer slow[SLOW];
    struct peer other;
    int mute = peer_dial(node.port, 0);
    bool has_begun = begin_slowly(slow);
    for (int i = 1; i < TRIES && !has_begun; i++) {
        for (size_t k = 0; k < SLOW; k++) {
            peer_close(&slow[k]);
        }
        has_begun = begin_slowly(slow);
    }
    MT_ASSERT(has_begun);
    (void)tap_ok(trickle(&slow[DROPS]), "a body that trickles is cut", "it is not");
    (void)tap_ok(is_fd_cut(mute), "who dials and says nothing is cut", "it is not");
    (void)tap_ok(peer_is_cut(&slow[HEAD]), "half a head is not waited for", "it is");
    (void)tap_ok(peer_is_cut(&slow[BODY]), "nor half a body", "it is");
    (void)tap_ok(peer_is_cut(&slow[IDLE]), "and an idle connection has its end too", "it has not");
    MT_ASSERT(open_in_time(&other));
    unsigned status = peer_ask(&other, "GET " V1 "/data HTTP/1.1\r\nhost: mesatee\r\n\r\n");
    (void)tap_ok(status == 200 && !peer_has(&other, "stalled") && !peer_has(&other, "trickled") &&
                     node_stages_nothing(&node),
                 "of all that nothing is kept", "%u, %zu staged", status, node_staged_files(&node));
    (void)close(mute);
    for (size_t i = 0; i < SLOW; i++) {
        peer_close(&slow[i]);
    }
    peer_close(&other);
}

/* Whether all is answered. `slowest_ms` is how long the node may have waited at most for a word. */
static bool ask_on(struct peer *p, uint64_t *slowest_ms)
{
    bool is_served = true;
    uint64_t before = now_ms();
    *slowest_ms = 0;
    for (int i = 0; i < 35 && is_served; i++) {
        uint64_t asked = now_ms();
        is_served = peer_ask(p, STATUS) == 200;
        uint64_t waited = now_ms() - before;
        *slowest_ms = waited > *slowest_ms ? waited : *slowest_ms;
        before = asked;
        node_pause(100);
    }
    return is_served;
}

/* One that asks again and again is not idle, however long it goes on; unless we are too slow. */
static void the_busy_are_not_idle(void)
{
    struct peer p;
    uint64_t slowest_ms = UINT64_MAX;
    bool is_served = false;
    for (int i = 0; i < TRIES && !is_served && slowest_ms >= IMPATIENT_MS; i++) {
        MT_ASSERT(open_in_time(&p));
        is_served = ask_on(&p, &slowest_ms);
        peer_close(&p);
    }
    (void)tap_ok(is_served, "a connection that is used is not cut as idle", "it is");
}

/* ---- those who fill the staging room */

static unsigned put(struct peer *p, const char *name, size_t bytes)
{
    static uint8_t piece[64 * 1024];
    memset(piece, '3', sizeof piece);
    (void)peer_say(p, PUT, name, bytes);
    for (size_t sent = 0; sent < bytes; sent += sizeof piece) {
        size_t left = bytes - sent;
        if (!peer_send(p, (mt_bytes){piece, left < sizeof piece ? left : sizeof piece})) {
            break;
        }
    }
    return peer_answer(p);
}

static void full_staging(void)
{
    struct peer first;
    struct peer second;
    MT_ASSERT(peer_open(&first, &node, node.admin));
    unsigned status = put(&first, "greedy", (size_t)8 * MIB);
    (void)tap_ok(status == 413 && first.has_five && strstr(first.check, "quota") != NULL &&
                     strstr(first.hint, "staging_quota_mib") != NULL,
                 "a body beyond the staging quota is refused: why, and what to do", "%u %s (%s)",
                 status, first.check, first.hint);
    peer_close(&first);
    /* Half of the quota is taken by one who dawdles, and the other half is not enough. The node has
     * counted both pieces before the second lets the first out of the writer, onto the disk. */
    static uint8_t half[2 * MT_TRANSFER_BYTES];
    MT_ASSERT(peer_open(&first, &node, node.admin));
    MT_ASSERT(peer_say(&first, PUT, "dawdling", sizeof half + 1));
    MT_ASSERT(peer_send(&first, MT_BYTES_OF(half)));
    for (int i = 0; i < NODE_LOOKS && node_staged_bytes(&node) < MT_TRANSFER_BYTES; i++) {
        node_pause(NODE_STEP_MS);
    }
    MT_ASSERT(peer_open(&second, &node, node.admin));
    status = put(&second, "crowded", sizeof half + MIB / 2);
    (void)tap_ok(status == 413 && peer_is_cut(&second), "what is on its way counts", "%u %s",
                 status, second.check);
    peer_close(&second);
    MT_ASSERT(peer_say(&first, "x"));
    status = peer_answer(&first);
    (void)tap_ok(status == 201, "who was there first is served", "%u %s", status, first.check);
    status = put(&first, "later", (size_t)MIB);
    (void)tap_ok(status == 201, "and later uploads work", "%u %s", status, first.check);
    peer_close(&first);
}

/* ---- those who do not read */

static void make_task(struct peer *p, char task[33])
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    static const char text[] =
        "{\"function\":{\"name\":\"echo\",\"version\":1},\"arguments\":{},"
        "\"inputs\":[{\"name\":\"in\",\"data\":\"%.*s\",\"version\":1}],"
        "\"outputs\":[{\"name\":\"out\",\"receivers\":[\"%s\"]}],"
        "\"limits\":{\"time_ms\":1000,\"memory_bytes\":1000000},\"minimum_level\":2,"
        "\"policy\":\"%s\",\"not_before_ms\":0,\"not_after_ms\":4102444800000,\"runs\":1}";
    char body[1024];
    char subject[65] = {0};
    mt_hash hash;
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)subject, 64});
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    MT_DEFER(mt_json_free) struct mt_json *made = NULL;
    mt_bytes id;
    mt_spki_hash(mt_key_public(node.admin), &hash);
    mt_hex_write(&w, mt_hash_bytes(&hash));
    MT_ASSERT(put(p, "watched", 4) == 201);
    MT_ASSERT(!mt_failed(mt_json_parse(mt_buf_bytes(&p->body), &j, NULL)));
    MT_ASSERT(!mt_failed(mt_json_text(j, "data", &id)));
    int len = snprintf(body, sizeof body, text, (int)id.len, (const char *)id.ptr, subject, zeros);
    unsigned status = peer_ask(p,
                               "POST " V1 "/tasks HTTP/1.1\r\nhost: mesatee\r\n"
                               "content-length: %d\r\n\r\n%s",
                               len, body);
    MT_ASSERT(status == 201);
    MT_ASSERT(!mt_failed(mt_json_parse(mt_buf_bytes(&p->body), &made, NULL)));
    MT_ASSERT(!mt_failed(mt_json_text(made, "task", &id)));
    (void)snprintf(task, 33, "%.*s", (int)id.len, (const char *)id.ptr);
}

/* As much as the node and the kernels between take without anybody waiting. */
static uint64_t pour(struct peer *p, uint64_t most)
{
    static const uint8_t piece[16 * 1024];
    uint64_t sent = 0;
    MT_ASSERT(fcntl(p->fd, F_SETFL, fcntl(p->fd, F_GETFL) | O_NONBLOCK) == 0);
    while (sent < most) {
        if (!peer_send(p, MT_BYTES_OF(piece))) {
            node_pause(100);
            if (!peer_send(p, MT_BYTES_OF(piece))) {
                break;
            }
        }
        sent += sizeof piece;
    }
    return sent;
}

static void watchers(void)
{
    enum { WATCHERS = 50 };
    char task[33];
    MT_ASSERT(peer_open(&peers[0], &node, node.admin));
    make_task(&peers[0], task);
    uint64_t before = node_resident_bytes(&node);
    uint64_t sent = 0;
    for (size_t i = 1; i <= WATCHERS; i++) {
        MT_ASSERT(peer_open_on(&peers[i], &node, node.admin, peer_dial(node.port, 4096)));
        MT_ASSERT(peer_say(&peers[i],
                           "GET " V1 "/tasks/%s/events HTTP/1.1\r\nhost: mesatee\r\n\r\n", task));
    }
    for (size_t i = 1; i <= 4; i++) {
        sent += pour(&peers[i], (uint64_t)256 * MIB);
    }
    unsigned status = peer_ask(&peers[0], STATUS);
    uint64_t after = node_resident_bytes(&node);
    uint64_t grown = after > before ? after - before : 0;
    (void)printf("# %llu KiB were poured into watches, the node grew by %llu KiB\n",
                 (unsigned long long)sent / 1024, (unsigned long long)grown / 1024);
    (void)tap_ok(status == 200 && sent < (uint64_t)256 * MIB &&
                     grown < (uint64_t)NODE_MEMORY_SLACK * 24 * MIB,
                 "watchers who do not read, and send instead, hold no memory",
                 "%u, %llu sent, %llu grown", status, (unsigned long long)sent,
                 (unsigned long long)grown);
    for (size_t i = 0; i <= WATCHERS; i++) {
        peer_close(&peers[i]);
    }
}

static void run_node(const char *settings, void (*first)(void), void (*second)(void))
{
    node_start(&node, settings);
    first();
    if (second != NULL) {
        second();
    }
    (void)tap_ok(node_stop(&node) == 0, "and then the node stops as it should", "it does not");
}

int main(int argc, char **argv)
{
    MT_ASSERT(argc == 2);
    bool has_descriptors = raise_descriptors();
    MT_ASSERT(!mt_failed(mt_entropy_open()));
    node_begin(&node, argv[1]);
    if (has_descriptors) {
        run_node("connections_max = 10000\nrequest_timeout_s = 600\n", ten_thousand, NULL);
    } else {
        tap_skip("a node holds 10,000 connections", "RLIMIT_NOFILE cannot be raised that far");
    }
    run_node(IMPATIENT, slow_senders, the_busy_are_not_idle);
    run_node("staging_quota_mib = 4\n", full_staging, watchers);
    node_end(&node);
    mt_entropy_close();
    return tap_done();
}
