/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/client_test.h"
#include "unit/runner.h"

/* Large bodies: in through the object thread, out through it, and ended in the middle. */

enum { BODY_BYTES = 3 * MT_TRANSFER_BYTES + 1000 }; /* three pieces and a rest */
static uint8_t body[BODY_BYTES];

static void say_put(struct client *c, uint64_t len)
{
    char head[256];
    (void)snprintf(head, sizeof head,
                   "POST /t/big HTTP/1.1\r\nhost: x\r\ncontent-length: %llu\r\n\r\n",
                   (unsigned long long)len);
    client_say(c, head);
}

static void say_get(struct client *c, const char *id)
{
    char head[256];
    (void)snprintf(head, sizeof head, "GET /t/big/%s HTTP/1.1\r\nhost: x\r\n\r\n", id);
    client_say(c, head);
}

static char last_name[64];

static mt_err count_file(void *state, const char *name)
{
    size_t *count = state;
    (*count)++;
    (void)snprintf(last_name, sizeof last_name, "%s", name);
    return MT_OK;
}

static size_t files_in(const char *dir)
{
    size_t count = 0;
    OK(mt_fs_list(fs, dir, count_file, &count));
    return count;
}

static void begin(struct client *c)
{
    for (size_t i = 0; i < sizeof body; i++) {
        body[i] = (uint8_t)(i * 31 + i / 251);
    }
    server_begin();
    client_open(c, ALICE);
}

static void end(struct client *c)
{
    client_free(c);
    server_end();
}

static void put_whole(struct client *c, char id[33])
{
    mt_bytes text;
    say_put(c, sizeof body);
    client_send(c, MT_BYTES_OF(body));
    spin();
    spin();
    MT_ASSERT(client_hears(c));
    MT_ASSERT(c->status == 201);
    OK(mt_json_text(c->json, "id", &text));
    (void)snprintf(id, 33, "%.*s", (int)text.len, (const char *)text.ptr);
}

static void what_goes_in_comes_out_and_nobody_else_gets_it(void)
{
    struct client c;
    struct client other;
    char id[33];
    begin(&c);
    put_whole(&c, id);
    MT_ASSERT(files_in("objects") == 1);
    MT_ASSERT(files_in("staging") == 0);
    say_get(&c, id);
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 200);
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&c.body), MT_BYTES_OF(body)));
    client_open(&other, BOB);
    say_get(&other, id);
    spin();
    MT_ASSERT(client_hears(&other));
    MT_ASSERT(other.status == 404);
    client_free(&other);
    end(&c);
}

static void a_reader_who_takes_little_at_a_time_gets_all_and_costs_little(void)
{
    struct client c;
    char id[33];
    begin(&c);
    put_whole(&c, id);
    lines[c.fd].room = 60000;
    say_get(&c, id);
    size_t most = 0;
    for (int i = 0; i < 500 && c.in.len < sizeof body; i++) {
        spin();
        most = most > server->conns->out.len ? most : server->conns->out.len;
        client_listen(&c);
        pass(TEST_TIMEOUT_MS - 1); /* slow, but it moves */
    }
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&c.body), MT_BYTES_OF(body)));
    MT_ASSERT(most <= 2 * MT_TRANSFER_BYTES);
    end(&c);
}

static void a_reader_who_takes_nothing_is_cut(void)
{
    struct client c;
    char id[33];
    begin(&c);
    put_whole(&c, id);
    lines[c.fd].room = 10000;
    say_get(&c, id);
    spin();
    pass(TEST_TIMEOUT_MS);
    MT_ASSERT(!is_open(&c));
    end(&c);
}

static void an_object_that_is_damaged_is_cut_and_never_looks_whole(void)
{
    struct client c;
    char id[33];
    char path[80];
    begin(&c);
    put_whole(&c, id);
    MT_ASSERT(files_in("objects") == 1);
    (void)snprintf(path, sizeof path, "objects/%s", last_name);
    file_flip(fs, path, 8 * 700000);
    say_get(&c, id);
    spin();
    client_listen(&c);
    MT_ASSERT(!is_open(&c));
    MT_ASSERT(c.in.len < sizeof body);
    MT_ASSERT(!c.has_goodbye);
    end(&c);
}

