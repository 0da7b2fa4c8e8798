/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

static MT_ERR set_limit(int what, rlim_t soft, rlim_t hard)
{
    const struct rlimit r = {soft, hard};
    MT_REQUIRE(setrlimit((__rlimit_resource_t)what, &r) == 0, MT_E_LIMIT,
               "a resource limit cannot be set");
    return MT_OK;
}

/* No Linux is without prctl(2). Gramine is, and what is forbidden here it does not know: its
 * processes are never dumped or traced, and gain no rights. */
static bool forbid(int what, unsigned long value)
{
    return prctl(what, value, 0UL, 0UL, 0UL) == 0 || errno == ENOSYS;
}

MT_ERR mt_process_harden(void)
{
    struct rlimit files;
    MT_TRY(set_limit(RLIMIT_CORE, 0, 0));
    MT_REQUIRE(forbid(PR_SET_DUMPABLE, 0), MT_E_LIMIT, "core dumps cannot be forbidden");
    MT_REQUIRE(forbid(PR_SET_NO_NEW_PRIVS, 1), MT_E_LIMIT, "new privileges cannot be forbidden");
    (void)umask(077);
    MT_REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0, MT_E_LIMIT,
               "the limit of descriptors cannot be read");
    MT_TRY(set_limit(RLIMIT_NOFILE, files.rlim_max, files.rlim_max));
    MT_REQUIRE(signal(SIGPIPE, SIG_IGN) != SIG_ERR, MT_E_INTERNAL, "SIGPIPE cannot be ignored");
    return MT_OK;
}

static MT_ERR give_dir(const char *path, const struct passwd *user)
{
    if (mkdir(path, 0700) != 0) {
        MT_REQUIRE(errno == EEXIST, MT_E_IO, "the state directory cannot be made");
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    MT_REQUIRE(fd >= 0, MT_E_IO, "the state directory cannot be opened");
    bool ok = fchown(fd, user->pw_uid, user->pw_gid) == 0 && fchmod(fd, 0700) == 0;
    (void)close(fd);
    MT_REQUIRE(ok, MT_E_IO, "the state directory cannot be given to the user");
    return MT_OK;
}

MT_ERR mt_process_drop(const char *name, const char *state_dir)
{
    if (geteuid() != 0) {
        if (mkdir(state_dir, 0700) != 0) {
            MT_REQUIRE(errno == EEXIST, MT_E_IO, "the state directory cannot be made");
        }
        return MT_OK;
    }
    char room[4096];
    struct passwd record;
    struct passwd *user = NULL;
    int why = getpwnam_r(name, &record, room, sizeof room, &user);
    MT_REQUIRE(why == 0 && user != NULL && user->pw_uid != 0, MT_E_NOTFOUND,
               "there is no such unprivileged user to become: see the setting user");
    MT_TRY(give_dir(state_dir, user));
    bool ok = setgroups(0, NULL) == 0 && setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
              setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0;
    MT_REQUIRE(ok, MT_E_INTERNAL, "root cannot be given up");
    MT_REQUIRE(setuid(0) != 0 && setgid(0) != 0 && geteuid() != 0, MT_E_INTERNAL,
               "root can be taken back");
    /* The kernel makes a process that changed its user undumpable or not by its own rules: say it
     * again. */
    MT_REQUIRE(forbid(PR_SET_DUMPABLE, 0), MT_E_LIMIT, "core dumps cannot be forbidden");
    return MT_OK;
}

/* A pipe to ourselves: Gramine has no signalfd(2). */
static int signals[2] = {-1, -1};

static void on_signal(int number)
{
    static const uint8_t one = 1;
    int before = errno;
    ssize_t n = write(signals[1], &one, sizeof one);
    (void)number;
    (void)n; /* a full pipe tells as well */
    errno = before;
}

/* Threads of a pool have all signals blocked: the handler runs in the loop's, and the calls that it
 * interrupts there are taken up again. */
MT_ERR mt_process_signal_fd(int *fd)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigset_t set;
    (void)sigfillset(&act.sa_mask);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    MT_ASSERT(signals[0] < 0);
    MT_REQUIRE(pipe2(signals, O_CLOEXEC | O_NONBLOCK) == 0, MT_E_LIMIT,
               "the kernel gives us no pipe for signals");
    bool ok = sigaction(SIGTERM, &act, NULL) == 0 && sigaction(SIGINT, &act, NULL) == 0 &&
              pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0;
    MT_REQUIRE(ok, MT_E_INTERNAL, "signals cannot be handled");
    *fd = signals[0];
    return MT_OK;
}

