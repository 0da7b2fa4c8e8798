/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_NODE_CONFIG_H
#define MT_NODE_CONFIG_H

#include "base/id.h"

/*
 * The node's one configuration file: lines of the form `name = value`, comments from '#' to the end
 * of a line, each name once, unknown names refused. It comes from the host, so it is untrusted
 * input: it is measured into the evidence, and nothing in it weakens verification. Immutable once
 * parsed.
 */
enum { MT_CONFIG_TEXT_MAX = 256 };

struct mt_config {
    char listen[MT_CONFIG_TEXT_MAX];      /* attested channel, "127.0.0.1:7700"; port 0: any */
    char probes[MT_CONFIG_TEXT_MAX];      /* plain /livez and /readyz; empty: none */
    char metrics[MT_CONFIG_TEXT_MAX];     /* Unix socket for /metrics; empty: none */
    char state[MT_CONFIG_TEXT_MAX];       /* directory of everything durable */
    char keyfile[MT_CONFIG_TEXT_MAX];     /* credential of a key slot: a file of 32 bytes or more */
    char root_key[MT_CONFIG_TEXT_MAX];    /* what opens the disk: "keyfile", "device" */
    char user[MT_CONFIG_TEXT_MAX];        /* whom to become when started as root */
    char claim_file[MT_CONFIG_TEXT_MAX];  /* where the one-time claim is written when there is no
                                             administrator; empty: none */
    char device[MT_CONFIG_TEXT_MAX];      /* what shows evidence: "none", "tpm", "auto" */
    char collateral[MT_CONFIG_TEXT_MAX];  /* folder; empty: none */
    char td_quote[MT_CONFIG_TEXT_MAX];    /* on Azure, file; empty: none */
    char tpm[MT_CONFIG_TEXT_MAX];         /* how the TPM is reached */
    char approvals[MT_CONFIG_TEXT_MAX];   /* file of what the operator approved; empty: none */
    char peer[MT_CONFIG_TEXT_MAX];        /* another node, that keeps a key to the disk; empty */
    char peer_policy[MT_CONFIG_TEXT_MAX]; /* file: what that node has to be */
    mt_hash administrator;                /* all zero: none */
    uint64_t workers;
    uint64_t connections_max;
    uint64_t idle_timeout_s;
    uint64_t request_timeout_s;
    uint64_t drain_s;
    uint64_t staging_quota_mib;
    uint64_t staging_total_mib;
    uint64_t counter_minutes; /* between two steps of a device's counter */
    uint64_t strangers_per_s; /* evidence of a device for those whom nobody knows */
    uint64_t shred_minutes; /* at most so long after its deletion an object can be opened by whoever
                               has root key and old disk */
};

/* Where and why a file is refused. */
struct mt_config_fault {
    uint32_t line; /* from 1; 0: the file as a whole */
    char reason[160];
};

/* Defaults, then the lines of `text`. MT_E_FORMAT with `fault` set. */
MT_ERR mt_config_parse(mt_bytes text, struct mt_config *out, struct mt_config_fault *fault);

/* Whether the machine's device opens the disk, and a key file at most once, for recovery. */
bool mt_config_is_device_root(const struct mt_config *c);

/* Every setting, defaults included, one line each in the order of the table: what is measured. */
void mt_config_write(struct mt_writer *w, const struct mt_config *c);

/* The schema with ranges and defaults, for --help. */
void mt_config_describe(struct mt_writer *w);

#endif
