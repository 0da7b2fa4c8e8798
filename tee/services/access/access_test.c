/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/access/access.h"

#include "jobs/call_test.h"

/* Users, as the API shows and changes them. */

static const struct mt_service *const services[] = {&mt_access_service, NULL};

static const char *hex(mt_bytes bytes)
{
    static char room[4][2 * MT_SPKI_LEN + 1];
    static size_t next;
    char *out = room[next++ % 4];
    mt_bytes done;
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)out, sizeof room[0] - 1});
    mt_hex_write(&w, bytes);
    OK(mt_write_end(&w, &done));
    out[done.len] = '\0';
    return out;
}

static mt_err add(enum person by, const char *key, const char *name, const char *role)
{
    char body[512];
    (void)snprintf(body, sizeof body, "{\"key\":\"%s\",\"name\":\"%s\",\"role\":\"%s\"}", key, name,
                   role);
    return CALL(by, "user.add", .body = body);
}

static const char *mallorys_key(void)
{
    return hex(mt_spki_bytes(&people[MALLORY].spki));
}

static size_t users(const struct mt_json **list)
{
    size_t count = 0;
    OK(CALL(ALICE, "user.list"));
    OK(mt_json_array(answer, "users", 1000, list, &count));
    return count;
}

static void an_administrator_adds_and_revokes_and_everybody_sees_who_is_there(void)
{
    const struct mt_json *list = NULL;
    node_begin(services);
    MT_ASSERT(users(&list) == 5);
    OK(add(ADMIN, mallorys_key(), "Mallory", "user"));
    MT_ASSERT(reply.status == 201);
    MT_ASSERT(says("subject", hex(mt_hash_bytes(&people[MALLORY].subject))));
    MT_ASSERT(users(&list) == 6);
    OK(CALL(MALLORY, "user.list"));
    OK(CALL(ADMIN, "user.revoke", .args = {hex(mt_hash_bytes(&people[MALLORY].subject))}));
    MT_ASSERT(is_code(CALL(MALLORY, "user.list"), MT_E_DENIED));
    MT_ASSERT(users(&list) == 6);
    size_t revoked = 0;
    for (size_t i = 0; i < 6; i++) {
        bool is_revoked = false;
        OK(mt_json_bool(mt_json_at(list, i), "revoked", &is_revoked));
        revoked += is_revoked ? 1 : 0;
        MT_ASSERT(!is_revoked || strcmp(text_of(mt_json_at(list, i), "name"), "Mallory") == 0);
    }
    MT_ASSERT(revoked == 1);
    calls_end();
}

static void only_an_administrator_adds_and_revokes(void)
{
    node_begin(services);
    MT_ASSERT(is_code(add(ALICE, mallorys_key(), "m", "user"), MT_E_DENIED));
    MT_ASSERT(is_code(add(MALLORY, mallorys_key(), "m", "admin"), MT_E_DENIED));
    MT_ASSERT(
        is_code(CALL(ALICE, "user.revoke", .args = {hex(mt_hash_bytes(&people[BOB].subject))}),
                MT_E_DENIED));
    OK(add(ADMIN, mallorys_key(), "m", "admin"));
    MT_ASSERT(is_code(add(ALICE, mallorys_key(), "m", "admin"), MT_E_DENIED));
    calls_end();
}

static void a_known_key_is_never_given_another_name_or_role(void)
{
    node_begin(services);
    const char *key = hex(mt_spki_bytes(&people[ALICE].spki));
    MT_ASSERT(is_code(add(ADMIN, key, "alice", "admin"), MT_E_CONFLICT));
    MT_ASSERT(is_code(add(ADMIN, key, "bob", "user"), MT_E_CONFLICT));
    OK(add(ADMIN, mallorys_key(), "alice", "user")); /* a name is for display: two may have it */
    calls_end();
}

static void what_is_no_key_name_or_role_is_refused(void)
{
    node_begin(services);
    char broken[2 * MT_SPKI_LEN + 1];
    (void)snprintf(broken, sizeof broken, "%s", mallorys_key());
    broken[2 * MT_SPKI_LEN - 1] ^= 1; /* no point of the curve any more */
    MT_ASSERT(is_code(add(ADMIN, broken, "m", "user"), MT_E_FORMAT));
    broken[10] = '\0';
    MT_ASSERT(is_code(add(ADMIN, broken, "m", "user"), MT_E_FORMAT));
    MT_ASSERT(is_code(add(ADMIN, mallorys_key(), "", "user"), MT_E_ARG));
    MT_ASSERT(is_code(add(ADMIN, mallorys_key(), "\\u001b[31m", "user"), MT_E_ARG));
    MT_ASSERT(is_code(add(ADMIN, mallorys_key(), "m", "owner"), MT_E_ARG));
    MT_ASSERT(is_code(CALL(ADMIN, "user.add"), MT_E_FORMAT));
    MT_ASSERT(is_code(CALL(ADMIN, "user.add", .body = "{\"key\":\"00\",\"more\":1}"), MT_E_FORMAT));
    MT_ASSERT(is_code(CALL(ADMIN, "user.revoke", .args = {"00"}), MT_E_FORMAT));
    MT_ASSERT(
        is_code(CALL(ADMIN, "user.revoke", .args = {hex(mt_hash_bytes(&people[MALLORY].subject))}),
                MT_E_NOTFOUND));
    MT_ASSERT(
        is_code(CALL(ADMIN, "user.revoke", .args = {hex(mt_hash_bytes(&people[ADMIN].subject))}),
                MT_E_CONFLICT));
    calls_end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(an_administrator_adds_and_revokes_and_everybody_sees_who_is_there),
        MT_TEST(only_an_administrator_adds_and_revokes),
        MT_TEST(a_known_key_is_never_given_another_name_or_role),
        MT_TEST(what_is_no_key_name_or_role_is_refused),
    };
    OK(mt_crypto_init(world_random, NULL));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
