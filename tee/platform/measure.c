/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "platform/process.h"

/* What this process is made of, as the kernel tells it. Software that root can replace: evidence of
 * level 2 says so. */

enum { MAPS_BYTES_MAX = 1024 * 1024, FILES_MAX = 128, FACT_BYTES_MAX = 64 * 1024 };

static MT_ERR read_proc(const char *path, size_t max, struct mt_buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    MT_REQUIRE(fd >= 0, MT_E_IO, "a file of /proc or /sys cannot be opened");
    ssize_t n = 1;
    mt_err e = MT_OK;
    while (n > 0 && !mt_failed(e)) {
        mt_span room;
        e = mt_buf_reserve(out, max - out->len < 4096 ? max - out->len : 4096, &room);
        if (!mt_failed(e)) {
            n = room.len > 0 ? read(fd, room.ptr, room.len) : 0;
            out->len += n > 0 ? (size_t)n : 0;
        }
    }
    (void)close(fd);
    MT_TRY(e);
    MT_REQUIRE(n == 0, MT_E_IO, "a file of /proc or /sys cannot be read");
    return MT_OK;
}

struct mapping {
    bool is_executable;
    uint64_t device;
    uint64_t inode;
    mt_bytes path; /* empty: none */
};

static bool take_hex(mt_bytes *line, uint64_t *out)
{
    uint64_t v = 0;
    size_t i = 0;
    for (; i < line->len; i++) {
        uint8_t c = line->ptr[i];
        if (c >= '0' && c <= '9') {
            v = v << 4 | (uint64_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            v = v << 4 | (uint64_t)(c - 'a' + 10);
        } else {
            break;
        }
    }
    *line = (mt_bytes){line->ptr + i, line->len - i};
    *out = v;
    return i > 0;
}

static bool take_byte(mt_bytes *line, uint8_t c)
{
    if (line->len == 0 || line->ptr[0] != c) {
        return false;
    }
    line->ptr++;
    line->len--;
    return true;
}

/* proc(5): start-end perms offset major:minor inode path */
static MT_ERR parse_mapping(mt_bytes line, struct mapping *out)
{
    uint64_t skip = 0;
    uint64_t major_number = 0;
    uint64_t minor_number = 0;
    struct mapping m = {.inode = 0};
    bool ok = take_hex(&line, &skip) && take_byte(&line, '-') && take_hex(&line, &skip) &&
              take_byte(&line, ' ') && line.len > 5;
    MT_REQUIRE(ok, MT_E_FORMAT, "/proc/self/maps is not what proc(5) says");
    m.is_executable = line.ptr[2] == 'x';
    line = (mt_bytes){line.ptr + 5, line.len - 5};
    ok = take_hex(&line, &skip) && take_byte(&line, ' ') && take_hex(&line, &major_number) &&
         take_byte(&line, ':') && take_hex(&line, &minor_number) && take_byte(&line, ' ');
    while (ok && line.len > 0 && line.ptr[0] >= '0' && line.ptr[0] <= '9') {
        m.inode = m.inode * 10 + (uint64_t)(line.ptr[0] - '0');
        line.ptr++;
        line.len--;
    }
    while (take_byte(&line, ' ')) {
    }
    MT_REQUIRE(ok, MT_E_FORMAT, "/proc/self/maps is not what proc(5) says");
    m.device = makedev((unsigned)major_number, (unsigned)minor_number);
    m.path = line;
    *out = m;
    return MT_OK;
}

static MT_ERR give_file(const struct mapping *m,
                        mt_err (*each)(void *state, mt_bytes path, mt_bytes content), void *state)
{
    char path[4096];
    struct stat st;
    MT_REQUIRE(m->path.len > 0 && m->path.ptr[0] == '/' && m->path.len < sizeof path, MT_E_PROOF,
               "executable memory has no file behind it");
    memcpy(path, m->path.ptr, m->path.len);
    path[m->path.len] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    MT_REQUIRE(fd >= 0, MT_E_PROOF,
               "a mapped program or library cannot be read: deleted or replaced since the start?");
    void *map = MAP_FAILED;
    if (fstat(fd, &st) == 0 && st.st_size > 0 && (uint64_t)st.st_ino == m->inode &&
        (uint64_t)st.st_dev == m->device) {
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    (void)close(fd);
    MT_REQUIRE(map != MAP_FAILED, MT_E_PROOF,
               "a mapped program or library was replaced since the start");
    mt_err e = each(state, m->path, (mt_bytes){map, (size_t)st.st_size});
    (void)munmap(map, (size_t)st.st_size);
    return e;
}

static bool is_kernels_own(mt_bytes path)
{
    return mt_bytes_equal(path, MT_LITERAL("[vdso]")) ||
           mt_bytes_equal(path, MT_LITERAL("[vsyscall]"));
}

struct seen {
    uint64_t devices[FILES_MAX];
    uint64_t inodes[FILES_MAX];
    size_t count;
};

static MT_ERR is_new(struct seen *s, const struct mapping *m, bool *out)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->devices[i] == m->device && s->inodes[i] == m->inode) {
            *out = false;
            return MT_OK;
        }
    }
    MT_REQUIRE(s->count < FILES_MAX, MT_E_LIMIT, "too many programs and libraries are mapped");
    s->devices[s->count] = m->device;
    s->inodes[s->count++] = m->inode;
    *out = true;
    return MT_OK;
}

