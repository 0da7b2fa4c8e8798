/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_GATE_WORLD_TEST_H
#define MT_GATE_WORLD_TEST_H

#include <stdio.h>

#include "crypto/hash.h"
#include "gate/gate.h"
#include "seal/object.h"
#include "seal/world_test.h"

/*
 * A node's gate and ledger on a disk in memory, the people around it, and a clock that stands until
 * a test moves it. One transaction is open at a time, with at most one permit, as on the node's
 * loop.
 */
enum person { ADMIN, ALICE, BOB, CAROL, DAVE, MALLORY, PEOPLE };
enum { WORLD_NOW_MS = 1700000000, WORLD_HOUR_MS = 60 * 60 * 1000 };

struct world_person {
    struct mt_key *key;
    mt_spki spki;
    mt_hash subject;
};
static struct world_person people[PEOPLE];
static struct mt_root *root;
static struct mt_shred *shred;
static struct mt_ledger *ledger;
static struct mt_gate *gate;
static struct mt_arena *arena;
static uint64_t now_ms;             /* what the host claims */
static mt_hash world_administrator; /* of the configuration */
static uint64_t world_incarnations;
static uint64_t world_quota_bytes = UINT64_C(1) << 40;
static uint64_t world_total_bytes = UINT64_C(1) << 40;

static struct mt_tx *tx;         /* the open one */
static struct mt_permit *permit; /* of who was let in */

static const struct mt_map_def world_no_maps[] = {{NULL, false}};

static inline void world_make_people(void)
{
    for (size_t i = 0; i < PEOPLE; i++) {
        uint8_t d[MT_PRIVATE_LEN] = {(uint8_t)(i + 1), 7};
        OK(mt_key_of_private((mt_bytes){d, sizeof d}, &people[i].key));
        people[i].spki = *mt_key_public(people[i].key);
        mt_spki_hash(&people[i].spki, &people[i].subject);
    }
}

static inline void world_open(bool is_new)
{
    struct mt_ledger_recovery report;
    struct mt_ledger_options o = {
        .fs = fs,
        .secret = MT_LITERAL("the secret of a ledger, 32 bytes"),
        .host_time_ms = now_ms,
    };
    world_incarnations++;
    memcpy(o.incarnation.b, &world_incarnations, sizeof world_incarnations);
    OK(mt_shred_open(fs, root, &shred));
    if (is_new) {
        OK(mt_ledger_create(&o, &ledger));
    } else {
        OK(mt_ledger_open(&o, &ledger, &report));
    }
    const struct mt_gate_options g = {ledger, shred, world_administrator, world_quota_bytes,
                                      world_total_bytes};
    OK(mt_gate_new(&g, &gate));
}

/* What is committed becomes durable. */
static inline void world_settle(void)
{
    struct mt_ledger_write *write = NULL;
    OK(mt_ledger_cut(ledger, &write));
    if (write != NULL) {
        mt_err e = mt_ledger_write_run(write);
        OK(mt_ledger_written(ledger, &write, e));
    }
}

static inline void world_close(void)
{
    MT_ASSERT(tx == NULL && permit == NULL);
    mt_gate_free(&gate);
    mt_ledger_free(&ledger);
    mt_shred_free(&shred);
}

static inline void world_begin(void)
{
    disk_begin();
    now_ms = WORLD_NOW_MS;
    world_make_people();
    OK(mt_arena_new(MT_REQUEST_ARENA_BYTES, &arena));
    OK(mt_root_create(fs, &world_file, 0, &root));
    OK(mt_fs_make_dir(fs, "objects"));
    OK(mt_fs_make_dir(fs, "staging"));
    world_open(true);
}

static inline void world_end(void)
{
    world_close();
    for (size_t i = 0; i < PEOPLE; i++) {
        mt_key_free(&people[i].key);
    }
    mt_arena_free(&arena);
    mt_root_free(&root);
    disk_end();
    memset(&world_administrator, 0, sizeof world_administrator);
}

/* Stops the node and starts it again on the same disk: whatever is not in the ledger is gone. */
static inline void world_restart(void)
{
    world_settle();
    world_close();
    world_open(false);
}

/* The host's clock moves on, an administrator has nothing against it. */
static inline void world_sleep(uint64_t ms)
{
    now_ms += ms;
    mt_ledger_accept_time(ledger, now_ms);
}

static inline struct mt_ask ask_of(enum person who, enum mt_right right)
{
    return (struct mt_ask){.key = &people[who].spki,
                           .subject = people[who].subject,
                           .action = "test.act",
                           .right = right,
                           .is_write = true,
                           .arena = arena};
}

static inline struct mt_ask ask_on(enum person who, enum mt_right right, enum mt_kind kind,
                                   const mt_id *id)
{
    struct mt_ask a = ask_of(who, right);
    a.kind = kind;
    a.resource = *id;
    return a;
}

static inline struct mt_ask reading(struct mt_ask a)
{
    a.is_write = false;
    a.is_intent = true;
    return a;
}

static inline struct mt_ask looking(struct mt_ask a)
{
    a.is_write = false;
    return a;
}

static inline void begin_tx(void)
{
    MT_ASSERT(tx == NULL);
    OK(mt_ledger_begin(ledger, world_no_maps, now_ms, &tx));
}

static inline void abort_tx(void)
{
    mt_gate_leave(&permit);
    mt_ledger_abort(ledger, &tx);
    mt_arena_reset(arena);
}

static inline uint64_t commit_tx(void)
{
    uint64_t version = 0;
    mt_gate_leave(&permit);
    OK(mt_ledger_commit(ledger, &tx, &version));
    mt_arena_reset(arena);
    return version;
}

/* Lets somebody in: a transaction and a permit are open then. Else nothing is. */
static inline mt_err enter(struct mt_ask ask)
{
    begin_tx();
    mt_err e = mt_gate_admit(gate, tx, &ask, &permit);
    if (mt_failed(e)) {
        abort_tx();
    }
    return e;
}

/* Ends what enter() began, all or nothing; says what it was told. */
static inline mt_err leave(mt_err e)
{
    if (mt_failed(e)) {
        abort_tx();
    } else {
        (void)commit_tx();
    }
    return e;
}

static inline mt_err check(struct mt_ask ask)
{
    begin_tx();
    mt_err e = mt_gate_check(gate, tx, &ask);
    abort_tx();
    return e;
}

#endif
