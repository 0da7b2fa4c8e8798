/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ADVERSARY_NODE_H
#define MT_ADVERSARY_NODE_H

#include <sys/types.h>

#include "attest/appraise.h"
#include "crypto/sign.h"

/* A real node in a directory of its own, for those who mean no good. It ends with the test. */
enum { NODE_PATH_MAX = 512 };

/* What a bound of the node's memory is multiplied by: a sanitizer keeps what was freed. */
#ifdef __SANITIZE_ADDRESS__
enum { NODE_MEMORY_SLACK = 32 };
#else
enum { NODE_MEMORY_SLACK = 1 };
#endif

/* How often a test looks again, every NODE_STEP_MS, for what a node does in its own time: a minute,
 * which nobody waits unless it fails. */
enum { NODE_STEP_MS = 10, NODE_LOOKS = 60 * 1000 / NODE_STEP_MS };

struct node {
    char build[NODE_PATH_MAX];
    char dir[NODE_PATH_MAX];
    pid_t pid; /* 0: it does not run */
    uint16_t port;
    uint16_t probe_port;
    mt_hash cluster;
    struct mt_policy policy;
    struct mt_key *admin;
};

/* Directory, key file, an administrator; or the test ends. */
void node_begin(struct node *n, const char *build);
/* Runs until it is ready. `settings` are further lines of its configuration. */
void node_start(struct node *n, const char *settings);
/* SIGTERM; its exit status, or -1 if it had to be killed. */
int node_stop(struct node *n);
bool node_is_alive(const struct node *n);
uint64_t node_resident_bytes(const struct node *n);
/* What lies in its folder for bodies that are on their way. */
size_t node_staged_files(const struct node *n);
uint64_t node_staged_bytes(const struct node *n);
/* Waits until it is empty: what is refused may still be being written. */
bool node_stages_nothing(const struct node *n);
/* Whether `text` is anywhere in what the node has logged. */
bool node_has_logged(const struct node *n, const char *text);
/* Removes everything. */
void node_end(struct node *n);

/* A line of /proc/PID/status after its name, without blanks at its ends. */
void node_status_line(const struct node *n, const char *name, char *out, size_t len);
void node_pause(unsigned ms);

#endif
