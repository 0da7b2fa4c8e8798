/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "platform/loop.h"
#include "platform/net.h"
#include "platform/posix/fs.h"
#include "platform/process.h"
#include "unit/runner.h"

static char dir[] = "/tmp/mesatee-platform-XXXXXX";

static void a_file_keeps_what_was_written_and_says_what_is_missing(void)
{
    struct mt_fs *fs = NULL;
    struct mt_file *f = NULL;
    uint8_t out[8] = {0};
    size_t got = 0;
    uint64_t size = 0;
    MT_ASSERT(!mt_failed(mt_fs_open_posix(dir, &fs)));
    mt_err e = mt_fs_open(fs, "none", MT_FS_READ, &f);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_NOTFOUND);
    MT_ASSERT(!mt_failed(mt_fs_make_dir(fs, "sub")));
    MT_ASSERT(!mt_failed(mt_fs_make_dir(fs, "sub")));
    MT_ASSERT(!mt_failed(mt_fs_open(fs, "sub/a", MT_FS_CREATE, &f)));
    MT_ASSERT(!mt_failed(mt_file_write_at(f, 2, MT_LITERAL("hello"))));
    MT_ASSERT(!mt_failed(mt_file_sync(f)));
    MT_ASSERT(!mt_failed(mt_file_read_at(f, 0, (mt_span){out, sizeof out}, &got)));
    MT_ASSERT(got == 7 && mt_bytes_equal((mt_bytes){out + 2, 5}, MT_LITERAL("hello")));
    MT_ASSERT(!mt_failed(mt_file_allocate(f, 4096)) && !mt_failed(mt_file_size(f, &size)) &&
              size == 4096);
    mt_file_close(&f);
    e = mt_fs_open(fs, "sub/a", MT_FS_CREATE, &f);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_CONFLICT);
    MT_ASSERT(!mt_failed(mt_fs_rename(fs, "sub/a", "sub/b")) &&
              !mt_failed(mt_fs_sync_dir(fs, "sub")));
    MT_ASSERT(!mt_failed(mt_fs_remove(fs, "sub/b")));
    mt_fs_close(&fs);
}

static void a_file_that_is_too_long_is_not_cut(void)
{
    enum { LEN = 5000 };
    static const uint8_t content[LEN] = {1};
    char path[64];
    struct mt_buf out;
    (void)snprintf(path, sizeof path, "%s/long", dir);
    MT_ASSERT(!mt_failed(mt_process_put_file(path, MT_BYTES_OF(content))));
    MT_ASSERT(!mt_failed(mt_process_read_file(path, LEN, &out)));
    MT_ASSERT(mt_bytes_equal(mt_buf_bytes(&out), MT_BYTES_OF(content)));
    mt_buf_free(&out);
    mt_err e = mt_process_read_file(path, LEN - 1, &out);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_LIMIT);
    mt_buf_free(&out);
    MT_ASSERT(unlink(path) == 0);
}

static void a_directory_has_one_node_and_no_other_readers(void)
{
    struct mt_fs *fs = NULL;
    struct mt_fs *second = NULL;
    MT_ASSERT(!mt_failed(mt_fs_open_posix(dir, &fs)));
    mt_err e = mt_fs_open_posix(dir, &second);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_BUSY);
    mt_fs_close(&fs);
    MT_ASSERT(chmod(dir, 0755) == 0);
    e = mt_fs_open_posix(dir, &fs);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_DENIED);
    MT_ASSERT(chmod(dir, 0700) == 0);
}

enum { USERS = 4, ROUNDS = 200 };

static struct mt_fs *shared;

static mt_err count_name(void *state, const char *name)
{
    size_t *count = state;
    (void)name;
    ++*count;
    return MT_OK;
}

/* As the node's threads do: each writes files of its own, renames, lists and removes, all in one
 * directory of one file system. */
static void *use_shared(void *number)
{
    const char digit = *(const char *)number;
    char name[] = "shared/x-new";
    char kept[] = "shared/x";
    name[7] = digit;
    kept[7] = digit;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct mt_file *f = NULL;
        uint32_t back = 0;
        size_t got = 0;
        size_t names = 0;
        MT_ASSERT(!mt_failed(mt_fs_open(shared, name, MT_FS_CREATE, &f)));
        MT_ASSERT(!mt_failed(mt_file_write_at(f, 0, MT_BYTES_OF(i))));
        mt_file_close(&f);
        MT_ASSERT(!mt_failed(mt_fs_rename(shared, name, kept)));
        MT_ASSERT(!mt_failed(mt_fs_list(shared, "shared", count_name, &names)) && names >= 1);
        mt_err e = mt_fs_open(shared, name, MT_FS_READ, &f);
        MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_NOTFOUND); /* errno is each thread's own */
        MT_ASSERT(!mt_failed(mt_fs_open(shared, kept, MT_FS_READ, &f)));
        MT_ASSERT(
            !mt_failed(mt_file_read_at(f, 0, (mt_span){(uint8_t *)&back, sizeof back}, &got)));
        MT_ASSERT(got == sizeof back && back == i);
        mt_file_close(&f);
        MT_ASSERT(!mt_failed(mt_fs_remove(shared, kept)));
    }
    return NULL;
}

