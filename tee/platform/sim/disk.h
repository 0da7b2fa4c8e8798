/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_SIM_DISK_H
#define MT_PLATFORM_SIM_DISK_H

#include "platform/fs_ops.h"
#include "platform/sim/fs.h"

/* Inside sim/ alone: what the disk (disk.c) and the calls on it (fs.c) share. */
enum { MT_SIM_NAME_MAX = 96, MT_SIM_SECTOR = 512 };

/* A file or a directory, wherever its names are. */
struct mt_sim_node {
    struct mt_sim_node *next;
    bool is_dir;
    uint32_t handles;
    struct mt_buf now;  /* as the running system sees it */
    struct mt_buf safe; /* as power loss leaves it */
    size_t dirty_from;  /* what is still to be written; nothing if from >= to */
    size_t dirty_to;
};

struct mt_sim_name {
    char text[MT_SIM_NAME_MAX];
    struct mt_sim_node *now;
    struct mt_sim_node *safe;
};

/* A change of names that is not safe yet. */
struct mt_sim_change {
    size_t name;
    struct mt_sim_node *node;
    size_t from; /* of a rename: the name that goes; SIZE_MAX else */
};

struct mt_sim_disk {
    struct mt_sim_options options;
    struct mt_sim_node *nodes;
    struct mt_sim_name *names;
    size_t names_count;
    struct mt_sim_change *changes;
    size_t changes_count;
    struct mt_buf *cut; /* with keeps_remains: ends of files that were cut off */
    size_t cut_count;
    uint64_t calls;
    uint64_t fault_at;
    enum mt_sim_fault fault;
    uint64_t life; /* restarts so far */
    bool has_power;
    bool is_full;
};

/* Index of a name, made if need be. Names are never forgotten; what they point to is. */
MT_ERR mt_sim_name_of(struct mt_sim_disk *d, const char *text, size_t *out);
MT_ERR mt_sim_node_new(struct mt_sim_disk *d, bool is_dir, struct mt_sim_node **out);
MT_ERR mt_sim_change_names(struct mt_sim_disk *d, struct mt_sim_change c);
bool mt_sim_is_in(const char *name, const char *dir);
/* Makes safe every change that touches `dir`. */
void mt_sim_settle(struct mt_sim_disk *d, const char *dir);
MT_ERR mt_sim_resize(struct mt_sim_disk *d, struct mt_sim_node *n, size_t len);
void mt_sim_touch(struct mt_sim_node *n, size_t from, size_t to);
MT_ERR mt_sim_sync(struct mt_sim_node *n);
/* Lets go of what has neither name nor handle. */
void mt_sim_collect(struct mt_sim_disk *d);
uint64_t mt_sim_used(const struct mt_sim_disk *d);

#endif
