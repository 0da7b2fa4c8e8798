/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_SNP_CERTS_H
#define MT_ATTEST_SNP_CERTS_H

#include "base/bytes.h"

/*
 * The table of certificates that a host hands to a guest of SEV-SNP with a report (AMD 56421, GHCB
 * specification, SNP Extended Guest Request): entries of GUID (16 bytes, in the order of its text),
 * u32le offset, u32le length, closed by one of zeros; offsets count from the start of the table.
 * The host's words: a certificate is believed when it verifies.
 */
struct mt_snp_certs {
    mt_bytes vcek; /* DER; borrowed; empty: none */
    mt_bytes vlek;
};

/* An empty table has no certificates. Bytes that no entry names are nobody's: the table comes in
 * whole pages. Other GUIDs (ASK, ARK) are skipped: roots are not the host's to give. */
MT_ERR mt_snp_certs_parse(mt_bytes in, struct mt_snp_certs *out);

#endif
