/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/sim/disk.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

MT_ERR mt_sim_disk_new(const struct mt_sim_options *o, struct mt_sim_disk **out)
{
    struct mt_sim_disk *d = calloc(1, sizeof *d);
    MT_REQUIRE(d != NULL, MT_E_NOMEM, "no memory for a simulated disk");
    d->options = *o;
    d->has_power = true;
    *out = d;
    return MT_OK;
}

static void free_node(struct mt_sim_node *n)
{
    mt_buf_free(&n->now);
    mt_buf_free(&n->safe);
    free(n);
}

void mt_sim_disk_free(struct mt_sim_disk **dp)
{
    struct mt_sim_disk *d = *dp;
    if (d == NULL) {
        return;
    }
    while (d->nodes != NULL) {
        struct mt_sim_node *n = d->nodes;
        MT_ASSERT(n->handles == 0);
        d->nodes = n->next;
        free_node(n);
    }
    for (size_t i = 0; i < d->cut_count; i++) {
        mt_buf_free(&d->cut[i]);
    }
    free(d->cut);
    free(d->names);
    free(d->changes);
    free(d);
    *dp = NULL;
}

uint64_t mt_sim_disk_calls(const struct mt_sim_disk *d)
{
    return d->calls;
}

void mt_sim_disk_fault(struct mt_sim_disk *d, enum mt_sim_fault fault, uint64_t at)
{
    d->fault = fault;
    d->fault_at = at;
    d->is_full = false;
}

MT_ERR mt_sim_name_of(struct mt_sim_disk *d, const char *text, size_t *out)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < d->names_count; i++) {
        if (strcmp(d->names[i].text, text) == 0) {
            *out = i;
            return MT_OK;
        }
    }
    MT_ASSERT(len < MT_SIM_NAME_MAX);
    struct mt_sim_name *grown = realloc(d->names, (d->names_count + 1) * sizeof *grown);
    MT_REQUIRE(grown != NULL, MT_E_NOMEM, "no memory for a simulated disk");
    d->names = grown;
    grown[d->names_count] = (struct mt_sim_name){.now = NULL};
    memcpy(grown[d->names_count].text, text, len + 1);
    *out = d->names_count++;
    return MT_OK;
}

MT_ERR mt_sim_node_new(struct mt_sim_disk *d, bool is_dir, struct mt_sim_node **out)
{
    struct mt_sim_node *n = calloc(1, sizeof *n);
    MT_REQUIRE(n != NULL, MT_E_NOMEM, "no memory for a simulated disk");
    n->is_dir = is_dir;
    n->now = mt_buf_of_max(SIZE_MAX / 2);
    n->safe = mt_buf_of_max(SIZE_MAX / 2);
    n->next = d->nodes;
    d->nodes = n;
    *out = n;
    return MT_OK;
}

MT_ERR mt_sim_change_names(struct mt_sim_disk *d, struct mt_sim_change c)
{
    struct mt_sim_change *grown = realloc(d->changes, (d->changes_count + 1) * sizeof *grown);
    MT_REQUIRE(grown != NULL, MT_E_NOMEM, "no memory for a simulated disk");
    d->changes = grown;
    grown[d->changes_count++] = c;
    d->names[c.name].now = c.node;
    if (c.from != SIZE_MAX) {
        d->names[c.from].now = NULL;
    }
    mt_sim_collect(d);
    return MT_OK;
}

static void make_safe(struct mt_sim_disk *d, const struct mt_sim_change *c)
{
    d->names[c->name].safe = c->node;
    if (c->from != SIZE_MAX) {
        d->names[c->from].safe = NULL;
    }
}

/* "objects/x" is in "objects", "objects" and "x" are in ".". */
bool mt_sim_is_in(const char *name, const char *dir)
{
    const char *slash = strchr(name, '/');
    size_t len = slash == NULL ? 1 : (size_t)(slash - name);
    return strlen(dir) == len && strncmp(slash == NULL ? "." : name, dir, len) == 0;
}

void mt_sim_settle(struct mt_sim_disk *d, const char *dir)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->changes_count; i++) {
        struct mt_sim_change c = d->changes[i];
        if (mt_sim_is_in(d->names[c.name].text, dir) ||
            (c.from != SIZE_MAX && mt_sim_is_in(d->names[c.from].text, dir))) {
            make_safe(d, &c);
        } else {
            d->changes[kept++] = c;
        }
    }
    d->changes_count = kept;
    mt_sim_collect(d);
}

void mt_sim_touch(struct mt_sim_node *n, size_t from, size_t to)
{
    if (n->dirty_from >= n->dirty_to) {
        n->dirty_from = from;
        n->dirty_to = to;
        return;
    }
    n->dirty_from = from < n->dirty_from ? from : n->dirty_from;
    n->dirty_to = to > n->dirty_to ? to : n->dirty_to;
}

static MT_ERR set_len(struct mt_buf *b, size_t len)
{
    mt_span room;
    if (len > b->len) {
        MT_TRY(mt_buf_reserve(b, len - b->len, &room));
        memset(room.ptr, 0, room.len);
    }
    b->len = len;
    return MT_OK;
}

static MT_ERR keep_cut(struct mt_sim_disk *d, const struct mt_buf *b, size_t len)
{
    struct mt_buf end = mt_buf_of_max(SIZE_MAX / 2);
    if (!d->options.keeps_remains || b->len <= len) {
        return MT_OK;
    }
    struct mt_buf *grown = realloc(d->cut, (d->cut_count + 1) * sizeof *grown);
    MT_REQUIRE(grown != NULL, MT_E_NOMEM, "no memory for a simulated disk");
    d->cut = grown;
    MT_TRY(mt_buf_append(&end, (mt_bytes){b->ptr + len, b->len - len}));
    grown[d->cut_count++] = end;
    return MT_OK;
}

