/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "crypto/aead.h"
#include "gate/acts_test.h"
#include "gate/inside.h"
#include "unit/scarce.h"

/*
 * The gate's records are sealed, so that a damaged one is a fault of ours. It must be an error all
 * the same, and never a permission: what is refused with every record whole is refused with any of
 * them cut, lengthened, of another shape, or under a key that is none.
 */
enum { RECORDS_MAX = 64, RECORD_BYTES_MAX = 1024 };

struct record {
    uint32_t map;
    size_t key_len;
    size_t value_len;
    uint8_t key[MT_KEY_BYTES_MAX];
    uint8_t value[RECORD_BYTES_MAX];
};
static struct record *records;
static size_t records_count;

static mt_id data;
static mt_id spare; /* owned by Alice, without a version */
static struct mt_object_handle handle;
static const mt_hash digest = {"the digest of an approved task.."};
static struct mt_grant for_bob;
static struct mt_ask numbered;
static struct mt_secret *object_key; /* of no object: for one that a job has made */

/* What the gate asks of others, refused at the n-th time from now on. */
static size_t refused_in;
#define REFUSE                                                                                     \
    MT_REQUIRE(refused_in == 0 || --refused_in > 0, MT_E_LIMIT, "there is no room for it")

mt_err __real_mt_tx_put(struct mt_tx *t, const struct mt_map_def *map, mt_bytes key,
                        mt_bytes value);
mt_err __wrap_mt_tx_put(struct mt_tx *t, const struct mt_map_def *map, mt_bytes key,
                        mt_bytes value);
mt_err __real_mt_tx_del(struct mt_tx *t, const struct mt_map_def *map, mt_bytes key);
mt_err __wrap_mt_tx_del(struct mt_tx *t, const struct mt_map_def *map, mt_bytes key);
mt_err __real_mt_tx_random(struct mt_tx *t, mt_span out);
mt_err __wrap_mt_tx_random(struct mt_tx *t, mt_span out);
mt_err __real_mt_arena_get(struct mt_arena *a, size_t len, mt_span *out);
mt_err __wrap_mt_arena_get(struct mt_arena *a, size_t len, mt_span *out);
mt_err __real_mt_arena_copy(struct mt_arena *a, mt_bytes bytes, mt_bytes *out);
mt_err __wrap_mt_arena_copy(struct mt_arena *a, mt_bytes bytes, mt_bytes *out);

mt_err __wrap_mt_tx_put(struct mt_tx *t, const struct mt_map_def *map, mt_bytes key, mt_bytes value)
{
    REFUSE;
    return __real_mt_tx_put(t, map, key, value);
}

mt_err __wrap_mt_tx_del(struct mt_tx *t, const struct mt_map_def *map, mt_bytes key)
{
    REFUSE;
    return __real_mt_tx_del(t, map, key);
}

mt_err __wrap_mt_tx_random(struct mt_tx *t, mt_span out)
{
    REFUSE;
    return __real_mt_tx_random(t, out);
}

mt_err __wrap_mt_arena_get(struct mt_arena *a, size_t len, mt_span *out)
{
    REFUSE;
    return __real_mt_arena_get(a, len, out);
}

mt_err __wrap_mt_arena_copy(struct mt_arena *a, mt_bytes bytes, mt_bytes *out)
{
    REFUSE;
    return __real_mt_arena_copy(a, bytes, out);
}

static mt_err note(void *state, mt_bytes key, mt_bytes value, bool *is_enough)
{
    (void)is_enough;
    MT_ASSERT(records_count < RECORDS_MAX && value.len <= RECORD_BYTES_MAX);
    struct record *r = &records[records_count++];
    *r = (struct record){
        .map = *(const uint32_t *)state, .key_len = key.len, .value_len = value.len};
    memcpy(r->key, key.ptr, key.len);
    memcpy(r->value, value.ptr, value.len);
    return MT_OK;
}

