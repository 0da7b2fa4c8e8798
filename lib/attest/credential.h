/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_ATTEST_CREDENTIAL_H
#define MT_ATTEST_CREDENTIAL_H

#include "crypto/pubkey.h"

/*
 * TPM2_MakeCredential without a TPM (TPM 2.0 Library, Part 1, 24): a secret that the TPM with this
 * endorsement key gives back if the key that quotes lives in it as well, with just these
 * attributes. Whoever believes the endorsement key's certificate then knows whose quotes he reads.
 */
enum { MT_CREDENTIAL_SEED_LEN = 32, MT_CREDENTIAL_SECRET_LEN = 32 };

/* The endorsement key out of TPMT_PUBLIC: RSA-2048, restricted to decrypt, with AES-128-CFB and
 * SHA-256. MT_E_FORMAT for others. */
MT_ERR mt_credential_ek(mt_bytes public, struct mt_pubkey **out);

/* Both keys as TPMT_PUBLIC; the quoting key's name is over SHA-256. MT_E_FORMAT for others. */
struct mt_credential_wish {
    mt_bytes ek_public;
    mt_bytes ak_public;
    mt_bytes seed;   /* random, used once */
    mt_bytes secret; /* random, of 32 bytes: what comes back */
};

/* `blob` gets a TPM2B_ID_OBJECT, `encrypted_secret` a TPM2B_ENCRYPTED_SECRET. */
MT_ERR mt_credential_make(const struct mt_credential_wish *wanted, struct mt_writer *blob,
                          struct mt_writer *encrypted_secret);

#endif