/* At every step of an upload the line may break, with the object thread in the middle of its work.
 */
static void an_upload_that_breaks_leaves_nothing_wherever_it_breaks(void)
{
    for (int steps = 0; steps < 6; steps++) {
        struct client c;
        begin(&c);
        say_put(&c, sizeof body);
        client_send(&c, (mt_bytes){body, steps < 4 ? sizeof body - 1 : sizeof body});
        net_spin();
        for (int i = 0; i < steps; i++) {
            (void)object_step();
            net_spin();
        }
        client_hang_up(&c);
        while (object_step()) {
            net_spin();
        }
        spin();
        MT_ASSERT(!is_open(&c));
        if (steps < 4) {
            MT_ASSERT(files_in("objects") + files_in("staging") == 0);
        }
        MT_ASSERT(server->conns_count == 0);
        end(&c);
    }
}

/* What the ledger does not name does not stay: a repeat is answered as before, and its body is one
 * too many. */
static void an_upload_that_is_repeated_is_kept_once(void)
{
    static const char text[] = "POST /t/big HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n"
                               "mesatee-request: 00112233445566778899aabbccddeeff-1\r\n\r\nabc";
    struct client c;
    begin(&c);
    MT_ASSERT(ask_server(&c, text) == 201);
    MT_ASSERT(ask_server(&c, text) == 201);
    MT_ASSERT(files_in("objects") == 1);
    MT_ASSERT(files_in("staging") == 0);
    end(&c);
}

/* The quota ends while the object thread is writing what came before. */
static void a_body_beyond_the_quota_is_refused_while_it_is_being_written(void)
{
    struct client c;
    world_quota_bytes = MT_TRANSFER_BYTES + 300000;
    begin(&c);
    say_put(&c, sizeof body);
    client_send(&c, MT_BYTES_OF(body));
    net_spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 413);
    MT_ASSERT(answer_is(&c, "check", "your staging quota is used up"));
    MT_ASSERT(c.json != NULL && !answer_is(&c, "hint", ""));
    MT_ASSERT(c.closes);
    MT_ASSERT(!c.has_goodbye); /* the object thread has not let go */
    while (object_step()) {
        net_spin();
    }
    net_spin();
    client_listen(&c);
    MT_ASSERT(c.has_goodbye);
    client_free(&c);
    client_open(&c, ALICE);
    say_put(&c, 200000);
    client_send(&c, (mt_bytes){body, 200000});
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 201); /* what was staged counts no more */
    world_quota_bytes = UINT64_C(1) << 40;
    end(&c);
}

static void a_disk_that_fails_is_an_error_and_the_rest_of_the_body_no_request(void)
{
    struct client c;
    begin(&c);
    say_put(&c, sizeof body);
    net_spin();
    client_send(&c, (mt_bytes){body, sizeof body - 2000});
    disk_fault(MT_SIM_ERROR, 0);
    do {
        net_spin();
    } while (object_step());
    disk_heal();
    client_send(&c, (mt_bytes){body, 1000});
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status >= 500);
    MT_ASSERT(c.closes);
    MT_ASSERT(server->requests == 1);
    end(&c);
}

static void a_seal_that_fails_is_an_error_and_the_connection_goes_on(void)
{
    struct client c;
    begin(&c);
    say_put(&c, 1000);
    client_send(&c, (mt_bytes){body, 1000});
    net_spin();
    (void)object_step();
    disk_fault(MT_SIM_ERROR, 0);
    (void)object_step();
    disk_heal();
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status >= 500);
    MT_ASSERT(!c.closes);
    MT_ASSERT(ask_server(&c, "GET /t/quick HTTP/1.1\r\nhost: x\r\n\r\n") == 200);
    end(&c);
}

