/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/input.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot/boot.h"
#include "platform/log.h"

enum {
    MODULES_MAX = 100,
    BUTTONS_MAX = 8,
    FILES_MAX = 65536,
    PATH_BYTES = 64,
    OPERATOR_BYTES = 256
};

#define SECURITY "/sys/kernel/security"
#define CONFIGFS "/sys/kernel/config"

struct place {
    const char *kind;
    const char *path;
    unsigned long flags;
};

static const struct place first[] = {
    {"proc", "/proc", MS_NODEV | MS_NOSUID | MS_NOEXEC},
    {"sysfs", "/sys", MS_NODEV | MS_NOSUID | MS_NOEXEC},
    {"devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC},
    {"securityfs", SECURITY, MS_NODEV | MS_NOSUID | MS_NOEXEC},
};
/* Its kernel module comes first. */
static const struct place after_modules[] = {
    {"configfs", CONFIGFS, MS_NODEV | MS_NOSUID | MS_NOEXEC},
};

/* What of the machine the node may use; what a machine lacks is not there. */
static const char *const given[] = {"/dev/tpmrm0", "/dev/sev-guest",
                                    SECURITY "/tpm0/binary_bios_measurements",
                                    CONFIGFS "/tsm/report"};

/* No module, no debugger and no key from the console any more. */
static const struct {
    const char *path;
    char value;
} locks[] = {
    {"/proc/sys/kernel/modules_disabled", '1'},
    {"/proc/sys/kernel/yama/ptrace_scope", '3'},
    {"/proc/sys/kernel/sysrq", '0'},
};

static MT_ERR mount_all(const struct place *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct place *p = &places[i];
        MT_REQUIRE(mount(p->kind, p->path, p->kind, p->flags, NULL) == 0, MT_E_IO,
                   "a file system of the kernel cannot be mounted");
    }
    return MT_OK;
}

/* /lib/modules/00.ko and so on, in the order of host/image/modules.txt; one for hardware that is
 * not here says ENODEV. */
static MT_ERR load_modules(void)
{
    for (unsigned i = 0; i < MODULES_MAX; i++) {
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof path, "/lib/modules/%02u.ko", i);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return MT_OK;
        }
        bool ok = syscall(SYS_finit_module, fd, "", 0) == 0 || errno == ENODEV;
        (void)close(fd);
        MT_REQUIRE(ok, MT_E_IO, "a kernel module cannot be loaded");
    }
    return MT_OK;
}

static MT_ERR lock(void)
{
    for (size_t i = 0; i < sizeof locks / sizeof *locks; i++) {
        int fd = open(locks[i].path, O_WRONLY | O_CLOEXEC);
        MT_REQUIRE(fd >= 0, MT_E_IO, "a setting of the kernel is not there");
        ssize_t n = write(fd, &locks[i].value, 1);
        (void)close(fd);
        MT_REQUIRE(n == 1, MT_E_IO, "a setting of the kernel cannot be made");
    }
    return MT_OK;
}

static MT_ERR give_devices(void)
{
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        MT_REQUIRE(chown(given[i], MT_BOOT_USER, MT_BOOT_USER) == 0 || errno == ENOENT, MT_E_IO,
                   "a device cannot be given to the node");
    }
    return MT_OK;
}

static MT_ERR read_command_line(char *out, size_t room)
{
    int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    MT_REQUIRE(fd >= 0, MT_E_IO, "the command line cannot be read");
    ssize_t n = read(fd, out, room - 1);
    (void)close(fd);
    MT_REQUIRE(n >= 0, MT_E_IO, "the command line cannot be read");
    out[n] = '\0';
    return MT_OK;
}

/* `operator_key` stays as it is where the command line names none. */
static MT_ERR prepare(char operator_key[OPERATOR_BYTES])
{
    char line[MT_BOOT_LINE_MAX];
    MT_TRY(mount_all(first, sizeof first / sizeof *first));
    MT_TRY(load_modules());
    MT_TRY(mount_all(after_modules, sizeof after_modules / sizeof *after_modules));
    MT_TRY(lock());
    MT_TRY(read_command_line(line, sizeof line));
    MT_TRY(mt_boot_network(line));
    (void)mt_boot_word(line, "mesatee.operator", operator_key, OPERATOR_BYTES);
    MT_TRY(give_devices());
    MT_TRY(mt_boot_mount_data());
    /* The kernel lets everybody write at the top of it. */
    MT_REQUIRE(mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0, MT_E_IO,
               "the initramfs stays writable");
    return MT_OK;
}

