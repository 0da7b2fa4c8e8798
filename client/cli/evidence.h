/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CLI_EVIDENCE_H
#define MT_CLI_EVIDENCE_H

#include "cli/report.h"
#include "mesatee/evidence_set.h"

/* Evidence of hardware, in a file or a folder: judged without a node and without a context. */

/* The words of verify that are about such evidence alone, taken out of the arguments. */
struct mt_evidence_words {
    const char *at;
    const char *collateral;
    const char *policy;
    const char *auditors;
    const char *format;
    const char *report_data;
    const char *token; /* a file for the result, and who signs it */
    const char *identity;
};
void mt_cli_evidence_words(struct mt_cli *c, struct mt_evidence_words *out);

/* Whether `path` holds such evidence, by its form, or one of those words was said. */
bool mt_cli_is_evidence(const char *path, const struct mt_evidence_words *w);
int mt_cli_verify_evidence(struct mt_cli *c, const char *path, const struct mt_evidence_words *w,
                           bool is_long);

#endif
