/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CHANNEL_WORLD_TEST_H
#define MT_CHANNEL_WORLD_TEST_H

#include "attest/world_test.h"
#include "channel/identity.h"

/*
 * What the tests of this folder share: a node and its client as engines, joined in memory.
 */
static struct mt_channel_identity *identity_of_node;
static struct mt_channel_identity *identity_of_client;
static struct mt_policy world_policy;
static struct mt_appraiser world_appraiser;
static const mt_hash world_cluster = {{0xc1, 0x05}};

static inline void channel_world_begin(int argc, char **argv)
{
    world_begin(argc, argv);
    OK(mt_channel_identity_new(keys[SERVICE], MT_CHANNEL_SERVER, &identity_of_node));
    OK(mt_channel_identity_new(keys[OWNER], MT_CHANNEL_CLIENT, &identity_of_client));
    world_policy = (struct mt_policy){.minimum_level = MT_LEVEL_SOFT,
                                      .platforms = {subject_of(PLATFORM)},
                                      .platforms_count = 1,
                                      .measurements = {world_measurement()},
                                      .measurements_count = 1};
    world_appraiser = (struct mt_appraiser){.policy = &world_policy};
}

static inline void channel_world_end(void)
{
    mt_channel_identity_free(&identity_of_node);
    mt_channel_identity_free(&identity_of_client);
    world_end();
}

/* The node shows evidence, and takes every client. */
static inline struct mt_channel_options node_options(void)
{
    return (struct mt_channel_options){.identity = identity_of_node,
                                       .has_evidence = true,
                                       .service = world_cluster,
                                       .now_ms = NOW_MS};
}

/* The client has none, and appraises the node. */
static inline struct mt_channel_options client_options(void)
{
    return (struct mt_channel_options){.identity = identity_of_client,
                                       .appraiser = &world_appraiser,
                                       .service = world_cluster,
                                       .now_ms = NOW_MS};
}

static inline struct mt_channel *channel_of(struct mt_channel_options o)
{
    struct mt_channel *c = NULL;
    OK(mt_channel_new(&o, &c));
    return c;
}

/* Puts the machine's evidence, if it is waited for. */
static inline mt_err show_evidence(struct mt_channel *c)
{
    MT_DEFER(mt_buf_free) struct mt_buf room = mt_buf_of_max(4096);
    uint8_t report_data[MT_REPORT_DATA_LEN];
    if (!mt_channel_wants_evidence(c, report_data)) {
        return MT_OK;
    }
    const struct mt_shown shown = {.format = MT_LITERAL("soft"),
                                   .evidence = world_evidence(&room, PLATFORM, report_data)};
    return mt_channel_put_evidence(c, &shown);
}

/* Two engines. The first error of each is kept, and what it says afterwards still arrives. */
struct pair {
    struct mt_channel *node;
    struct mt_channel *client;
    mt_err node_err;
    mt_err client_err;
};

static inline struct pair pair_of(struct mt_channel_options node, struct mt_channel_options client)
{
    return (struct pair){.node = channel_of(node), .client = channel_of(client)};
}

static inline void pair_free(struct pair *p)
{
    mt_channel_free(&p->node);
    mt_channel_free(&p->client);
}

/* Moves at most `max` bytes. */
static inline bool carry(struct mt_channel *from, struct mt_channel *to, size_t max, mt_err *err)
{
    mt_bytes out = mt_channel_output(from);
    size_t len = out.len < max ? out.len : max;
    if (len == 0) {
        return false;
    }
    if (mt_channel_state(to) != MT_CHANNEL_CLOSED) {
        mt_err e = mt_channel_feed(to, (mt_bytes){out.ptr, len});
        *err = mt_failed(*err) ? *err : e;
    }
    mt_channel_sent(from, len);
    return true;
}

/* Until nobody has anything to say. */
static inline void pair_run(struct pair *p, size_t max)
{
    bool moves = true;
    if (mt_channel_state(p->client) == MT_CHANNEL_HANDSHAKE) {
        OK(mt_channel_start(p->client));
    }
    while (moves) {
        OK(show_evidence(p->client));
        moves = carry(p->client, p->node, max, &p->node_err);
        OK(show_evidence(p->node));
        moves = carry(p->node, p->client, max, &p->client_err) || moves;
    }
}

static inline bool is_open(const struct pair *p)
{
    return mt_channel_state(p->node) == MT_CHANNEL_OPEN &&
           mt_channel_state(p->client) == MT_CHANNEL_OPEN;
}

static inline void send_all(struct mt_channel *c, mt_bytes plain)
{
    while (plain.len > 0) {
        size_t taken = 0;
        OK(mt_channel_write(c, plain, &taken));
        plain = (mt_bytes){plain.ptr + taken, plain.len - taken};
    }
}

/* What is there to be read, in one piece; `*e` is how it ended. */
static inline mt_bytes read_all(struct mt_channel *c, mt_span room, mt_err *e)
{
    size_t len = 0;
    size_t got = 1;
    *e = MT_OK;
    while (got > 0 && !mt_failed(*e)) {
        *e = mt_channel_read(c, (mt_span){room.ptr + len, room.len - len}, &got);
        len += got;
    }
    return (mt_bytes){room.ptr, len};
}

static inline bool is_read(struct mt_channel *c, mt_bytes expected)
{
    static uint8_t room[256 * 1024];
    mt_err e;
    mt_bytes got = read_all(c, (mt_span){room, sizeof room}, &e);
    return !mt_failed(e) && mt_bytes_equal(got, expected);
}

#endif
