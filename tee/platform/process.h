/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_PROCESS_H
#define MT_PLATFORM_PROCESS_H

#include "base/bytes.h"

/* What a node does to itself before it reads a byte from outside. */

/* No core dumps (RLIMIT_CORE 0, PR_SET_DUMPABLE 0), no new privileges, umask 077, RLIMIT_NOFILE to
 * its hard limit, SIGPIPE ignored. Where there is no prctl(2), in Gramine, there is nothing
 * that it would forbid. */
MT_ERR mt_process_harden(void);

/* If we are root: give `state_dir` (made if absent, 0700) to the user, then become it for good
 * (groups, gid, uid), and check that there is no way back. A no-op for any other user.
 * MT_E_NOTFOUND if there is no such user. */
MT_ERR mt_process_drop(const char *user, const char *state_dir);

/* SIGTERM and SIGINT, as a descriptor for the loop, though whoever started us ignored or blocked
 * them. To be called once, by the loop's thread. */
MT_ERR mt_process_signal_fd(int *fd);

/* getrandom(2), in the shape that mt_crypto_init() takes; state is not used. */
mt_err mt_process_entropy(void *state, mt_span out);

/* Kernel facts that belong into the measurement: "release=6.1.0-28-amd64", "cmdline-sha256=...",
 * "lockdown=...", "ptrace_scope=1", "landlock=2" and so on, one line each. */
MT_ERR mt_process_kernel_facts(struct mt_buf *out);

/* Each distinct file that is mapped executable into this process (program, loader, libraries,
 * anything preloaded), in order of address: `each` gets the path as the kernel gives it and the
 * content. A mapped file that cannot be read, was deleted or replaced since (device and inode
 * differ), or an executable mapping without a file (other than the kernel's vdso and vsyscall) is
 * MT_E_PROOF. */
MT_ERR mt_process_executables(mt_err (*each)(void *state, mt_bytes path, mt_bytes content),
                              void *state);

/* A whole file; MT_E_NOTFOUND, MT_E_IO, MT_E_LIMIT beyond the maximum. `path` may lie anywhere: the
 * operator named it. */
MT_ERR mt_process_read_file(const char *path, size_t max, struct mt_buf *out);
/* A file that was opened while we still might, to be read once from its start. */
MT_ERR mt_process_open_file(const char *path, int *fd);
MT_ERR mt_process_each_piece(int fd, mt_err (*each)(void *state, mt_bytes piece), void *state);
/* A new file of mode 0600; an old one of this name is removed first. */
MT_ERR mt_process_put_file(const char *path, mt_bytes content);
/* For people, on standard output or error. */
void mt_process_say(bool is_error, mt_bytes text);

/* Ends the process at once: other threads may be in the middle of anything. */
_Noreturn void mt_process_end(int status);

/* Time that only goes on, of whatever thread asks. */
uint64_t mt_process_ticks_ms(void);
/* What the host claims the time is, before there is a loop. */
uint64_t mt_process_host_time_ms(void);

/* Resident bytes now. */
MT_ERR mt_process_resident_bytes(uint64_t *out);

#endif