MT_ERR mt_process_executables(mt_err (*each)(void *state, mt_bytes path, mt_bytes content),
                              void *state)
{
    MT_DEFER(mt_buf_free) struct mt_buf maps = mt_buf_of_max(MAPS_BYTES_MAX);
    struct seen seen = {.count = 0};
    MT_TRY(read_proc("/proc/self/maps", MAPS_BYTES_MAX, &maps));
    mt_bytes text = mt_buf_bytes(&maps);
    while (text.len > 0) {
        size_t len = 0;
        struct mapping m;
        bool is_first = false;
        while (len < text.len && text.ptr[len] != '\n') {
            len++;
        }
        MT_TRY(parse_mapping((mt_bytes){text.ptr, len}, &m));
        if (m.is_executable && !is_kernels_own(m.path)) {
            MT_TRY(is_new(&seen, &m, &is_first));
            if (is_first || m.inode == 0) {
                MT_TRY(give_file(&m, each, state));
            }
        }
        size_t eaten = len < text.len ? len + 1 : len;
        text = (mt_bytes){text.ptr + eaten, text.len - eaten};
    }
    return MT_OK;
}

static void put_fact(struct mt_writer *w, const char *name, mt_bytes value)
{
    mt_write_bytes(w, mt_bytes_of_text(name));
    mt_write_u8(w, '=');
    for (size_t i = 0; i < value.len && value.ptr[i] != '\n'; i++) {
        mt_write_u8(w, value.ptr[i] >= 0x20 && value.ptr[i] < 0x7f ? value.ptr[i] : (uint8_t)'?');
    }
    mt_write_u8(w, '\n');
}

/* Absent on this kernel: an empty fact, which is a fact too. */
static void put_file_fact(struct mt_writer *w, const char *name, const char *path)
{
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(FACT_BYTES_MAX);
    if (mt_failed(read_proc(path, FACT_BYTES_MAX, &text))) {
        put_fact(w, name, (mt_bytes){NULL, 0});
        return;
    }
    put_fact(w, name, mt_buf_bytes(&text));
}

static void put_cmdline(struct mt_writer *w)
{
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(FACT_BYTES_MAX);
    mt_hash h = {{0}};
    if (!mt_failed(read_proc("/proc/cmdline", FACT_BYTES_MAX, &text))) {
        const mt_bytes part = mt_buf_bytes(&text);
        mt_sha256(&part, 1, &h);
    }
    mt_write_bytes(w, MT_LITERAL("cmdline-sha256="));
    mt_hex_write(w, mt_hash_bytes(&h));
    mt_write_u8(w, '\n');
}

MT_ERR mt_process_kernel_facts(struct mt_buf *out)
{
    enum { LANDLOCK_VERSION = 1 };
    struct utsname u;
    mt_bytes all;
    struct mt_writer w = mt_writer_onto(out);
    MT_REQUIRE(uname(&u) == 0, MT_E_IO, "the kernel does not say its name");
    put_fact(&w, "release", mt_bytes_of_text(u.release));
    put_cmdline(&w);
    put_file_fact(&w, "lockdown", "/sys/kernel/security/lockdown");
    put_file_fact(&w, "ptrace_scope", "/proc/sys/kernel/yama/ptrace_scope");
    put_file_fact(&w, "tainted", "/proc/sys/kernel/tainted");
    long landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
    mt_write_bytes(&w, MT_LITERAL("landlock="));
    mt_write_number(&w, landlock > 0 ? (uint64_t)landlock : 0);
    mt_write_u8(&w, '\n');
    int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    mt_write_bytes(&w, MT_LITERAL("dumpable="));
    if (dumpable >= 0) { /* else there is no such call */
        mt_write_number(&w, (uint64_t)dumpable);
    }
    mt_write_u8(&w, '\n');
    return mt_write_end(&w, &all);
}
