/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_SIM_MACHINE_INSIDE_H
#define MT_PLATFORM_SIM_MACHINE_INSIDE_H

#include <pthread.h>

#include "base/limits.h"
#include "platform/sim/machine.h"

enum {
    MT_SIM_REPORTS_MAX = 4,
    MT_SIM_FDS_MAX = 8,
    MT_SIM_NAME_MAX = 64,
};

/* One directory under configfs (struct tsm_report of the kernel). */
struct mt_sim_report {
    bool is_there;
    char name[MT_SIM_NAME_MAX];
    uint8_t in[MT_REPORT_DATA_LEN];
    size_t in_len;
    uint64_t written; /* write_generation */
    uint64_t read;    /* read_generation */
    struct mt_buf out;
};

/* What a descriptor is of. */
enum mt_sim_file {
    MT_SIM_FILE_NONE,
    MT_SIM_FILE_PROVIDER,
    MT_SIM_FILE_GENERATION,
    MT_SIM_FILE_INBLOB,
    MT_SIM_FILE_OUTBLOB,
    MT_SIM_FILE_AUXBLOB,
    MT_SIM_FILE_GUEST,
    MT_SIM_FILE_TYPE,
    MT_SIM_FILE_USER_DATA,
    MT_SIM_FILE_QUOTE,
    MT_SIM_FILE_KEY,
};

struct mt_sim_fd {
    enum mt_sim_file file;
    struct mt_sim_report *report; /* of those under configfs */
    enum mt_io_mode mode;
    bool is_filled;      /* `bytes` is what the first read found, and stays */
    struct mt_buf bytes; /* or what was written and not yet closed */
    size_t at;
};

struct mt_sim_machine {
    struct mt_device_io io;
    struct mt_sim_world world;
    pthread_mutex_t lock;
    struct mt_sim_report reports[MT_SIM_REPORTS_MAX];
    struct mt_sim_fd fds[MT_SIM_FDS_MAX];
    uint8_t user_data[MT_REPORT_DATA_LEN]; /* Gramine's, of the process */
    bool is_disabled;                      /* the guest's key to the firmware is gone */
};

/* Evidence about these bytes, or about others if the machine lies. */
mt_err mt_sim_quote(const struct mt_sim_machine *m, const struct mt_sim_evidence *e,
                    const uint8_t asked[MT_REPORT_DATA_LEN], struct mt_buf *out);

/* configfs-tsm: MT_E_NOTFOUND for names that are not there. */
mt_err mt_sim_tsm_make(struct mt_sim_machine *m, const char *name);
mt_err mt_sim_tsm_remove(struct mt_sim_machine *m, const char *name);
mt_err mt_sim_tsm_open(struct mt_sim_machine *m, const char *name, struct mt_sim_fd *f);
mt_err mt_sim_tsm_fill(struct mt_sim_machine *m, struct mt_sim_fd *f);
void mt_sim_tsm_commit(struct mt_sim_machine *m, struct mt_sim_fd *f);

#endif
