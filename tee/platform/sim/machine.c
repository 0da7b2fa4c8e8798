/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/sev-guest.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/assert.h"
#include "crypto/hash.h"
#include "platform/sim/machine_inside.h"

enum {
    BODY_AT = 32,
    GRAMINE_KEY_LEN = 16,
    RACE_US = 300,
    SVN_AT = 4, /* in a report */
    TCB_AT = 0x1e0,
    REFUSED = 0x16,
};
static const char configfs[] = "/sys/kernel/config/tsm/report/";

static struct mt_sim_machine *machine_of(struct mt_device_io *io)
{
    return (struct mt_sim_machine *)(void *)io;
}

mt_err mt_sim_quote(const struct mt_sim_machine *m, const struct mt_sim_evidence *e,
                    const uint8_t asked[MT_REPORT_DATA_LEN], struct mt_buf *out)
{
    MT_ASSERT(e->report_data_at + MT_REPORT_DATA_LEN <= e->quote.len);
    out->len = 0;
    MT_TRY(mt_buf_append(out, e->quote));
    memcpy(out->ptr + e->report_data_at, asked, MT_REPORT_DATA_LEN);
    out->ptr[e->report_data_at + MT_REPORT_DATA_LEN - 1] ^= m->world.lies ? 1 : 0;
    return MT_OK;
}

static struct mt_sim_fd *fd_of(struct mt_device_io *io, int fd)
{
    MT_ASSERT(fd >= 0 && fd < MT_SIM_FDS_MAX);
    MT_ASSERT(machine_of(io)->fds[fd].file != MT_SIM_FILE_NONE);
    return &machine_of(io)->fds[fd];
}

