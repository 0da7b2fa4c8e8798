/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/limits.h"
#include "crypto/context.h"
#include "unit/runner.h"

#define OK(call_) MT_ASSERT(!mt_failed(call_))

/* Linked with --wrap: the system says no to the n-th question about the slab, once; 0: to none. */
int __real_mlock(const void *addr, size_t len);
int __real_madvise(void *addr, size_t len, int advice);
int __real_mprotect(void *addr, size_t len, int prot);
int __wrap_mlock(const void *addr, size_t len);
int __wrap_madvise(void *addr, size_t len, int advice);
int __wrap_mprotect(void *addr, size_t len, int prot);
static size_t refuse_in;
static int refuse_with = EPERM;
static size_t asked;

static bool is_refused(void)
{
    asked++;
    errno = refuse_with;
    return refuse_in > 0 && --refuse_in == 0;
}

int __wrap_mlock(const void *addr, size_t len)
{
    return is_refused() ? -1 : __real_mlock(addr, len);
}

int __wrap_madvise(void *addr, size_t len, int advice)
{
    return is_refused() ? -1 : __real_madvise(addr, len, advice);
}

int __wrap_mprotect(void *addr, size_t len, int prot)
{
    return is_refused() ? -1 : __real_mprotect(addr, len, prot);
}

static mt_err sevens(void *state, mt_span out)
{
    (void)state;
    memset(out.ptr, 7, out.len);
    return MT_OK;
}

/* The slab: so much secrets at once that none is left out. */
static mt_span slab;

static void find_slab(void)
{
    enum { SLOT = 64, SLOTS = MT_SECRET_SLAB_BYTES / SLOT };
    static struct mt_secret *all[SLOTS];
    for (size_t i = 0; i < SLOTS; i++) {
        OK(mt_secret_new(SLOT, &all[i]));
        uint8_t *at = mt_secret_span(all[i]).ptr;
        slab.ptr = slab.ptr == NULL || at < slab.ptr ? at : slab.ptr;
    }
    slab.len = MT_SECRET_SLAB_BYTES;
    for (size_t i = 0; i < SLOTS; i++) {
        mt_secret_free(&all[i]);
    }
}

/* Reads a byte in a process of its own; the signal that ended it, 0 if none, and what was there. */
static int look(const volatile uint8_t *at, int *value)
{
    int status = 0;
    pid_t child = fork();
    MT_ASSERT(child >= 0);
    if (child == 0) {
        const struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGSEGV, SIG_DFL);
        _exit(*at);
    }
    MT_ASSERT(waitpid(child, &status, 0) == child);
    *value = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void a_guard_page_stands_on_each_side_of_the_slab(void)
{
    int value = 0;
    MT_ASSERT(look(slab.ptr, &value) == 0);
    MT_ASSERT(look(slab.ptr + slab.len - 1, &value) == 0);
    MT_ASSERT(look(slab.ptr - 1, &value) == SIGSEGV);
    MT_ASSERT(look(slab.ptr + slab.len, &value) == SIGSEGV);
}

static void a_forked_child_finds_zeros_where_its_parent_has_a_secret(void)
{
    struct mt_secret *s = NULL;
    int value = -1;
    OK(mt_secret_copy(MT_LITERAL("key"), &s));
    MT_ASSERT(look(mt_secret_bytes(s).ptr, &value) == 0 && value == 0);
    MT_ASSERT(mt_secret_bytes(s).ptr[0] == 'k');
    mt_secret_free(&s);
}

/* What the kernel says of the pages (proc(5), VmFlags): lo locked, dd left out of cores, wf wiped
 * on fork. */
static void the_slab_is_locked_left_out_of_cores_and_wiped_on_fork(void)
{
    char line[512];
    char head[32];
    bool is_in = false;
    bool has_flags = false;
    FILE *f = fopen("/proc/self/smaps", "r");
    MT_ASSERT(f != NULL);
    (void)snprintf(head, sizeof head, "%lx-", (unsigned long)(uintptr_t)slab.ptr);
    while (!has_flags && fgets(line, sizeof line, f) != NULL) {
        is_in = is_in || strncmp(line, head, strlen(head)) == 0;
        has_flags = is_in && strncmp(line, "VmFlags:", 8) == 0;
    }
    (void)fclose(f);
    MT_ASSERT(has_flags);
    MT_ASSERT(strstr(line, " lo") != NULL);
    MT_ASSERT(strstr(line, " dd") != NULL);
    MT_ASSERT(strstr(line, " wf") != NULL);
}

static void a_secret_is_copied_or_random_and_of_1_to_256_bytes(void)
{
    struct mt_secret *s = NULL;
    static const uint8_t long_one[MT_SECRET_BYTES_MAX + 1];
    OK(mt_secret_random(MT_SECRET_BYTES_MAX, &s));
    MT_ASSERT(mt_secret_bytes(s).len == MT_SECRET_BYTES_MAX && mt_secret_bytes(s).ptr[255] == 7);
    mt_secret_free(&s);
    MT_ASSERT(s == NULL);
    mt_secret_free(&s);
    MT_ASSERT(mt_failed(mt_secret_copy(MT_BYTES_OF(long_one), &s)) && s == NULL);
    MT_ASSERT(mt_failed(mt_secret_copy((mt_bytes){long_one, 0}, &s)) && s == NULL);
}

/* Run last, when no slab is there. */
static void memory_that_cannot_be_locked_or_guarded_is_no_home_for_secrets(void)
{
    enum { QUESTIONS = 4 }; /* may it be written, locked, left out of cores, wiped on fork */
    mt_crypto_done();
    for (size_t n = 1; n <= QUESTIONS; n++) {
        refuse_in = n;
        mt_err e = mt_crypto_init(sevens, NULL);
        MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_LIMIT && refuse_in == 0);
    }
    asked = 0;
    OK(mt_crypto_init(sevens, NULL));
    MT_ASSERT(asked == QUESTIONS);
}

/* Gramine has mlock(2) and mprotect(2), and of madvise(2) only what the slab does not ask for. */
static void a_kernel_without_cores_and_children_need_not_know_of_them(void)
{
    enum { WRITTEN = 1, LOCKED, LEFT_OUT, WIPED };
    mt_crypto_done();
    refuse_with = ENOSYS;
    for (size_t n = WRITTEN; n <= WIPED; n++) {
        refuse_in = n;
        mt_err e = mt_crypto_init(sevens, NULL);
        MT_ASSERT(mt_failed(e) == (n < LEFT_OUT) && refuse_in == 0);
        if (!mt_failed(e)) {
            mt_crypto_done();
        }
    }
    OK(mt_crypto_init(sevens, NULL));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_guard_page_stands_on_each_side_of_the_slab),
        MT_TEST(a_forked_child_finds_zeros_where_its_parent_has_a_secret),
        MT_TEST(the_slab_is_locked_left_out_of_cores_and_wiped_on_fork),
        MT_TEST(a_secret_is_copied_or_random_and_of_1_to_256_bytes),
        MT_TEST(memory_that_cannot_be_locked_or_guarded_is_no_home_for_secrets),
        MT_TEST(a_kernel_without_cores_and_children_need_not_know_of_them),
    };
    OK(mt_crypto_init(sevens, NULL));
    find_slab();
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
