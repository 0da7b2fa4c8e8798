/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_TPM_WORLD_TEST_H
#define MT_PLATFORM_TPM_WORLD_TEST_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/limits.h"
#include "crypto/context.h"
#include "platform/process.h"
#include "platform/tpm.h"
#include "unit/runner.h"

/* A TPM in software, started by the test in a directory of its own, over a socket that only it
 * knows; and the tools of others, that agree with what we make of it. */
static char folder[64];
static pid_t swtpm;
static struct mt_device *device;

static void OK(mt_err e)
{
    if (mt_failed(e)) {
        (void)printf("# %s:%d: %s\n", e.fault->file, e.fault->line, e.fault->what);
        (void)fflush(stdout);
    }
    MT_ASSERT(!mt_failed(e));
}

static void fails(mt_err e, enum mt_code code)
{
    if (mt_failed(e) && e.fault->code != code) {
        (void)printf("# %s:%d: %s\n", e.fault->file, e.fault->line, e.fault->what);
        (void)fflush(stdout);
    }
    MT_ASSERT(mt_failed(e));
    MT_ASSERT(e.fault->code == code);
}

/* Runs in the folder; what it says goes to the file `said` there. */
static pid_t start(const char *const argv[])
{
    (void)fflush(stdout);
    pid_t pid = fork();
    MT_ASSERT(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* no test leaves one behind */
        int fd = chdir(folder) == 0 ? open("said", O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
        if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0) {
            (void)execvp(argv[0], (char *const *)(const void *)argv);
        }
        _exit(127);
    }
    return pid;
}

static int run(const char *const argv[])
{
    int status = 0;
    pid_t pid = start(argv);
    MT_ASSERT(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(...) MT_ASSERT(run((const char *const[]){__VA_ARGS__, NULL}) == 0)
#define TCTI     "swtpm:path=tpm"

static void open_device(void)
{
    char where[128];
    (void)snprintf(where, sizeof where, "swtpm:path=%s/tpm", folder);
    mt_err e = mt_tpm_open(where, &device);
    for (int i = 0; i < 1000 && mt_failed(e); i++) {
        (void)usleep(10 * 1000); /* it has not begun to listen */
        e = mt_tpm_open(where, &device);
    }
    OK(e);
}

/* The software takes one connection at a time. */
#define WITHOUT_DEVICE(...)                                                                        \
    do {                                                                                           \
        mt_device_close(&device);                                                                  \
        RUN(__VA_ARGS__);                                                                          \
        open_device();                                                                             \
    } while (0)

static void switch_on(void)
{
    static const char *const argv[] = {"swtpm",
                                       "socket",
                                       "--tpm2",
                                       "--tpmstate",
                                       "dir=.",
                                       "--server",
                                       "type=unixio,path=tpm",
                                       "--ctrl",
                                       "type=unixio,path=tpm.ctrl",
                                       "--flags",
                                       "not-need-init,startup-clear",
                                       NULL};
    swtpm = start(argv);
}

static void power_on(void)
{
    switch_on();
    open_device();
}

static void power_off(void)
{
    int status = 0;
    mt_device_close(&device);
    MT_ASSERT(kill(swtpm, SIGTERM) == 0);
    MT_ASSERT(waitpid(swtpm, &status, 0) == swtpm);
}

static void begin(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/mesatee-tpm-XXXXXX");
    MT_ASSERT(mkdtemp(folder) != NULL);
    OK(mt_crypto_init(mt_process_entropy, NULL));
    power_on();
}

static void end(void)
{
    power_off();
    mt_crypto_done();
    MT_ASSERT(run((const char *const[]){"rm", "-r", folder, NULL}) == 0);
}

static inline void put(const char *name, mt_bytes content)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    OK(mt_process_put_file(path, content));
}

static inline bool has_program(const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/usr/bin/%s", name);
    return access(path, X_OK) == 0;
}

#endif
