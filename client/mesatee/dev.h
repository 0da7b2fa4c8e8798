/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_DEV_H
#define MT_MESATEE_DEV_H

#include "mesatee/context.h"

/*
 * A node for trying things out, on loopback: makes key file, configuration and an identity that is
 * its administrator, starts mesateed, pins what it measured into a policy, and puts a context "dev"
 * in use. Runs until it is interrupted.
 */
struct mt_dev_ready {
    const char *address;
    const char *state; /* the directory of everything durable */
    const char *identity;
};
struct mt_dev_options {
    const struct mt_home *home;
    const char *dir;      /* NULL: dev below the home; /var/lib/mesatee-dev for root */
    const char *identity; /* NULL: "admin" */
    const char *listen;   /* NULL: "127.0.0.1:7700" */
    const char *node; /* path of mesateed; NULL: beside this program, or where it is installed */
    void (*on_ready)(void *state, const struct mt_dev_ready *r);
    void *on_ready_state;
};
MT_ERR mt_dev_run(const struct mt_dev_options *o);

#endif
