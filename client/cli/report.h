/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CLI_REPORT_H
#define MT_CLI_REPORT_H

#include "cli/cli.h"
#include "mesatee/inspect.h"

/* Verdicts, for people and for programs: checks in the order in which trust grows. */

/* One check more, of what the command itself has looked at. `mend` is printed if it has failed. */
bool mt_cli_report_note(struct mt_trace *t, struct mt_check check);
/* The chain of checks under the headings evidence, measurement, auditors, channel key; of a file
 * that is no evidence, as it stands. `is_long`: those that passed, too. */
void mt_cli_report_trace(FILE *to, const struct mt_trace *t, bool is_long);
/* "checks": every check, with verdict and mend; "failed": those that did not pass. */
void mt_cli_report_checks(struct mt_json_writer *j, const struct mt_trace *t);

/* What mt_inspect() found; the exit code. */
int mt_cli_report_file(const struct mt_cli *c, const char *path, const struct mt_inspected *x,
                       mt_err e, bool is_long);

#endif