static void scan_all(void)
{
    MT_GATE_REACHES(tx);
    for (uint32_t map = 0; map <= MT_GATE_ORDER; map++) {
        size_t before = records_count;
        OK(mt_tx_scan(tx, &mt_gate_maps[map], MT_ALL, note, &map));
        MT_ASSERT(records_count > before); /* of every kind there is one */
    }
}

static void note_all(void)
{
    records = calloc(RECORDS_MAX, sizeof *records);
    MT_ASSERT(records != NULL);
    records_count = 0;
    begin_tx();
    scan_all();
    abort_tx();
}

/* In Alice's ring of requests the second place too is taken, as it is after the first round. */
static void take_next_place(void)
{
    uint8_t place[32 + 2] = {0};
    uint8_t request[16 + 8] = {1};
    memcpy(place, people[ALICE].subject.b, 32);
    place[33] = 1;
    begin_tx();
    {
        MT_GATE_REACHES(tx);
        OK(mt_tx_put(tx, &mt_gate_maps[MT_GATE_ORDER], MT_BYTES_OF(place), MT_BYTES_OF(request)));
    }
    (void)commit_tx();
}

static void begin(void)
{
    world_begin();
    world_populate();
    data = id_of(1);
    spare = id_of(2);
    OK(put_data(ALICE, &data, MT_LITERAL("of alice"), &handle));
    OK(mt_shred_begin(shred)); /* so there is a key to be wrapped anew */
    OK(enter(ask_of(ALICE, MT_RIGHT_USER)));
    OK(leave(mt_permit_own(permit, tx, MT_REF(MT_KIND_DATA, &spare))));
    for_bob = (struct mt_grant){.right = MT_GRANT_USE, .grantee = people[BOB].subject, .count = 9};
    OK(grant(ALICE, &data, &for_bob));
    struct mt_grant run = {.right = MT_GRANT_RUN, .grantee = digest, .count = 9};
    OK(grant(ALICE, &data, &run));
    numbered = ask_of(ALICE, MT_RIGHT_USER);
    numbered.is_numbered = true;
    numbered.number = 1;
    OK(enter(numbered));
    OK(leave(mt_gate_remember(gate, tx, &numbered, 200, MT_LITERAL("answer"))));
    take_next_place();
    note_all();
}

static void end(void)
{
    free(records);
    world_end();
}

/* Within the transaction in which the damage is. */
static mt_err in(struct mt_ask ask)
{
    return mt_gate_admit(gate, tx, &ask, &permit);
}

static mt_err look(enum person who)
{
    const struct mt_ask ask = ask_on(who, MT_RIGHT_SEE, MT_KIND_DATA, &data);
    return mt_gate_check(gate, tx, &ask);
}

static mt_err read_bytes(enum person who)
{
    MT_DEFER(mt_secret_free) struct mt_secret *key = NULL;
    struct mt_object_handle h;
    MT_TRY(in(reading(ask_on(who, MT_RIGHT_READ, MT_KIND_DATA, &data))));
    MT_TRY(mt_permit_object(permit, tx, MT_REF(MT_KIND_DATA, &data), 1, &h));
    return mt_gate_unwrap(gate, permit, tx, &h.id, &key);
}

static mt_err name_as_input(enum person who)
{
    mt_hash owner;
    MT_TRY(in(ask_of(who, MT_RIGHT_USER)));
    return mt_permit_use(permit, tx, MT_REF(MT_KIND_DATA, &data), MT_LITERAL("psi"), &owner);
}

static mt_err allow(enum person who)
{
    struct mt_grant g = {.right = MT_GRANT_SEE, .grantee = people[DAVE].subject};
    MT_TRY(in(ask_on(who, MT_RIGHT_OWNER, MT_KIND_DATA, &data)));
    return mt_permit_grant(permit, tx, MT_REF(MT_KIND_DATA, &data), &g);
}

static mt_err take_back(enum person who)
{
    MT_TRY(in(ask_on(who, MT_RIGHT_OWNER, MT_KIND_DATA, &data)));
    return mt_permit_revoke(permit, tx, MT_REF(MT_KIND_DATA, &data), &for_bob.id);
}