MT_ERR mt_sim_resize(struct mt_sim_disk *d, struct mt_sim_node *n, size_t len)
{
    size_t before = n->now.len;
    MT_TRY(keep_cut(d, &n->now, len));
    MT_TRY(keep_cut(d, &n->safe, len));
    MT_TRY(set_len(&n->now, len));
    mt_sim_touch(n, len < before ? len : before, len < before ? before : len);
    return MT_OK;
}

MT_ERR mt_sim_sync(struct mt_sim_node *n)
{
    MT_TRY(set_len(&n->safe, n->now.len));
    size_t to = n->dirty_to < n->now.len ? n->dirty_to : n->now.len;
    if (n->dirty_from < to) {
        memcpy(n->safe.ptr + n->dirty_from, n->now.ptr + n->dirty_from, to - n->dirty_from);
    }
    n->dirty_from = 0;
    n->dirty_to = 0;
    return MT_OK;
}

static bool is_reached(const struct mt_sim_disk *d, const struct mt_sim_node *n)
{
    bool is = n->handles > 0;
    for (size_t i = 0; !is && i < d->names_count; i++) {
        is = d->names[i].now == n || d->names[i].safe == n;
    }
    for (size_t i = 0; !is && i < d->changes_count; i++) {
        is = d->changes[i].node == n;
    }
    return is;
}

void mt_sim_collect(struct mt_sim_disk *d)
{
    struct mt_sim_node **at = &d->nodes;
    while (!d->options.keeps_remains && *at != NULL) {
        struct mt_sim_node *n = *at;
        if (is_reached(d, n)) {
            at = &n->next;
        } else {
            *at = n->next;
            free_node(n);
        }
    }
}

uint64_t mt_sim_used(const struct mt_sim_disk *d)
{
    uint64_t used = 0;
    for (const struct mt_sim_node *n = d->nodes; n != NULL; n = n->next) {
        used += is_reached(d, n) ? n->now.len : 0;
    }
    return used;
}

/* splitmix64 (Steele, Lea, Flood 2014): good enough to toss coins. */
static uint64_t toss(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15U;
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

struct luck {
    uint64_t seed;
    bool is_all;
    bool is_nothing;
};

static bool survives(struct luck *l)
{
    return !l->is_nothing && (l->is_all || (toss(&l->seed) & 1) != 0);
}

static void lose_content(struct mt_sim_node *n, struct luck *l)
{
    size_t from = n->dirty_from;
    size_t len = survives(l) ? n->now.len : n->safe.len;
    size_t to = n->dirty_to < n->now.len ? n->dirty_to : n->now.len;
    mt_err e = set_len(&n->safe, len);
    MT_ASSERT(!mt_failed(e));
    while (from < to && from < len) {
        size_t end = from - from % MT_SIM_SECTOR + MT_SIM_SECTOR;
        end = end < to ? end : to;
        end = end < len ? end : len;
        if (survives(l)) {
            memcpy(n->safe.ptr + from, n->now.ptr + from, end - from);
        }
        from = end;
    }
    e = set_len(&n->now, len);
    MT_ASSERT(!mt_failed(e));
    if (len > 0) {
        memcpy(n->now.ptr, n->safe.ptr, len);
    }
    n->dirty_from = 0;
    n->dirty_to = 0;
}

static void lose_names(struct mt_sim_disk *d, struct luck *l)
{
    size_t kept = d->changes_count;
    if (l->is_nothing) {
        kept = 0;
    } else if (!l->is_all && d->changes_count > 0) {
        kept = (size_t)(toss(&l->seed) % (d->changes_count + 1));
    }
    for (size_t i = 0; i < kept; i++) {
        make_safe(d, &d->changes[i]);
    }
    d->changes_count = 0;
    for (size_t i = 0; i < d->names_count; i++) {
        d->names[i].now = d->names[i].safe;
    }
    /* What lies in a directory that did not survive is gone with it. */
    for (size_t i = 0; i < d->names_count; i++) {
        const char *slash = strchr(d->names[i].text, '/');
        bool has_dir = slash == NULL;
        for (size_t k = 0; !has_dir && k < d->names_count; k++) {
            has_dir = d->names[k].now != NULL && d->names[k].now->is_dir &&
                      mt_sim_is_in(d->names[i].text, d->names[k].text);
        }
        if (!has_dir) {
            d->names[i].now = NULL;
            d->names[i].safe = NULL;
        }
    }
}

void mt_sim_disk_restart(struct mt_sim_disk *d, uint64_t seed)
{
    struct luck l = {.seed = seed, .is_all = seed == UINT64_MAX, .is_nothing = seed == 0};
    lose_names(d, &l);
    for (struct mt_sim_node *n = d->nodes; n != NULL; n = n->next) {
        lose_content(n, &l);
    }
    d->life++;
    d->fault = MT_SIM_NOTHING;
    d->is_full = false;
    d->has_power = true;
    mt_sim_collect(d);
}

void mt_sim_disk_remains(const struct mt_sim_disk *d, void (*each)(void *state, mt_bytes content),
                         void *state)
{
    for (const struct mt_sim_node *n = d->nodes; n != NULL; n = n->next) {
        each(state, mt_buf_bytes(&n->now));
        each(state, mt_buf_bytes(&n->safe));
    }
    for (size_t i = 0; i < d->cut_count; i++) {
        each(state, mt_buf_bytes(&d->cut[i]));
    }
}
