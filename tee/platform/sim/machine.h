/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_SIM_MACHINE_H
#define MT_PLATFORM_SIM_MACHINE_H

#include "attest/claims.h"
#include "platform/device_io.h"

/*
 * A machine with devices, for tests: configfs-tsm, /dev/sev-guest and /dev/attestation with the
 * semantics of the kernel and of Gramine, faults and rivals. Its evidence is evidence of a real
 * machine in which the report data is what was asked for; nobody signed that.
 */
struct mt_sim_evidence {
    mt_bytes quote; /* borrowed */
    size_t report_data_at;
    mt_bytes certs; /* the host's table; may be empty */
};

struct mt_sim_machine; /* its I/O table is the first member */

/* What a test sets; all may change at any time. */
struct mt_sim_world {
    const char *tsm_provider;   /* "sev_guest", "tdx_guest"; NULL: no configfs-tsm */
    const char *gramine;        /* "dcap", "none"; NULL: not under Gramine */
    bool has_sev_guest;         /* /dev/sev-guest */
    struct mt_sim_evidence tsm; /* what each gives */
    struct mt_sim_evidence snp;
    struct mt_sim_evidence sgx;
    bool lies;                 /* evidence is about other bytes than was asked */
    unsigned loses_commits;    /* so many inblobs are lost at close(), EBUSY, without a word */
    unsigned rivals;           /* so many times somebody writes into our directory, the same
                                  bytes, once the report was read */
    bool fails_transport;      /* the next ioctl is lost on its way to the firmware */
    bool has_small_certs_room; /* the host's table is larger than any guest may read */
    uint32_t firmware_status;  /* what the firmware answers */
    uint64_t chip;             /* which one: the root of derived keys */
    uint64_t measurement;      /* of what runs */
    uint64_t policy;
    uint8_t committed_tcb[8]; /* begins with a boot loader's number; 0: as the report says */
    uint32_t guest_svn;       /* of a world with a number there */
};

struct mt_sim_machine *mt_sim_machine_new(void);
void mt_sim_machine_free(struct mt_sim_machine **m);
struct mt_device_io *mt_sim_machine_io(struct mt_sim_machine *m);
struct mt_sim_world *mt_sim_machine_world(struct mt_sim_machine *m);

/* Reports that were asked for under configfs and not removed; descriptors that are open. */
size_t mt_sim_machine_directories(const struct mt_sim_machine *m);
size_t mt_sim_machine_descriptors(const struct mt_sim_machine *m);

#endif