static mt_err delete (enum person who)
{
    MT_TRY(in(ask_on(who, MT_RIGHT_OWNER, MT_KIND_DATA, &data)));
    return mt_permit_disown(permit, tx, MT_REF(MT_KIND_DATA, &data));
}

static mt_err any_grant(void *state, const struct mt_grant *g)
{
    (void)state;
    (void)g;
    return MT_OK;
}

static mt_err list_grants(enum person who)
{
    MT_TRY(in(ask_on(who, MT_RIGHT_OWNER, MT_KIND_DATA, &data)));
    return mt_permit_grants(permit, tx, MT_REF(MT_KIND_DATA, &data), any_grant, NULL);
}

static mt_err describe(enum person who)
{
    struct mt_resource_info info;
    MT_TRY(in(ask_on(who, MT_RIGHT_SEE, MT_KIND_DATA, &data)));
    return mt_permit_describe(permit, tx, MT_REF(MT_KIND_DATA, &data), &info);
}

static mt_err add_version(enum person who)
{
    MT_DEFER(mt_object_writer_free) struct mt_object_writer *w = NULL;
    struct mt_object_handle h;
    MT_TRY(in(ask_on(who, MT_RIGHT_OWNER, MT_KIND_DATA, &data)));
    w = make_object(MT_LITERAL("more"), &h);
    mt_gate_put_staged(permit, &h.id, mt_object_writer_key(w));
    mt_err e = mt_permit_keep(permit, tx, &h, MT_REF(MT_KIND_DATA, &data), 2);
    mt_gate_leave(&permit);
    OK(mt_object_remove(fs, &h.id));
    return e;
}

static mt_err run_as(const mt_hash *grantee)
{
    const struct mt_job_ask ask = {.job = id_of(50),
                                   .grantee = *grantee,
                                   .function = MT_LITERAL("psi"),
                                   .inputs = &data,
                                   .objects = &handle.id,
                                   .inputs_count = 1};
    MT_TRY(mt_gate_check_job(gate, tx, &ask));
    return mt_gate_admit_job(gate, tx, &ask, arena, &permit);
}

static mt_err any_user(void *state, const struct mt_user *u)
{
    (void)state;
    (void)u;
    return MT_OK;
}

static mt_err list_users(enum person who)
{
    MT_TRY(in(ask_of(who, MT_RIGHT_ADMIN)));
    return mt_permit_users(permit, tx, any_user, NULL);
}

static mt_err send_away(enum person who)
{
    MT_TRY(in(ask_of(who, MT_RIGHT_ADMIN)));
    return mt_permit_user_revoke(permit, tx, &people[DAVE].subject);
}

static mt_err welcome(enum person who)
{
    MT_TRY(in(ask_of(who, MT_RIGHT_ADMIN)));
    return mt_permit_user_add(permit, tx, &people[MALLORY].spki, MT_LITERAL("mallory"),
                              MT_ROLE_USER);
}

/* What each may do, and nobody else of those who are not named. */
static const struct {
    mt_err (*act)(enum person who);
    enum person who;
} allowed[] = {
    {look, BOB},          {name_as_input, BOB}, {read_bytes, ALICE},  {allow, ALICE},
    {take_back, ALICE},   {delete, ALICE},      {list_grants, ALICE}, {describe, ALICE},
    {add_version, ALICE}, {list_users, ADMIN},  {send_away, ADMIN},   {welcome, ADMIN},
};
enum { ALLOWED = sizeof allowed / sizeof *allowed };

static mt_err act(size_t i, enum person who)
{
    return allowed[i].act(who);
}

static mt_err any_object(void *state, const struct mt_object_handle *h)
{
    (void)state;
    (void)h;
    return MT_OK;
}

static mt_err any_resource(void *state, const mt_id *id, bool *is_enough)
{
    (void)state;
    (void)id;
    (void)is_enough;
    return MT_OK;
}

