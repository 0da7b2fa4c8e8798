/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_UNIT_INTEL_H
#define MT_UNIT_INTEL_H

#include "attest/dcap.h"
#include "attest/dcap_quote.h"
#include "unit/pki.h"

/*
 * A maker of SGX and TDX machines who is not Intel: the same names and formats, keys of the test's
 * own. What no real quote shows is made with it: revoked keys, old lists, foreign modules, every
 * status. Only a verifier that is given our root believes it; the built-in root is Intel's alone.
 */
struct intel_maker {
    struct pki_cert root;
    struct pki_cert authority; /* serial 2: signs PCK certificates */
    struct pki_cert pck;       /* serial 3: components 5, PCE 11 */
    struct pki_cert signer;    /* serial 4: signs TCB info and QE identity */
    struct pki_cert quoting;   /* the attestation key; the certificate is nobody's */
    struct mt_dcap_roots roots;
    uint8_t root_crl[PKI_CRL_MAX];
    uint8_t pck_crl[PKI_CRL_MAX];
    mt_bytes root_list;
    mt_bytes pck_list;
};

enum {
    INTEL_COMPONENTS = 16,
    INTEL_LEVELS_MAX = 3,
    INTEL_TEXT_MAX = 16384,
    INTEL_QUOTE_MAX = 8192,
    INTEL_BODY_MAX = 885,
    INTEL_QE_LEN = 384,
};

struct intel_level {
    uint8_t sgx[INTEL_COMPONENTS];
    uint8_t tdx[INTEL_COMPONENTS];
    unsigned svn; /* of the PCE, the module, the QE */
    const char *date;
    const char *status;
    const char *advisories; /* "\"A\",\"B\""; NULL: says none */
};

struct intel_levels {
    struct intel_level at[INTEL_LEVELS_MAX];
    size_t count;
};

/* One quote and its collateral. A test changes the first part, writes the texts, may change those,
 * and has all of it signed. */
struct intel_quote {
    uint16_t version;
    enum mt_dcap_body body;
    uint16_t key_type;
    uint16_t cert_type;
    bool is_bare; /* the certificates come with the collateral */
    uint8_t vendor[16];
    uint8_t report[INTEL_BODY_MAX];
    uint8_t qe_report[INTEL_QE_LEN];
    uint8_t qe_auth[64];
    size_t qe_auth_len;
    struct intel_levels levels;
    struct intel_levels module; /* of TDX_01 */
    struct intel_levels qe;
    const char *pem_end; /* behind the quote's certificates */

    char info[INTEL_TEXT_MAX];
    char identity[INTEL_TEXT_MAX];

    const struct intel_maker *by;
    const struct intel_maker *info_by;
    const struct intel_maker *identity_by;

    uint8_t quote[INTEL_QUOTE_MAX];
    uint8_t pem[3][PKI_PEM_MAX];
    uint8_t signatures[2][64];
    struct mt_evidence in;
    uint8_t report_data[MT_REPORT_DATA_LEN];
};

/* Lists and certificates hold on this day, 2026-07-01. */
extern const uint64_t intel_now_ms;

void intel_maker_make(struct intel_maker *m);
void intel_maker_done(struct intel_maker *m);

/* An up-to-date machine without a weakness. */
void intel_begin(struct intel_quote *q, const struct intel_maker *by, uint16_t version,
                 enum mt_dcap_body body);
/* The texts of the levels. */
void intel_write(struct intel_quote *q);
/* One word of a text for another; it must be there. */
void intel_change(char text[INTEL_TEXT_MAX], const char *from, const char *to);
/* Signs what there is, from the lists to the quote. */
void intel_sign(struct intel_quote *q);

#endif
