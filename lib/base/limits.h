/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_BASE_LIMITS_H
#define MT_BASE_LIMITS_H

#include <stdint.h>

/* Every bound of the system, in one place. A loop or a buffer without a name here is a bug. */
enum {
    MT_ARENA_BLOCK_BYTES = 16 * 1024,

    /* lib/crypto */
    MT_X509_CHAIN_MAX = 8,
    MT_X509_BYTES_MAX = 16 * 1024, /* one certificate */
    MT_X509_CRL_BYTES_MAX = 1024 * 1024,
    MT_X509_CRLS_MAX = 8,

    /* lib/wire */
    MT_CBOR_DEPTH_MAX = 16,
    MT_JSON_DEPTH_MAX = 16,
    MT_JSON_BYTES_MAX = 1024 * 1024,
    MT_HTTP_HEAD_BYTES_MAX = 16 * 1024,
    MT_HTTP_HEADERS_MAX = 64,
    MT_HTTP_TARGET_BYTES_MAX = 2048,
    MT_JSON_MEMBERS_MAX = 1024,      /* of one object */
    MT_JSON_VALUES_MAX = 128 * 1024, /* of one text; each costs the tree some 100 bytes */
    MT_ATTEST_FORMATS_MAX = 8,       /* of evidence, that one end accepts */
    MT_ATTEST_FORMAT_BYTES_MAX = 32, /* the name of one */
    MT_ENDORSEMENTS_MAX = 16,
    MT_CLAIM_ITEMS_MAX = 32, /* claimed by one transaction */
    MT_RECEIPT_BYTES_MAX = 1024 * 1024,

    /* lib/attest, lib/channel */
    MT_ATTEST_MESSAGE_BYTES_MAX = 64 * 1024, /* one ATTEST message: evidence, endorsements, log */
    MT_EVIDENCE_BYTES_MAX = 60 * 1024,
    MT_DEVICE_QUOTE_BYTES_MAX = 16 * 1024, /* a quote, a signature, a key of hardware */
    MT_EVENTS_MAX = 256,
    MT_AUDITORS_MAX = 16,
    MT_MEASUREMENTS_MAX = 64,
    MT_POLICY_BYTES_MAX = 64 * 1024,

    /* tee/seal */
    MT_CHUNK_BYTES = 64 * 1024,
    MT_SECRET_SLAB_BYTES = 256 * 1024,
    MT_SECRET_BYTES_MAX = 256,
    MT_OBJECT_RUN_CHUNKS = 256, /* between two tables of tags */
    MT_SMALL_FILE_BYTES_MAX = 64 * 1024,
    MT_SHRED_FILE_BYTES_MAX = 128,
    MT_KEY_SLOTS_MAX = 8,
    MT_SLOT_OWN_BYTES_MAX = 1024,
    MT_KEY_SLOT_BYTES_MAX = MT_SLOT_OWN_BYTES_MAX + 128,
    MT_KEY_FILE_BYTES_MIN = 32,
    MT_CREDENTIAL_BYTES_MAX = 64 * 1024, /* a passphrase, the content of a key file */
    MT_PEER_KEYS_MAX = 64,               /* kept for other nodes */
    MT_PEER_POLICY_BYTES_MAX = 8 * 1024, /* for one of them */

    /* tee/ledger */
    MT_TX_BYTES_MAX = 1024 * 1024,
    MT_BLOCK_BYTES_MAX = 4 * 1024 * 1024,
    MT_LEDGER_CHUNK_BYTES = 64 * 1024 * 1024,
    MT_KEY_BYTES_MAX = 256,
    MT_VALUE_BYTES_MAX = 256 * 1024,
    MT_LEDGER_STEP_BYTES = 1024 * 1024, /* room of a chunk file grows by this */
    MT_LEDGER_MAPS_MAX = 64,
    MT_MAP_NAME_BYTES_MAX = 64,
    MT_BLOCK_TX_MAX = 16384,
    MT_TX_EVENTS_MAX = 64,
    MT_SNAPSHOT_FRAME_ENTRIES_MAX = 4096,
    MT_TOPIC_EVENTS_MAX = 256, /* kept for watchers that come back */
    MT_TIME_JUMP_MS_MAX = 60 * 60 * 1000,

    /* tee/gate */
    MT_GATE_NOTES_MAX = 1024,   /* distinct lines between two flushes of the audit log */
    MT_GATE_GRANTS_MAX = 1000,  /* on one resource: all end at once */
    MT_GATE_STAGERS_MAX = 1024, /* subjects that are uploading */
    MT_GATE_REWRAP_BATCH = 256, /* object keys wrapped anew in one transaction */

    /* tee/jobs */
    MT_JOBS_MAX = 64, /* running or waiting for a worker */
    MT_JOB_ARENA_BYTES = 128 * 1024,
    MT_JOB_DETAIL_BYTES = 256,

    /* tee/server */
    MT_BODY_INLINE_BYTES_MAX = 64 * 1024, /* larger ones stream into a staging object */
    MT_REQUEST_ARENA_BYTES = 512 * 1024,
    MT_SERVICES_MAX = 16,
    MT_TRANSFER_BYTES = 1024 * 1024, /* a piece of a body; two are under way */
    MT_PLAIN_CONNECTIONS_MAX = 64,   /* probes and metrics at once */

    /* tee/compute/columns */
    MT_FUNCTION_DETAIL_BYTES = 256,
    MT_CSV_PIECE_BYTES = 64 * 1024,
    MT_CSV_RECORD_BYTES_MAX = 1024 * 1024, /* with its quotes and line end */
    MT_CSV_COLUMNS_MAX = 1024,
    MT_CSV_SLACK_BYTES = 16,
    MT_SNIFF_MEMORY_BYTES = 4 * 1024 * 1024,
    MT_TABLE_KEY_BYTES_MAX = 4096,  /* a key, a group's name */
    MT_TABLE_VALUES_MAX = 64,       /* number columns of one input */
    MT_TABLE_PARTITIONS_MAX = 4096, /* of one join */
    MT_TABLE_CHUNK_BYTES = 8 * 1024,
    MT_SLAB_BYTES_MAX = 8 * 1024 * 1024,
    MT_ARGS_OUTPUT_COLUMNS_MAX = 64, /* of one output */
    MT_ARGS_COLUMN_NAME_BYTES_MAX = 128,
    MT_DECIMAL_DIGITS_MAX = 38,
    MT_DECIMAL_TEXT_BYTES_MAX = 41, /* sign, digits, point, a zero before it */
    MT_DECIMAL_AVERAGE_SCALE = 6,   /* digits that an average has more than its column */

    /* services */
    MT_TASK_PARTIES_MAX = 16,
    MT_TASK_RUNS_SHOWN = 100,            /* of one task at a time; `before` asks for older ones */
    MT_DATA_VERSIONS_MAX = 1000,         /* of one data set: all are deleted at once */
    MT_DATA_VERSIONS_SHOWN = 100,        /* of one data set at a time, as above */
    MT_DATA_SCHEMA_BYTES_MAX = 8 * 1024, /* a longer proposal is none */
    MT_TASK_ARGUMENT_BYTES_MAX = 32 * 1024,
    MT_TASK_TIME_MS_MAX = 24 * 60 * 60 * 1000,
    MT_NAME_BYTES_MAX = 64,
    MT_DEDUPE_PER_SUBJECT_MAX = 1024,
};

/* tee/seal; too large for an enumerator */
#define MT_OBJECT_BYTES_MAX (UINT64_C(64) << 30)

#endif
