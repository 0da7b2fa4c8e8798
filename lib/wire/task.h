/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_WIRE_TASK_H
#define MT_WIRE_TASK_H

#include "base/id.h"
#include "base/limits.h"

/*
 * A task's definition: everything that will happen, as deterministic CBOR (spec/task.md). Its
 * digest, SHA-256 over u8 length of the label || label || these bytes, is what owners approve; any
 * change makes another digest.
 */
struct mt_task_input {
    mt_bytes name;
    mt_id data;
    mt_id object;
    uint64_t version;
    mt_hash commitment;
    mt_hash owner;
    uint64_t size_bytes;
};

struct mt_task_output {
    mt_bytes name;
    mt_hash receivers[MT_TASK_PARTIES_MAX]; /* in order, distinct */
    size_t receivers_count;
};

struct mt_task {
    mt_hash cluster;
    mt_id nonce; /* also the task's id */
    mt_bytes function;
    uint64_t function_version;
    mt_hash function_digest;
    mt_bytes arguments; /* canonical JSON */
    struct mt_task_input inputs[MT_TASK_PARTIES_MAX];
    size_t inputs_count;
    struct mt_task_output outputs[MT_TASK_PARTIES_MAX];
    size_t outputs_count;
    uint64_t time_ms;
    uint64_t memory_bytes;
    uint64_t minimum_level;
    mt_hash policy; /* SHA-256 of the appraisal policy that the owners go by */
    uint64_t not_before_ms;
    uint64_t not_after_ms;
    uint64_t runs;
};

void mt_task_write(struct mt_writer *w, const struct mt_task *t);
/* Borrows from `in`. The struct is large: keep it in an arena or a static, not on a deep stack; its
 * content after a failure means nothing. */
MT_ERR mt_task_parse(mt_bytes in, struct mt_task *out);

#endif
