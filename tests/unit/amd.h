/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_UNIT_AMD_H
#define MT_UNIT_AMD_H

#include "attest/snp.h"
#include "unit/pki.h"

/*
 * A maker of SEV-SNP machines who is not AMD: the same names and formats, keys of the test's own.
 * What no real report shows is made with it. Only a verifier that is given our roots believes it;
 * the built-in ones are AMD's alone.
 */
struct amd_maker {
    struct pki_cert ark;  /* serial 1 */
    struct pki_cert ask;  /* serial 2: signs the keys of chips */
    struct pki_cert asvk; /* serial 3: signs the keys that clouds are lent */
    struct mt_snp_roots roots;
};
void amd_maker_make(struct amd_maker *m);
void amd_maker_done(struct amd_maker *m);

enum { AMD_PARTS = 8 };

/* What a chip's certificate says beside its firmware: 1.2.3, microcode 0xf0. */
struct amd_chip {
    mt_bytes product;
    mt_bytes hwid;
    mt_bytes fmc;    /* empty: none */
    size_t left_out; /* of the parts of the firmware; AMD_PARTS: none */
};
/* A Milan, whose id begins with c41b. */
struct amd_chip amd_milan(void);
/* The certificate of a chip's key (VCEK), or of one that a cloud was lent (VLEK). */
void amd_certify(const struct amd_chip *chip, bool is_vlek, const struct pki_cert *signer,
                 struct pki_cert *out);

/* A report of version 3 by the Milan above, about the byte a5, and then signed. */
void amd_report(uint8_t out[MT_SNP_REPORT_LEN]);
void amd_sign(const struct pki_cert *vek, uint8_t report[MT_SNP_REPORT_LEN]);

#endif