static mt_err find(struct mt_sim_machine *m, const char *path, struct mt_sim_fd *f)
{
    static const struct {
        const char *path;
        enum mt_sim_file file;
    } gramine[] = {{"/dev/attestation/attestation_type", MT_SIM_FILE_TYPE},
                   {"/dev/attestation/user_report_data", MT_SIM_FILE_USER_DATA},
                   {"/dev/attestation/quote", MT_SIM_FILE_QUOTE},
                   {"/dev/attestation/keys/_sgx_mrenclave", MT_SIM_FILE_KEY}};
    if (strncmp(path, configfs, sizeof configfs - 1) == 0) {
        return mt_sim_tsm_open(m, path + sizeof configfs - 1, f);
    }
    if (m->world.has_sev_guest && strcmp(path, "/dev/sev-guest") == 0) {
        f->file = MT_SIM_FILE_GUEST;
        return MT_OK;
    }
    for (size_t i = 0; i < sizeof gramine / sizeof *gramine; i++) {
        if (m->world.gramine != NULL && strcmp(path, gramine[i].path) == 0) {
            f->file = gramine[i].file;
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_NOTFOUND, "ENOENT");
}

static mt_err open_locked(struct mt_sim_machine *m, const char *path, enum mt_io_mode mode, int *fd)
{
    for (int i = 0; i < MT_SIM_FDS_MAX; i++) {
        if (m->fds[i].file == MT_SIM_FILE_NONE) {
            struct mt_sim_fd f = {.mode = mode, .bytes = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX)};
            MT_TRY(find(m, path, &f));
            m->fds[i] = f;
            *fd = i;
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_IO, "EMFILE");
}

static mt_err sim_open(struct mt_device_io *io, const char *path, enum mt_io_mode mode, int *fd)
{
    struct mt_sim_machine *m = machine_of(io);
    (void)pthread_mutex_lock(&m->lock);
    mt_err e = open_locked(m, path, mode, fd);
    (void)pthread_mutex_unlock(&m->lock);
    return e;
}

/* A key of this enclave on this processor. */
static mt_err put_enclave_key(struct mt_sim_machine *m, struct mt_buf *out)
{
    const mt_bytes parts[] = {MT_BYTES_OF(m->world.chip), MT_BYTES_OF(m->world.measurement)};
    mt_hash h;
    mt_sha256(parts, sizeof parts / sizeof *parts, &h);
    return mt_buf_append(out, (mt_bytes){mt_hash_bytes(&h).ptr, GRAMINE_KEY_LEN});
}

static mt_err fill(struct mt_sim_machine *m, struct mt_sim_fd *f)
{
    f->is_filled = true;
    if (f->file == MT_SIM_FILE_TYPE) {
        return mt_buf_append(&f->bytes, mt_bytes_of_text(m->world.gramine));
    }
    if (f->file == MT_SIM_FILE_QUOTE) { /* about whatever the process wrote last */
        return mt_sim_quote(m, &m->world.sgx, m->user_data, &f->bytes);
    }
    return f->file == MT_SIM_FILE_KEY ? put_enclave_key(m, &f->bytes) : mt_sim_tsm_fill(m, f);
}

static mt_err sim_read(struct mt_device_io *io, int fd, mt_span out, size_t *got)
{
    struct mt_sim_machine *m = machine_of(io);
    struct mt_sim_fd *f = fd_of(io, fd);
    (void)pthread_mutex_lock(&m->lock);
    mt_err e = f->mode == MT_IO_READ && !f->is_filled ? fill(m, f) : MT_OK;
    if (!mt_failed(e)) {
        size_t left = f->bytes.len - f->at;
        *got = left < out.len ? left : out.len;
        memcpy(out.ptr, f->bytes.ptr + f->at, *got);
        f->at += *got;
    }
    (void)pthread_mutex_unlock(&m->lock);
    return e;
}

static mt_err sim_write(struct mt_device_io *io, int fd, mt_bytes bytes)
{
    struct mt_sim_machine *m = machine_of(io);
    struct mt_sim_fd *f = fd_of(io, fd);
    MT_REQUIRE(f->mode == MT_IO_WRITE, MT_E_DENIED, "EBADF");
    MT_REQUIRE(f->bytes.len + bytes.len <= MT_REPORT_DATA_LEN, MT_E_IO, "EFBIG");
    MT_TRY(mt_buf_append(&f->bytes, bytes));
    if (f->file == MT_SIM_FILE_USER_DATA) { /* Gramine's counts at once; shorter ones are padded */
        (void)pthread_mutex_lock(&m->lock);
        memset(m->user_data, 0, sizeof m->user_data);
        memcpy(m->user_data, f->bytes.ptr, f->bytes.len);
        (void)pthread_mutex_unlock(&m->lock);
        (void)usleep(RACE_US); /* whoever wants to write in between, may */
    }
    return MT_OK;
}

static void sim_close(struct mt_device_io *io, int fd)
{
    struct mt_sim_machine *m = machine_of(io);
    struct mt_sim_fd *f = fd_of(io, fd);
    (void)pthread_mutex_lock(&m->lock);
    if (f->file == MT_SIM_FILE_INBLOB && f->bytes.len > 0) {
        mt_sim_tsm_commit(m, f);
    }
    mt_buf_free(&f->bytes);
    f->file = MT_SIM_FILE_NONE;
    (void)pthread_mutex_unlock(&m->lock);
}

static mt_err sim_make_dir(struct mt_device_io *io, const char *path)
{
    MT_REQUIRE(strncmp(path, configfs, sizeof configfs - 1) == 0, MT_E_NOTFOUND, "ENOENT");
    return mt_sim_tsm_make(machine_of(io), path + sizeof configfs - 1);
}

static mt_err sim_remove_dir(struct mt_device_io *io, const char *path)
{
    MT_REQUIRE(strncmp(path, configfs, sizeof configfs - 1) == 0, MT_E_NOTFOUND, "ENOENT");
    return mt_sim_tsm_remove(machine_of(io), path + sizeof configfs - 1);
}

/* An address as the kernel takes it. */
static void *pointer_of(uint64_t address)
{
    void *p = NULL;
    _Static_assert(sizeof p == sizeof address, "addresses have 64 bits");
    memcpy(&p, &address, sizeof p);
    return p;
}

static mt_err give_report(struct mt_sim_machine *m, const struct snp_report_req *in, uint8_t *out)
{
    MT_DEFER(mt_buf_free) struct mt_buf report = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX);
    MT_TRY(mt_sim_quote(m, &m->world.snp, in->user_data, &report));
    memcpy(out, &m->world.firmware_status, sizeof m->world.firmware_status);
    if (m->world.committed_tcb[0] != 0) {
        memcpy(report.ptr + SVN_AT, &m->world.guest_svn, sizeof m->world.guest_svn);
        memcpy(report.ptr + TCB_AT, m->world.committed_tcb, sizeof m->world.committed_tcb);
    }
    memcpy(out + BODY_AT, report.ptr, report.len);
    return MT_OK;
}

/* Without room for the certificates the kernel asks for a plain report, whose number is used up,
 * and says EIO. */
static mt_err give_extended(struct mt_sim_machine *m, struct snp_guest_request_ioctl *r)
{
    struct snp_ext_report_req *in = pointer_of(r->req_data);
    const mt_bytes certs = m->world.snp.certs;
    MT_REQUIRE(in->certs_len <= 0x4000 && in->certs_len % 4096 == 0, MT_E_ARG, "EINVAL");
    if (m->world.has_small_certs_room || certs.len > in->certs_len) {
        r->vmm_error = SNP_GUEST_VMM_ERR_INVALID_LEN;
        MT_FAIL(MT_E_IO, "EIO");
    }
    if (certs.len > 0) {
        memcpy(pointer_of(in->certs_address), certs.ptr, certs.len);
    }
    return give_report(m, &in->data, pointer_of(r->resp_data));
}

