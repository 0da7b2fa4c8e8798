/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_MESATEE_INSPECT_H
#define MT_MESATEE_INSPECT_H

#include "mesatee/context.h"
#include "mesatee/statement.h"

/* Files that can be checked without a node, by the context's policy. */
enum mt_file_kind {
    MT_FILE_UNKNOWN,
    MT_FILE_RECEIPT,
    MT_FILE_POLICY,
    MT_FILE_AUDITORS,
    MT_FILE_EVIDENCE,
};
const char *mt_file_kind_name(enum mt_file_kind k);

/* Big: on the heap. What stands in it is verified as far as mt_inspect() did not fail. */
struct mt_inspected {
    struct mt_buf file;
    enum mt_file_kind kind;
    struct mt_trace trace; /* of any kind */
    struct mt_run_receipt run;
    mt_hash signer; /* of a policy */
    struct mt_policy policy;
    struct mt_auditors_list list;
    size_t signatures_count; /* on the list */
    struct mt_claims claims; /* of evidence */
};

struct mt_inspect_options {
    const struct mt_context *context;
    const uint8_t *report_data; /* MT_REPORT_DATA_LEN; evidence says nothing without it */
    uint64_t now_ms;
};
/* *out is set unless the file cannot be read. MT_E_FORMAT: of no kind that is known; MT_E_PROOF:
 * not genuine; MT_E_DENIED, MT_E_STALE: genuine and refused. */
MT_ERR mt_inspect(const char *path, const struct mt_inspect_options *o, struct mt_inspected **out);
void mt_inspected_free(struct mt_inspected **i);

/* A receipt and nothing else: what is no receipt is not genuine. */
MT_ERR mt_inspect_receipt(const char *path, const struct mt_inspect_options *o,
                          struct mt_inspected **out);

#endif
