/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/amd.h"

#include <string.h>

#include "base/assert.h"

struct part {
    const char *oid;
    const char value[4];
};

static const uint8_t chip_id[MT_SNP_CHIP_ID_LEN] = {0xc4, 0x1b};

void amd_maker_make(struct amd_maker *m)
{
    const struct pki_wish a = {
        .name = "ARK", .key = PKI_RSA_2048, .is_ca = true, .is_pss = true, .serial = 1};
    const struct pki_wish b = {
        .name = "ASK", .key = PKI_RSA_2048, .is_ca = true, .is_pss = true, .serial = 2};
    const struct pki_wish c = {
        .name = "ASVK", .key = PKI_RSA_2048, .is_ca = true, .is_pss = true, .serial = 3};
    memset(m, 0, sizeof *m);
    pki_make(&a, NULL, &m->ark);
    pki_make(&b, &m->ark, &m->ask);
    pki_make(&c, &m->ark, &m->asvk);
    m->roots.lines[MT_SNP_MILAN] =
        (struct mt_snp_line_roots){pki_der(&m->ark), pki_der(&m->ask), pki_der(&m->asvk)};
}

void amd_maker_done(struct amd_maker *m)
{
    pki_done(&m->ark);
    pki_done(&m->ask);
    pki_done(&m->asvk);
}

struct amd_chip amd_milan(void)
{
    return (struct amd_chip){.product = MT_LITERAL("\x16\x08Milan-B0"),
                             .hwid = MT_BYTES_OF(chip_id),
                             .left_out = AMD_PARTS};
}

static size_t extensions_of(const struct amd_chip *chip, bool is_vlek, struct pki_extension *out)
{
    static const struct part parts[AMD_PARTS] = {
        {"1.3.6.1.4.1.3704.1.3.1", "\x02\x01\x01"},   {"1.3.6.1.4.1.3704.1.3.2", "\x02\x01\x02"},
        {"1.3.6.1.4.1.3704.1.3.3", "\x02\x01\x03"},   {"1.3.6.1.4.1.3704.1.3.4", "\x02\x01\0"},
        {"1.3.6.1.4.1.3704.1.3.5", "\x02\x01\0"},     {"1.3.6.1.4.1.3704.1.3.6", "\x02\x01\0"},
        {"1.3.6.1.4.1.3704.1.3.8", "\x02\x02\0\xf0"}, {"1.3.6.1.4.1.3704.1.3.7", "\x02\x01\0"},
    };
    size_t count = 0;
    out[count++] = (struct pki_extension){"1.3.6.1.4.1.3704.1.2", chip->product};
    for (size_t i = 0; i < AMD_PARTS; i++) {
        size_t len = parts[i].value[1] == 2 ? 4 : 3;
        if (i == chip->left_out) {
            continue;
        }
        out[count++] = (struct pki_extension){parts[i].oid, {(const uint8_t *)parts[i].value, len}};
    }
    if (is_vlek) {
        out[count++] = (struct pki_extension){"1.3.6.1.4.1.3704.1.5", MT_LITERAL("\x16\x05"
                                                                                 "cloud")};
    } else {
        out[count++] = (struct pki_extension){"1.3.6.1.4.1.3704.1.4", chip->hwid};
    }
    if (chip->fmc.len > 0) {
        out[count++] = (struct pki_extension){"1.3.6.1.4.1.3704.1.3.9", chip->fmc};
    }
    return count;
}

void amd_certify(const struct amd_chip *chip, bool is_vlek, const struct pki_cert *signer,
                 struct pki_cert *out)
{
    struct pki_extension extensions[16];
    const struct pki_wish wish = {.name = is_vlek ? "SEV-VLEK" : "SEV-VCEK",
                                  .key = PKI_P384,
                                  .is_pss = true,
                                  .extensions = extensions,
                                  .extensions_count = extensions_of(chip, is_vlek, extensions)};
    pki_make(&wish, signer, out);
}

void amd_report(uint8_t out[MT_SNP_REPORT_LEN])
{
    static const uint8_t tcb[] = {1, 2, 0, 0, 0, 0, 3, 0xf0};
    static const size_t tcbs[] = {0x38, 0x180, 0x1e0, 0x1f0};
    memset(out, 0, MT_SNP_REPORT_LEN);
    out[0] = 3;
    out[8 + 2] = 3; /* SMT, and the bit that is always one */
    out[0x34] = 1;
    out[0x50] = 0xa5;
    for (size_t i = 0; i < sizeof tcbs / sizeof *tcbs; i++) {
        memcpy(out + tcbs[i], tcb, sizeof tcb);
    }
    out[0x188] = 0x19;
    out[0x189] = 1;
    memcpy(out + 0x1a0, chip_id, sizeof chip_id);
}

void amd_sign(const struct pki_cert *vek, uint8_t report[MT_SNP_REPORT_LEN])
{
    uint8_t room[MT_SNP_SIGNATURE_LEN];
    mt_bytes s = pki_sign(vek, (mt_bytes){report, MT_SNP_SIGNED_LEN}, (mt_span){room, sizeof room});
    MT_ASSERT(s.len == sizeof room);
    memset(report + MT_SNP_SIGNED_LEN, 0, MT_SNP_REPORT_LEN - MT_SNP_SIGNED_LEN);
    for (size_t i = 0; i < 48; i++) {
        report[MT_SNP_SIGNED_LEN + i] = s.ptr[47 - i];
        report[MT_SNP_SIGNED_LEN + 72 + i] = s.ptr[95 - i];
    }
}
