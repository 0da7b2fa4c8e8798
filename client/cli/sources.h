/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CLI_SOURCES_H
#define MT_CLI_SOURCES_H

/*
 * What a check of evidence reads, and what demands it: the document of the maker, or our own page
 * of spec/ where the rule is ours. For people who read a verdict; nothing is decided by it, so it
 * stands outside of what has to be trusted.
 */
struct mt_source {
    const char *rule;
    const char *reads;  /* parts of the evidence, by the names of spec/evidence-files.md */
    const char *demand; /* document and place, a colon, and what it demands */
};

/* NULL for a rule that is about no evidence. */
const struct mt_source *mt_source_of(const char *rule);

#endif