static void a_body_that_is_announced_larger_than_its_path_takes_is_not_waited_for(void)
{
    struct client c;
    begin(&c);
    say_put(&c, BIG_BYTES_MAX + 1);
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 413);
    MT_ASSERT(c.closes);
    end(&c);
}

/* It may lie in the same record as the end of the body. */
static void a_request_behind_a_large_body_is_no_part_of_it(void)
{
    static const char next[] = "GET /t/quick HTTP/1.1\r\nhost: x\r\n\r\n";
    struct client c;
    begin(&c);
    say_put(&c, 1000);
    net_spin(); /* the head is gone: what comes now is decrypted to where it is sealed from */
    memcpy(body + 1000, next, sizeof next - 1);
    client_send(&c, (mt_bytes){body, 1000 + sizeof next - 1});
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 201);
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 200);
    end(&c);
}

static void who_waits_to_be_asked_for_a_body_is_asked_once(void)
{
    struct client c;
    begin(&c);
    client_say(&c, "POST /t/big HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
                   "content-length: 1000\r\n\r\n");
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 100);
    client_send(&c, (mt_bytes){body, 1000});
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 201);
    end(&c);
}

static void a_stranger_is_not_asked_for_a_body(void)
{
    struct client c;
    begin(&c);
    client_free(&c);
    client_open(&c, MALLORY);
    client_say(&c, "POST /t/big HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
                   "content-length: 1000\r\n\r\n");
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 403);
    MT_ASSERT(object_pool.first == NULL);
    end(&c);
}

static void a_pool_that_is_full_is_an_error(void)
{
    struct client c;
    char id[33];
    begin(&c);
    put_whole(&c, id);
    object_pool.is_full = true;
    say_put(&c, 1000);
    client_send(&c, (mt_bytes){body, 1000});
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 503);
    say_get(&c, id);
    spin();
    MT_ASSERT(!is_open(&c)); /* the head had left */
    object_pool.is_full = false;
    end(&c);
}

static void the_answer_to_a_head_is_long_and_does_not_come(void)
{
    struct client c;
    char id[33];
    char head[256];
    begin(&c);
    put_whole(&c, id);
    (void)snprintf(head, sizeof head, "HEAD /t/big/%s HTTP/1.1\r\nhost: x\r\n\r\n", id);
    client_say(&c, head);
    spin();
    client_listen(&c);
    MT_ASSERT(c.in.len > 0);
    (void)snprintf(head, sizeof head, "content-length: %zu\r\n", sizeof body);
    MT_ASSERT(memmem(c.in.ptr, c.in.len, head, strlen(head)) != NULL);
    mt_buf_drop(&c.in, c.in.len);
    MT_ASSERT(ask_server(&c, "GET /t/quick HTTP/1.1\r\nhost: x\r\n\r\n") == 200);
    end(&c);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(what_goes_in_comes_out_and_nobody_else_gets_it),
        MT_TEST(a_reader_who_takes_little_at_a_time_gets_all_and_costs_little),
        MT_TEST(a_reader_who_takes_nothing_is_cut),
        MT_TEST(an_object_that_is_damaged_is_cut_and_never_looks_whole),
        MT_TEST(an_upload_that_breaks_leaves_nothing_wherever_it_breaks),
        MT_TEST(an_upload_that_is_repeated_is_kept_once),
        MT_TEST(a_body_beyond_the_quota_is_refused_while_it_is_being_written),
        MT_TEST(a_disk_that_fails_is_an_error_and_the_rest_of_the_body_no_request),
        MT_TEST(a_seal_that_fails_is_an_error_and_the_connection_goes_on),
        MT_TEST(a_body_that_is_announced_larger_than_its_path_takes_is_not_waited_for),
        MT_TEST(a_request_behind_a_large_body_is_no_part_of_it),
        MT_TEST(who_waits_to_be_asked_for_a_body_is_asked_once),
        MT_TEST(a_stranger_is_not_asked_for_a_body),
        MT_TEST(a_pool_that_is_full_is_an_error),
        MT_TEST(the_answer_to_a_head_is_long_and_does_not_come),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