static mt_err keep_result(void)
{
    struct mt_object_handle h = handle; /* of an object that was never put anywhere */
    const mt_id result = id_of(60);
    const struct mt_kept_result r = {&result, &h, &people[BOB].subject, 1};
    h.id = id_of(61);
    MT_TRY(mt_gate_admit_nothing(gate, &digest, arena, &permit));
    mt_gate_put_staged(permit, &h.id, object_key);
    return mt_permit_keep_result(permit, tx, &r);
}

static mt_err flush(void)
{
    const struct mt_ask ask = looking(ask_of(BOB, MT_RIGHT_USER));
    mt_gate_note(gate, &ask, MT_OK);
    return mt_gate_flush(gate, tx);
}

/* What the node does for itself, or for anybody: in one transaction each. */
static mt_err keep_house(size_t i)
{
    struct mt_recalled r;
    bool is_done = false;
    switch (i) {
    case 0:
        return mt_gate_each_live(gate, tx, any_object, NULL);
    case 1:
        return mt_gate_rewrap(gate, tx, &is_done);
    case 2:
        return mt_gate_recall(gate, tx, &numbered, &r);
    case 3:
        return mt_gate_remember(gate, tx, &numbered, 200, MT_LITERAL("again"));
    case 4:
        MT_TRY(in(ask_of(ALICE, MT_RIGHT_USER)));
        return mt_permit_list(permit, tx, MT_REF(MT_KIND_DATA, &mt_gate_no_grant), any_resource,
                              NULL);
    case 5:
        return keep_result();
    case 6:
        return flush();
    default:
        return run_as(&digest);
    }
}
enum { HOUSEKEEPING = 8 };

enum damage { CUT, LONGER, OTHER_SHAPE, OTHER_KEY };

/* In the open transaction. */
static void put_damage(const struct record *r, enum damage d, size_t at)
{
    uint8_t value[RECORD_BYTES_MAX + 1] = {0};
    size_t value_len = d == CUT ? at : r->value_len + (d == LONGER ? 1 : 0);
    size_t key_len = r->key_len - (d == OTHER_KEY ? 1 : 0);
    memcpy(value, r->value, r->value_len);
    value[0] ^= d == OTHER_SHAPE ? 1 : 0;
    MT_GATE_REACHES(tx);
    OK(mt_tx_put(tx, &mt_gate_maps[r->map], (mt_bytes){r->key, key_len},
                 (mt_bytes){value, value_len}));
}

static void try_all(const struct record *r, enum damage d, size_t at)
{
    static const mt_hash other_digest = {"the digest of another task......"};
    for (size_t i = 0; i < ALLOWED + HOUSEKEEPING; i++) {
        begin_tx();
        put_damage(r, d, at);
        mt_err e = i < ALLOWED ? act(i, allowed[i].who) : keep_house(i - ALLOWED);
        MT_ASSERT(!mt_failed(e) || e.fault->code != MT_E_NOMEM);
        abort_tx();
    }
    for (size_t i = 0; i < ALLOWED; i++) {
        begin_tx();
        put_damage(r, d, at);
        MT_ASSERT(mt_failed(act(i, CAROL)));
        abort_tx();
    }
    begin_tx();
    put_damage(r, d, at);
    MT_ASSERT(mt_failed(run_as(&other_digest)));
    abort_tx();
}

static void with_whole_records_everybody_may_do_what_is_theirs(void)
{
    begin();
    for (size_t i = 0; i < ALLOWED + HOUSEKEEPING; i++) {
        begin_tx();
        OK(i < ALLOWED ? act(i, allowed[i].who) : keep_house(i - ALLOWED));
        abort_tx();
    }
    end();
}

static void a_record_that_is_cut_is_an_error_and_no_permission(void)
{
    begin();
    for (size_t i = 0; i < records_count; i++) {
        for (size_t at = 0; at < records[i].value_len; at++) {
            try_all(&records[i], CUT, at);
        }
    }
    end();
}