/* In the child: whatever fails here ends it, and the machine with it. Whose word lets another image
 * in is measured, so it comes from the command line, never from the disk. */
static _Noreturn void become_node(const sigset_t *signals, char operator_key[OPERATOR_BYTES])
{
    char *argv[] = {(char[]){"mesateed"},
                    (char[]){"--config"},
                    (char[]){MT_BOOT_DATA "/mesateed.conf"},
                    operator_key[0] == '\0' ? NULL : (char[]){"--operator"},
                    operator_key,
                    NULL};
    char *no_environment[] = {NULL};
    const struct rlimit files = {FILES_MAX, FILES_MAX};
    if (setrlimit(RLIMIT_NOFILE, &files) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
        setgroups(0, NULL) == 0 && setresgid(MT_BOOT_USER, MT_BOOT_USER, MT_BOOT_USER) == 0 &&
        setresuid(MT_BOOT_USER, MT_BOOT_USER, MT_BOOT_USER) == 0 &&
        pthread_sigmask(SIG_UNBLOCK, signals, NULL) == 0) {
        (void)execve("/sbin/mesateed", argv, no_environment);
    }
    _exit(EXIT_FAILURE);
}

/* The power button is a key of an input device. */
static size_t open_buttons(struct pollfd *out)
{
    size_t count = 0;
    for (unsigned i = 0; i < BUTTONS_MAX; i++) {
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof path, "/dev/input/event%u", i);
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0) {
            out[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
        }
    }
    return count;
}

static bool is_pressed(int fd)
{
    struct input_event e;
    bool is_power = false;
    while (read(fd, &e, sizeof e) == (ssize_t)sizeof e) {
        is_power |= e.type == EV_KEY && e.code == KEY_POWER && e.value == 1;
    }
    return is_power;
}

/* Whether the node is gone; any other child would be one that it left behind. */
static bool is_gone(pid_t node, int *status)
{
    pid_t pid = 0;
    int s = 0;
    while ((pid = waitpid(-1, &s, WNOHANG)) > 0) {
        if (pid == node) {
            *status = s;
            return true;
        }
    }
    return false;
}

/* Until the node ends; the power button and a signal to us end it. */
static void attend(pid_t node, int signals, int *status)
{
    struct pollfd fds[1 + BUTTONS_MAX] = {{.fd = signals, .events = POLLIN}};
    size_t count = 1 + open_buttons(fds + 1);
    while (!is_gone(node, status)) {
        struct signalfd_siginfo s;
        bool is_end = false;
        (void)poll(fds, count, -1);
        while (read(signals, &s, sizeof s) == (ssize_t)sizeof s) {
            is_end |= s.ssi_signo != SIGCHLD;
        }
        for (size_t i = 1; i < count; i++) {
            is_end |= is_pressed(fds[i].fd);
        }
        if (is_end) {
            (void)kill(node, SIGTERM);
        }
    }
}

static MT_ERR run(void)
{
    sigset_t signals;
    char operator_key[OPERATOR_BYTES] = "";
    int status = 0;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGCHLD);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT); /* of the keys that would restart the machine */
    MT_REQUIRE(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0, MT_E_INTERNAL, "signals pass");
    MT_REQUIRE(reboot(RB_DISABLE_CAD) == 0, MT_E_INTERNAL, "the machine can be restarted by keys");
    int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    MT_REQUIRE(fd >= 0, MT_E_LIMIT, "signals cannot be awaited");
    MT_TRY(prepare(operator_key));
    pid_t node = fork();
    MT_REQUIRE(node >= 0, MT_E_LIMIT, "the node cannot be started");
    if (node == 0) {
        become_node(&signals, operator_key);
    }
    attend(node, fd, &status);
    MT_REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0, MT_E_CLOSED,
               "the node ended with a failure");
    return MT_OK;
}

int main(void)
{
    if (getpid() != 1) {
        return EXIT_FAILURE; /* it would switch off the machine of whoever tries it */
    }
    mt_err e = run();
    if (mt_failed(e)) {
        mt_log_fault("boot-ended", e);
    }
    sync();
    (void)umount(MT_BOOT_DATA);
    (void)reboot(RB_POWER_OFF);
    return EXIT_FAILURE;
}
