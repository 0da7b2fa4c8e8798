/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_AZURE_H
#define MT_ATTEST_AZURE_H

#include "attest/evidence.h"
#include "attest/roots.h"
#include "attest/trace.h"

/*
 * Evidence of a confidential virtual machine on Azure, level 4 (spec/evidence-azure.md): two links
 * of a chain. The hardware (SEV-SNP, TDX) says which paravisor runs and is about its runtime
 * claims; those name the key of the vTPM that the paravisor keeps; that key quotes what the guest
 * has started, and what the verifier has asked for.
 */

/* MT_E_FORMAT or MT_E_PROOF, with the failed rule in `trace`. `expected` is the whole of the
 * quote's qualifying data, and not empty: the hardware's report data is the paravisor's. */
MT_ERR mt_azure_verify(const struct mt_evidence *in, const struct mt_attest_roots *roots,
                       mt_bytes expected, struct mt_claims *out, struct mt_trace *trace);

/* The evidence of the hardware in it, as if that were all: what is asked of the maker's word needs
 * no more. MT_E_FORMAT if there is none. */
MT_ERR mt_azure_hardware(const struct mt_evidence *in, struct mt_evidence *out);

/* Whether a quote is of this TD's report (TDREPORT_STRUCT). Neither is verified. */
bool mt_azure_is_quote_of(mt_bytes quote, mt_bytes td_report);

/* What it says of itself, unverified. */
MT_ERR mt_azure_show(const struct mt_evidence *in, struct mt_claims *out);

#endif