/* Part by part: which software of the machine has which number. */
static bool is_above(const struct mt_sim_machine *m, const struct snp_derived_key_req *in)
{
    bool is = (in->guest_field_select & 1U << 4) != 0 && in->guest_svn > m->world.guest_svn;
    for (unsigned i = 0; i < sizeof m->world.committed_tcb; i++) {
        bool is_part = (uint8_t)(in->tcb_version >> (8 * i)) > m->world.committed_tcb[i];
        is = is || ((in->guest_field_select & 1U << 5) != 0 && is_part);
    }
    return is;
}

/* What the guest selects is mixed into the key, and nothing else is. */
static mt_err give_key(struct mt_sim_machine *m, const struct snp_derived_key_req *in, uint8_t *out)
{
    uint64_t mixed[] = {m->world.chip, in->root_key_select, in->guest_field_select, 0, 0, 0, 0};
    mixed[3] = (in->guest_field_select & 1U << 0) != 0 ? m->world.policy : 0;
    mixed[4] = (in->guest_field_select & 1U << 3) != 0 ? m->world.measurement : 0;
    mixed[5] = (in->guest_field_select & 1U << 4) != 0 ? in->guest_svn : 0;
    mixed[6] = (in->guest_field_select & 1U << 5) != 0 ? in->tcb_version : 0;
    if (is_above(m, in)) {
        memcpy(out, &(uint32_t){REFUSED}, sizeof(uint32_t));
        return MT_OK;
    }
    const mt_bytes part = MT_BYTES_OF(mixed);
    mt_hash h;
    mt_sha256(&part, 1, &h);
    memcpy(out, &m->world.firmware_status, sizeof m->world.firmware_status);
    memcpy(out + BODY_AT, mt_hash_bytes(&h).ptr, mt_hash_bytes(&h).len);
    return MT_OK;
}

static mt_err sim_ioctl(struct mt_device_io *io, int fd, unsigned long request, void *argument)
{
    struct mt_sim_machine *m = machine_of(io);
    struct snp_guest_request_ioctl *r = argument;
    MT_REQUIRE(fd_of(io, fd)->file == MT_SIM_FILE_GUEST, MT_E_CLOSED, "ENOTTY");
    MT_REQUIRE(!m->is_disabled, MT_E_CLOSED, "ENOTTY");
    MT_REQUIRE(r->msg_version != 0, MT_E_ARG, "EINVAL");
    m->is_disabled = m->world.fails_transport;
    MT_REQUIRE(!m->is_disabled, MT_E_IO, "EIO");
    if (request == SNP_GET_EXT_REPORT) {
        return give_extended(m, r);
    }
    void *in = pointer_of(r->req_data);
    uint8_t *out = pointer_of(r->resp_data);
    MT_REQUIRE(request == SNP_GET_REPORT || request == SNP_GET_DERIVED_KEY, MT_E_CLOSED, "ENOTTY");
    return request == SNP_GET_REPORT ? give_report(m, in, out) : give_key(m, in, out);
}

struct mt_sim_machine *mt_sim_machine_new(void)
{
    static const struct mt_device_io_ops ops = {sim_open,     sim_read,       sim_write, sim_close,
                                                sim_make_dir, sim_remove_dir, sim_ioctl};
    struct mt_sim_machine *m = calloc(1, sizeof *m);
    MT_ASSERT(m != NULL);
    m->io.ops = &ops;
    (void)pthread_mutex_init(&m->lock, NULL);
    return m;
}

void mt_sim_machine_free(struct mt_sim_machine **m)
{
    for (size_t i = 0; i < MT_SIM_REPORTS_MAX; i++) {
        mt_buf_free(&(*m)->reports[i].out);
    }
    (void)pthread_mutex_destroy(&(*m)->lock);
    free(*m);
    *m = NULL;
}

struct mt_device_io *mt_sim_machine_io(struct mt_sim_machine *m)
{
    return &m->io;
}

struct mt_sim_world *mt_sim_machine_world(struct mt_sim_machine *m)
{
    return &m->world;
}

size_t mt_sim_machine_directories(const struct mt_sim_machine *m)
{
    size_t n = 0;
    for (size_t i = 0; i < MT_SIM_REPORTS_MAX; i++) {
        n += m->reports[i].is_there ? 1 : 0;
    }
    return n;
}

size_t mt_sim_machine_descriptors(const struct mt_sim_machine *m)
{
    size_t n = 0;
    for (size_t i = 0; i < MT_SIM_FDS_MAX; i++) {
        n += m->fds[i].file != MT_SIM_FILE_NONE ? 1 : 0;
    }
    return n;
}