static void many_threads_use_one_file_system(void)
{
    static char numbers[USERS] = {'0', '1', '2', '3'};
    pthread_t users[USERS];
    MT_ASSERT(!mt_failed(mt_fs_open_posix(dir, &shared)));
    MT_ASSERT(!mt_failed(mt_fs_make_dir(shared, "shared")));
    struct mt_file *f = NULL;
    MT_ASSERT(!mt_failed(mt_fs_open(shared, "shared/stays", MT_FS_CREATE, &f)));
    mt_file_close(&f);
    for (size_t i = 0; i < USERS; i++) {
        MT_ASSERT(pthread_create(&users[i], NULL, use_shared, &numbers[i]) == 0);
    }
    for (size_t i = 0; i < USERS; i++) {
        MT_ASSERT(pthread_join(users[i], NULL) == 0);
    }
    MT_ASSERT(!mt_failed(mt_fs_remove(shared, "shared/stays")));
    mt_fs_close(&shared);
}

static struct mt_loop *loop;
static int order[8];
static int order_count;

static void note_timer(struct mt_timer *t)
{
    order[order_count++] = *(const int *)t->state;
    if (order_count == 3) {
        mt_loop_stop(loop);
    }
}

static void timers_come_in_order_and_a_cleared_one_not_at_all(void)
{
    static int ids[] = {1, 2, 3, 4};
    struct mt_timer t[4];
    for (size_t i = 0; i < 4; i++) {
        t[i] = (struct mt_timer){.run = note_timer, .state = &ids[i]};
    }
    order_count = 0;
    MT_ASSERT(!mt_failed(mt_loop_new(&loop)));
    mt_timer_set(loop, &t[2], 120);
    mt_timer_set(loop, &t[0], 1);
    mt_timer_set(loop, &t[1], 60);
    mt_timer_set(loop, &t[3], 30);
    mt_timer_clear(loop, &t[3]);
    MT_ASSERT(!mt_failed(mt_loop_run(loop)));
    MT_ASSERT(order_count == 3 && order[0] == 1 && order[1] == 2 && order[2] == 3);
    mt_loop_free(&loop);
}

struct counted {
    struct mt_work work;
    int value;
};
static int done_count;

static mt_err square(struct mt_work *w)
{
    struct counted *c = w->state;
    c->value *= c->value;
    return MT_OK;
}

static void squared(struct mt_work *w, mt_err e)
{
    MT_ASSERT(!mt_failed(e) && w->state != NULL);
    if (++done_count == 100) {
        mt_loop_stop(loop);
    }
}

static void work_goes_to_threads_and_comes_back_once(void)
{
    static struct counted works[100];
    struct mt_pool *pool = NULL;
    done_count = 0;
    MT_ASSERT(!mt_failed(mt_loop_new(&loop)));
    MT_ASSERT(!mt_failed(mt_pool_new(loop, "test", 3, 100, &pool)));
    for (int i = 0; i < 100; i++) {
        works[i] = (struct counted){.work = {.run = square, .done = squared, .state = &works[i]},
                                    .value = i};
        MT_ASSERT(!mt_failed(mt_pool_submit(pool, &works[i].work)));
    }
    MT_ASSERT(!mt_failed(mt_loop_run(loop)));
    for (int i = 0; i < 100; i++) {
        MT_ASSERT(works[i].value == i * i);
    }
    mt_pool_free(&pool);
    mt_loop_free(&loop);
}

static void a_listener_takes_only_what_is_an_address(void)
{
    int fd = -1;
    uint16_t port = 0;
    const char *const bad[] = {
        "",       "7700",        "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "localhost:1",
        "[::1:1", "127.0.0.1:1x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mt_err e = mt_net_listen(bad[i], &fd);
        MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_ARG);
    }
    MT_ASSERT(!mt_failed(mt_net_listen("127.0.0.1:0", &fd)) && !mt_failed(mt_net_port(fd, &port)) &&
              port != 0);
    mt_net_close(&fd);
}

struct found {
    bool has_program;
    bool has_libc;
};

static mt_err look(void *state, mt_bytes path, mt_bytes content)
{
    struct found *f = state;
    MT_ASSERT(content.len > 4 && mt_bytes_start_with(content, MT_LITERAL("\x7f"
                                                                         "ELF")));
    f->has_program = f->has_program || memmem(path.ptr, path.len, "platform_test", 13) != NULL;
    f->has_libc = f->has_libc || memmem(path.ptr, path.len, "libc.so", 7) != NULL;
    return MT_OK;
}

