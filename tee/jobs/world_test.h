/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_JOBS_WORLD_TEST_H
#define MT_JOBS_WORLD_TEST_H

#include "jobs/jobs.h"
#include "jobs/loop_test.h"

/* Gate, ledger and jobs of a node, and its services called as tee/server calls them. */

static const struct mt_service *const *node_services; /* ends with NULL; the test says which */
static struct mt_driver *driver;
static struct mt_jobs *jobs;
static bool is_dead;

static inline void node_on_dead(void *state, mt_err why)
{
    (void)state;
    (void)why;
    is_dead = true;
}

static inline void node_start(void)
{
    loop_begin();
    const struct mt_driver_options d = {&loop, &disk_pool, ledger, NULL, node_on_dead, NULL};
    OK(mt_driver_new(&d, &driver));
    const struct mt_jobs_options j = {.loop = &loop,
                                      .compute = &compute_pool,
                                      .ledger = ledger,
                                      .driver = driver,
                                      .gate = gate,
                                      .fs = fs,
                                      .services = node_services,
                                      .level = 2};
    OK(mt_jobs_new(&j, &jobs));
}

static inline void node_stop(void)
{
    mt_jobs_free(&jobs);
    mt_driver_free(&driver);
}

static inline void node_begin(const struct mt_service *const *services)
{
    node_services = services;
    is_dead = false;
    world_begin();
    world_populate();
    node_start();
    turn();
}

static bool node_object_is_live(void *state, const mt_id *object)
{
    (void)state;
    return mt_gate_is_live(gate, tx, object);
}

/* The process dies between two turns, and another begins on the same disk, as tee/node does it. */
static inline mt_err node_crash(void)
{
    node_stop();
    world_close();
    world_open(false);
    node_start();
    begin_tx();
    OK(mt_object_sweep(fs, node_object_is_live, NULL));
    abort_tx();
    mt_err e = mt_jobs_recover(jobs, mt_ledger_time_ms(ledger));
    turn();
    return e;
}

static inline void node_end(void)
{
    node_stop();
    world_end();
}

#endif
