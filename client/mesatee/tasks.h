/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_TASKS_H
#define MT_MESATEE_TASKS_H

#include "mesatee/statement.h"
#include "mesatee/transfer.h"

/*
 * A task from its owner's side. What is shown and signed comes from the definition's bytes alone,
 * never from what the node says about them.
 */
struct mt_tasks_view {
    struct mt_json *json; /* as the node gave it */
    struct mt_buf definition;
    struct mt_task task; /* borrows from the definition */
    mt_hash digest;
};
/* With its newest runs, or those before the one of a number (0: the newest). MT_E_PROOF if digest,
 * cluster and definition do not belong together. Owned. */
MT_ERR mt_tasks_fetch(struct mt_session *s, const char *id, uint64_t before,
                      struct mt_tasks_view **out);
void mt_tasks_view_free(struct mt_tasks_view **v);
/* What a signature would cover, in sentences; names are taken from the node and stand beside the
 * hashes that count. */
void mt_tasks_prose(struct mt_session *s, const struct mt_tasks_view *v, struct mt_writer *w);

/* Proposes what the JSON text says; names become ids, what is left out gets a default. */
MT_ERR mt_tasks_create(struct mt_session *s, mt_bytes text, struct mt_json **out);
/* Signs the view's digest. MT_E_DENIED, and nothing signed, if it is not the one that is wanted
 * (NULL: any), or the task goes by another policy than the context. */
MT_ERR mt_tasks_approve(struct mt_session *s, const struct mt_tasks_view *v, const mt_hash *wanted,
                        struct mt_json **out);

/* Starts a run; then its state until it is over. */
MT_ERR mt_tasks_run(struct mt_session *s, const char *id, struct mt_json **out);
MT_ERR mt_tasks_wait(struct mt_session *s, const char *id, mt_bytes run,
                     struct mt_progress progress, struct mt_json **out);

/* Of the run that is named, else of the newest that is done: an output, or the receipt. */
struct mt_tasks_wanted {
    const char *run;    /* NULL: the newest */
    const char *output; /* NULL: the receipt */
    const char *path;
    struct mt_progress progress;
};
MT_ERR mt_tasks_download(struct mt_session *s, const struct mt_tasks_view *v,
                         const struct mt_tasks_wanted *wanted);

#endif