static void who_is_there_is_reached_and_who_is_not_is_told_from_it(void)
{
    enum { SOON_MS = 5000 };
    char address[32];
    uint16_t port = 0;
    int listener = -1;
    int fd = -1;
    int other = -1;
    uint8_t byte = 0;
    size_t got = 0;
    MT_ASSERT(!mt_failed(mt_net_listen("127.0.0.1:0", &listener)));
    MT_ASSERT(!mt_failed(mt_net_port(listener, &port)));
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", port);
    MT_ASSERT(!mt_failed(mt_net_connect(address, SOON_MS, &fd)));
    MT_ASSERT(!mt_failed(mt_net_wait(listener, false, SOON_MS)));
    MT_ASSERT(!mt_failed(mt_net_accept(listener, &other)));
    MT_ASSERT(!mt_failed(mt_net_wait(fd, true, SOON_MS)));
    mt_err e = mt_net_wait(fd, false, 0); /* nothing has been said */
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_CLOSED);
    MT_ASSERT(!mt_failed(mt_net_write(other, MT_LITERAL("x"), &got)) && got == 1);
    MT_ASSERT(!mt_failed(mt_net_wait(fd, false, SOON_MS)));
    MT_ASSERT(!mt_failed(mt_net_read(fd, (mt_span){&byte, 1}, &got)) && byte == 'x');
    mt_net_close(&fd);
    mt_net_close(&other);
    mt_net_close(&listener);
    e = mt_net_connect(address, SOON_MS, &fd);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_CLOSED && fd == -1);
    e = mt_net_connect("localhost:1", SOON_MS, &fd);
    MT_ASSERT(mt_failed(e) && e.fault->code == MT_E_ARG);
}

static void a_process_finds_its_own_program_and_libraries(void)
{
    struct found f = {false, false};
    MT_DEFER(mt_buf_free) struct mt_buf facts = mt_buf_of_max(65536);
    MT_ASSERT(!mt_failed(mt_process_executables(look, &f)));
    MT_ASSERT(f.has_program);
    MT_ASSERT(f.has_libc);
    MT_ASSERT(!mt_failed(mt_process_kernel_facts(&facts)));
    MT_ASSERT(memmem(facts.ptr, facts.len, "release=", 8) != NULL);
}

static void check_told(int fd, int number)
{
    uint8_t byte = 0;
    errno = ENOTTY;
    MT_ASSERT(raise(number) == 0);
    MT_ASSERT(errno == ENOTTY); /* whoever was interrupted has its own still */
    MT_ASSERT(read(fd, &byte, 1) == 1);
    MT_ASSERT(read(fd, &byte, 1) < 0 && errno == EAGAIN);
}

/* In a process of its own, for it is done once and for good. */
static int take_signals(void)
{
    int fd = -1;
    sigset_t blocked;
    (void)signal(SIGINT, SIG_IGN); /* as a shell has it for what it leaves running */
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    MT_ASSERT(!mt_failed(mt_process_signal_fd(&fd)));
    for (size_t i = 0; i < 3; i++) { /* the second has no other end than the first */
        check_told(fd, SIGTERM);
        check_told(fd, SIGINT);
    }
    return EXIT_SUCCESS;
}

static void a_signal_to_end_is_told_and_ends_nothing_by_itself(void)
{
    int status = 0;
    pid_t child = fork();
    MT_ASSERT(child >= 0);
    if (child == 0) {
        _exit(take_signals());
    }
    MT_ASSERT(waitpid(child, &status, 0) == child);
    MT_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(who_is_there_is_reached_and_who_is_not_is_told_from_it),
        MT_TEST(a_file_keeps_what_was_written_and_says_what_is_missing),
        MT_TEST(a_file_that_is_too_long_is_not_cut),
        MT_TEST(a_directory_has_one_node_and_no_other_readers),
        MT_TEST(many_threads_use_one_file_system),
        MT_TEST(timers_come_in_order_and_a_cleared_one_not_at_all),
        MT_TEST(work_goes_to_threads_and_comes_back_once),
        MT_TEST(a_listener_takes_only_what_is_an_address),
        MT_TEST(a_process_finds_its_own_program_and_libraries),
        MT_TEST(a_signal_to_end_is_told_and_ends_nothing_by_itself),
    };
    MT_ASSERT(mkdtemp(dir) != NULL);
    MT_ASSERT(!mt_failed(mt_crypto_init(mt_process_entropy, NULL)));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    char lock[64];
    (void)snprintf(lock, sizeof lock, "%s/lock", dir);
    (void)unlink(lock);
    (void)snprintf(lock, sizeof lock, "%s/sub", dir);
    (void)rmdir(lock);
    (void)rmdir(dir);
    return rc;
}
