/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_MAKERS_H
#define MT_PLATFORM_MAKERS_H

#include "platform/device.h"
#include "platform/device_io.h"

/*
 * The makers of devices that need no daemon: what the kernel or the library OS under this process
 * gives. `io` is borrowed and must outlive the device. MT_E_NOTFOUND: this machine has none. That a
 * device was made says only that somebody answers to its name; what it is shows in its evidence.
 */

/* configfs-tsm, Linux 6.7 and later: SEV-SNP and TDX (Documentation/ABI/testing/configfs-tsm). */
MT_ERR mt_tsm_new(struct mt_device_io *io, struct mt_device **out);
/* /dev/sev-guest, Linux 5.19 and later: SEV-SNP, with keys that its firmware derives. */
MT_ERR mt_sev_guest_new(struct mt_device_io *io, struct mt_device **out);
/* /dev/attestation of Gramine: SGX, with keys of the enclave. */
MT_ERR mt_gramine_new(struct mt_device_io *io, struct mt_device **out);

/*
 * The first of Gramine, /dev/sev-guest and configfs-tsm whose evidence, asked for once about random
 * bytes, comes back well formed and about them. The device that derives keys comes before the one
 * that gives the same evidence alone. MT_E_NOTFOUND if there is none; if one is there and does not
 * answer as it should, what is wrong with the first such.
 */
MT_ERR mt_device_probe(struct mt_device_io *io, struct mt_device **out);

/* For makers: puts a report of SEV-SNP, or a quote, into `out` if it is well formed and about these
 * bytes. MT_E_FORMAT, MT_E_PROOF. `certs`: the host's table of certificates, of which the one of
 * the key that signed is kept; a table that is none is no reason to refuse the report. */
MT_ERR mt_device_take_snp(mt_bytes report, mt_bytes certs,
                          const uint8_t report_data[MT_REPORT_DATA_LEN],
                          struct mt_device_evidence *out);
MT_ERR mt_device_take_quote(enum mt_evidence_kind kind, mt_bytes quote,
                            const uint8_t report_data[MT_REPORT_DATA_LEN],
                            struct mt_device_evidence *out);

#endif
