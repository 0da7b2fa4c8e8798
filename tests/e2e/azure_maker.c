/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* azure_maker SPKI FOLDER: what Azure, Microsoft and AMD would do for a virtual machine whose vTPM
 * has this key (RSA-2048), by a maker of our own: the HCL report for NV index 0x01400001, the
 * certificate of its chip, and the roots that nobody believes but tests (own_amd.c). */
#include <stdio.h>

#include "attest/hcl.h"
#include "base/assert.h"
#include "crypto/context.h"
#include "platform/process.h"
#include "unit/amd.h"
#include "unit/azure.h"

enum { KEY_MAX = 1024 };

static void put(const char *folder, const char *name, mt_bytes content)
{
    char path[1024];
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    MT_ASSERT(len > 0 && (size_t)len < sizeof path);
    MT_ASSERT(!mt_failed(mt_process_put_file(path, content)));
}

static void put_pem(const char *folder, const char *name, const struct pki_cert *cert)
{
    uint8_t room[PKI_PEM_MAX];
    put(folder, name, pki_pem(&cert, 1, (mt_span){room, sizeof room}));
}

int main(int argc, char **argv)
{
    static struct amd_maker maker;
    static uint8_t report[MT_SNP_REPORT_LEN];
    static uint8_t claims[AZURE_CLAIMS_MAX];
    static uint8_t hcl[MT_HCL_REPORT_LEN];
    struct pki_cert vek = {.key = NULL};
    struct mt_buf spki = mt_buf_of_max(KEY_MAX);
    const struct amd_chip chip = amd_milan();
    MT_ASSERT(argc == 3);
    MT_ASSERT(!mt_failed(mt_crypto_init(mt_process_entropy, NULL)));
    MT_ASSERT(!mt_failed(mt_process_read_file(argv[1], KEY_MAX, &spki)));
    amd_maker_make(&maker);
    amd_certify(&chip, false, &maker.ask, &vek);
    amd_report(report);
    const struct mt_hcl_report h = {
        .kind = MT_HCL_SNP,
        .hardware = MT_BYTES_OF(report),
        .runtime = azure_claims(mt_buf_bytes(&spki), (mt_span){claims, sizeof claims}),
    };
    mt_hcl_report_data(h.runtime, report + 0x50);
    amd_sign(&vek, report);
    put(argv[2], "hcl_report.bin", azure_hcl(&h, (mt_span){hcl, sizeof hcl}));
    put(argv[2], "vcek.der", pki_der(&vek));
    put_pem(argv[2], "ark.pem", &maker.ark);
    put_pem(argv[2], "ask.pem", &maker.ask);
    mt_buf_free(&spki);
    pki_done(&vek);
    amd_maker_done(&maker);
    mt_crypto_done();
    return 0;
}
