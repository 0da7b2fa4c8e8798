/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_TD_TEST_H
#define MT_ATTEST_TD_TEST_H

#include "attest/evidence.h"
#include "attest/files_test.h"

/* A guest of TDX on Azure, with Intel's word of its time. */
static inline void td_read(struct mt_evidence *out)
{
    static const char set[] = "dcap/tdx_v4_azure";
    static struct file parts[9];
    struct mt_collateral *c = &out->collateral;
    const struct {
        const char *name;
        mt_bytes *part;
    } files[] = {{"quote.bin", &out->quote},
                 {"tcb_info.json", &c->tcb_info},
                 {"tcb_info.sig", &c->tcb_info_signature},
                 {"tcb_info_chain.pem", &c->tcb_info_chain},
                 {"qe_identity.json", &c->qe_identity},
                 {"qe_identity.sig", &c->qe_identity_signature},
                 {"qe_identity_chain.pem", &c->qe_identity_chain},
                 {"root_ca_crl.der", &c->root_ca_crl},
                 {"pck_crl.der", &c->pck_crl}};
    *out = (struct mt_evidence){.now_ms = 1780922561000};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *files[i].part = file_read(set, files[i].name, &parts[i]);
    }
}

#endif