mt_err mt_process_entropy(void *state, mt_span out)
{
    size_t done = 0;
    (void)state;
    while (done < out.len) {
        ssize_t n = getrandom(out.ptr + done, out.len - done, 0);
        MT_REQUIRE(n > 0 || errno == EINTR, MT_E_IO, "the kernel gives us no random bytes");
        done += n > 0 ? (size_t)n : 0;
    }
    return MT_OK;
}

MT_ERR mt_process_read_file(const char *path, size_t max, struct mt_buf *out)
{
    enum { PIECE = 4096 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    MT_REQUIRE(fd >= 0 || errno != ENOENT, MT_E_NOTFOUND,
               "a file that the configuration names is not there");
    MT_REQUIRE(fd >= 0, MT_E_IO, "a file that the configuration names cannot be opened");
    *out = mt_buf_of_max(max);
    ssize_t n = 1;
    mt_err e = MT_OK;
    while (n > 0 && !mt_failed(e) && out->len < max) {
        mt_span room;
        size_t left = max - out->len;
        e = mt_buf_reserve(out, left < PIECE ? left : PIECE, &room);
        n = mt_failed(e) ? 0 : read(fd, room.ptr, room.len < left ? room.len : left);
        out->len += n > 0 ? (size_t)n : 0;
    }
    uint8_t beyond = 0;
    bool is_full = n > 0 && !mt_failed(e);
    n = is_full ? read(fd, &beyond, sizeof beyond) : n;
    (void)close(fd);
    MT_TRY(e);
    MT_REQUIRE(n <= 0, MT_E_LIMIT, "a file that the configuration names is too long");
    MT_REQUIRE(n == 0, MT_E_IO, "a file that the configuration names cannot be read");
    return MT_OK;
}

MT_ERR mt_process_open_file(const char *path, int *fd)
{
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    MT_REQUIRE(opened >= 0, MT_E_IO, "a file that was named cannot be opened");
    *fd = opened;
    return MT_OK;
}

MT_ERR mt_process_each_piece(int fd, mt_err (*each)(void *state, mt_bytes piece), void *state)
{
    static uint8_t piece[64 * 1024]; /* main's thread alone comes here */
    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n == 0) {
            return MT_OK;
        }
        MT_REQUIRE(n > 0 || errno == EINTR, MT_E_IO, "a file that was named cannot be read");
        if (n > 0) {
            MT_TRY(each(state, (mt_bytes){piece, (size_t)n}));
        }
    }
}

MT_ERR mt_process_put_file(const char *path, mt_bytes content)
{
    MT_REQUIRE(unlink(path) == 0 || errno == ENOENT, MT_E_IO, "an old file cannot be removed");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    MT_REQUIRE(fd >= 0, MT_E_IO, "a file cannot be made");
    ssize_t n = write(fd, content.ptr, content.len);
    bool ok = close(fd) == 0 && n == (ssize_t)content.len;
    MT_REQUIRE(ok, MT_E_IO, "a file cannot be written");
    return MT_OK;
}

void mt_process_say(bool is_error, mt_bytes text)
{
    ssize_t n = write(is_error ? STDERR_FILENO : STDOUT_FILENO, text.ptr, text.len);
    (void)n; /* nobody is left to tell */
}

uint64_t mt_process_ticks_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t mt_process_host_time_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

_Noreturn void mt_process_end(int status)
{
    _exit(status);
}

MT_ERR mt_process_resident_bytes(uint64_t *out)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    MT_REQUIRE(fd >= 0, MT_E_IO, "/proc is not there");
    ssize_t n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    MT_REQUIRE(n > 0, MT_E_IO, "/proc/self/statm cannot be read");
    text[n] = '\0';
    const char *second = strchr(text, ' ');
    uint64_t pages = 0;
    for (second = second == NULL ? "" : second + 1; *second >= '0' && *second <= '9'; second++) {
        pages = pages * 10 + (uint64_t)(*second - '0');
    }
    *out = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return MT_OK;
}