static void a_record_of_another_form_is_an_error_and_no_permission(void)
{
    begin();
    for (size_t i = 0; i < records_count; i++) {
        try_all(&records[i], LONGER, 0);
        if (records[i].value_len > 0) {
            try_all(&records[i], OTHER_SHAPE, 0);
        }
        try_all(&records[i], OTHER_KEY, 0);
    }
    end();
}

static void a_resource_has_at_most_so_many_grants_and_those_long_ended_make_room(void)
{
    begin();
    struct mt_grant g = {.right = MT_GRANT_SEE, .until_ms = now_ms + 1000};
    for (uint32_t i = 2; i < MT_GATE_GRANTS_MAX; i++) { /* two are there */
        memcpy(g.grantee.b, &i, sizeof i);
        OK(grant(ALICE, &data, &g));
    }
    MT_ASSERT(is_code(grant(ALICE, &data, &g), MT_E_LIMIT));
    world_sleep(UINT64_C(8) * 24 * WORLD_HOUR_MS);
    g.until_ms = 0;
    for (uint32_t i = 2; i < MT_GATE_GRANTS_MAX; i++) {
        OK(grant(ALICE, &data, &g));
    }
    MT_ASSERT(is_code(grant(ALICE, &data, &g), MT_E_LIMIT));
    OK(use(BOB, &data, "psi")); /* those that have not ended are all there */
    end();
}

/* One act with the n-th allocation failing: whether there was one. */
static bool try_scarce(size_t i, size_t n)
{
    begin_tx();
    scarce_in = n;
    mt_err e = i < ALLOWED ? act(i, allowed[i].who) : keep_house(i - ALLOWED);
    bool was_reached = scarce_end();
    MT_ASSERT(was_reached || !mt_failed(e));
    abort_tx();
    mt_gate_flushed(gate, MT_OK);
    return was_reached;
}

/* The same with the n-th wish refused: nothing goes on without. */
static bool try_refused(size_t i, size_t n)
{
    begin_tx();
    refused_in = n;
    mt_err e = i < ALLOWED ? act(i, allowed[i].who) : keep_house(i - ALLOWED);
    bool was_reached = refused_in == 0;
    refused_in = 0;
    MT_ASSERT(was_reached ? is_code(e, MT_E_LIMIT) : !mt_failed(e));
    abort_tx();
    mt_gate_flushed(gate, MT_OK);
    return was_reached;
}

static void memory_may_run_out_in_any_act_and_the_next_one_succeeds(void)
{
    begin();
    for (size_t i = 0; i < ALLOWED + HOUSEKEEPING; i++) {
        bool makes_an_object =
            i < ALLOWED && allowed[i].act == add_version; /* with no mind to fail */
        for (size_t n = 1; !makes_an_object && try_scarce(i, n); n++) {
        }
    }
    end();
}

static void any_wish_of_the_gate_may_be_refused_and_the_next_one_is_granted(void)
{
    size_t refused = 0;
    begin();
    for (size_t i = 0; i < ALLOWED + HOUSEKEEPING; i++) {
        for (size_t n = 1; try_refused(i, n); n++) {
            refused++;
        }
    }
    MT_ASSERT(refused > 2 * (size_t)(ALLOWED + HOUSEKEEPING));
    end();
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(with_whole_records_everybody_may_do_what_is_theirs),
        MT_TEST(a_record_that_is_cut_is_an_error_and_no_permission),
        MT_TEST(a_record_of_another_form_is_an_error_and_no_permission),
        MT_TEST(memory_may_run_out_in_any_act_and_the_next_one_succeeds),
        MT_TEST(any_wish_of_the_gate_may_be_refused_and_the_next_one_is_granted),
        MT_TEST(a_resource_has_at_most_so_many_grants_and_those_long_ended_make_room),
    };
    OK(mt_crypto_init(world_random, NULL));
    OK(mt_secret_random(MT_AEAD_KEY_LEN, &object_key));
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_secret_free(&object_key);
    mt_crypto_done();
    return result;
}
