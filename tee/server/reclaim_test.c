/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/client_test.h"
#include "unit/runner.h"

/* The files of objects that were deleted: they go while the node runs, and not a moment too soon.
 */

enum { BODY_BYTES = 3 * MT_TRANSFER_BYTES + 1000 };
static uint8_t body[BODY_BYTES];

static void put(struct client *c, char id[33])
{
    char head[256];
    mt_bytes text;
    (void)snprintf(head, sizeof head,
                   "POST /t/big HTTP/1.1\r\nhost: x\r\ncontent-length: %zu\r\n\r\n", sizeof body);
    client_say(c, head);
    client_send(c, MT_BYTES_OF(body));
    spin();
    spin();
    MT_ASSERT(client_hears(c));
    MT_ASSERT(c->status == 201);
    OK(mt_json_text(c->json, "id", &text));
    (void)snprintf(id, 33, "%.*s", (int)text.len, (const char *)text.ptr);
}

static void say(struct client *c, const char *method, const char *id)
{
    char head[256];
    (void)snprintf(head, sizeof head, "%s /t/big/%s HTTP/1.1\r\nhost: x\r\n\r\n", method, id);
    client_say(c, head);
}

static mt_err count_file(void *state, const char *name)
{
    size_t *count = state;
    (void)name;
    (*count)++;
    return MT_OK;
}

static size_t objects(void)
{
    size_t count = 0;
    OK(mt_fs_list(fs, "objects", count_file, &count));
    return count;
}

static void begin(struct client *c)
{
    for (size_t i = 0; i < sizeof body; i++) {
        body[i] = (uint8_t)(i * 31 + i / 251);
    }
    handler_code = 0;
    server_begin();
    client_open(c, ALICE);
}

static void end(struct client *c)
{
    client_free(c);
    server_end();
}

static void is_deleted(struct client *c)
{
    MT_ASSERT(client_hears(c));
    MT_ASSERT(c->status == 200);
}

static void what_was_deleted_gives_its_space_back(void)
{
    struct client c;
    char id[33];
    char other[33];
    begin(&c);
    put(&c, id);
    put(&c, other);
    say(&c, "DELETE", id);
    spin();
    spin();
    is_deleted(&c);
    MT_ASSERT(objects() == 1);
    say(&c, "GET", other);
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&c.body), MT_BYTES_OF(body)));
    end(&c);
}

static void until_the_end_is_durable_the_file_stays(void)
{
    struct client c;
    char id[33];
    begin(&c);
    put(&c, id);
    say(&c, "DELETE", id);
    spin_but_disk();
    spin_but_disk();
    MT_ASSERT(objects() == 1);
    spin();
    MT_ASSERT(objects() == 0);
    end(&c);
}

static void an_end_that_is_undone_takes_nothing(void)
{
    struct client c;
    char id[33];
    begin(&c);
    put(&c, id);
    handler_code = MT_E_CONFLICT; /* after the object has been ended */
    say(&c, "DELETE", id);
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 409);
    MT_ASSERT(ask_server(&c, "POST /t/write HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}") ==
              201);
    spin();
    MT_ASSERT(objects() == 1);
    say(&c, "GET", id);
    spin();
    MT_ASSERT(client_hears(&c));
    MT_ASSERT(c.status == 200);
    end(&c);
}

/* The bytes are wanted first, and both are answered by one block. */
static void who_asked_before_the_end_gets_all(void)
{
    struct client c;
    struct client reader;
    char id[33];
    begin(&c);
    client_open(&reader, ALICE);
    put(&c, id);
    say(&reader, "GET", id);
    net_spin();
    say(&c, "DELETE", id);
    spin();
    spin();
    is_deleted(&c);
    MT_ASSERT(client_hears(&reader));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&reader.body), MT_BYTES_OF(body)));
    MT_ASSERT(objects() == 0);
    client_free(&reader);
    end(&c);
}

static void who_is_in_the_middle_of_it_gets_the_rest(void)
{
    struct client c;
    struct client reader;
    char id[33];
    begin(&c);
    client_open(&reader, ALICE);
    put(&c, id);
    lines[reader.fd].room = 60000;
    say(&reader, "GET", id);
    spin();
    client_listen(&reader);
    MT_ASSERT(reader.in.len > 0 && reader.in.len < sizeof body);
    say(&c, "DELETE", id);
    spin();
    spin();
    is_deleted(&c);
    MT_ASSERT(objects() == 0);
    for (int i = 0; i < 500 && reader.in.len < sizeof body; i++) {
        spin();
        client_listen(&reader);
    }
    MT_ASSERT(client_hears(&reader));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&reader.body), MT_BYTES_OF(body)));
    client_free(&reader);
    end(&c);
}

static void a_backup_is_waited_for(void)
{
    struct client c;
    char id[33];
    begin(&c);
    put(&c, id);
    mt_reclaim_backup_begins(server);
    say(&c, "DELETE", id);
    spin();
    spin();
    is_deleted(&c);
    MT_ASSERT(objects() == 1);
    mt_reclaim_backup_ends(server);
    spin();
    MT_ASSERT(objects() == 0);
    end(&c);
}

static void what_cannot_go_now_keeps_nothing_else_from_going(void)
{
    struct client c;
    char ids[3][33];
    begin(&c);
    for (size_t i = 0; i < 3; i++) {
        put(&c, ids[i]);
    }
    object_pool.is_full = true;
    say(&c, "DELETE", ids[0]);
    spin();
    spin();
    is_deleted(&c);
    object_pool.is_full = false;
    MT_ASSERT(objects() == 3);
    say(&c, "DELETE", ids[1]);
    say(&c, "DELETE", ids[2]);
    spin();
    spin();
    spin();
    MT_ASSERT(objects() == 1); /* that one waits for the next start */
    end(&c);
}

static void a_server_that_ends_forgets_what_it_had_to_remove(void)
{
    struct client c;
    char id[33];
    begin(&c);
    put(&c, id);
    say(&c, "DELETE", id);
    spin_but_disk();
    client_free(&c);
    mt_server_free(&server);
    turn(); /* durable, and nobody is called any more */
    turn();
    MT_ASSERT(objects() == 1);
    server_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(what_was_deleted_gives_its_space_back),
        MT_TEST(until_the_end_is_durable_the_file_stays),
        MT_TEST(an_end_that_is_undone_takes_nothing),
        MT_TEST(who_asked_before_the_end_gets_all),
        MT_TEST(who_is_in_the_middle_of_it_gets_the_rest),
        MT_TEST(a_backup_is_waited_for),
        MT_TEST(what_cannot_go_now_keeps_nothing_else_from_going),
        MT_TEST(a_server_that_ends_forgets_what_it_had_to_remove),
    };
    OK(mt_crypto_init(world_random, NULL));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
