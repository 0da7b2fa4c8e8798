/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adversary/node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "mesatee/home.h"
#include "wire/json.h"

enum { CONFIG_BYTES = 4096 };

static struct node *running; /* one at a time: killed when the test is */

void node_pause(unsigned ms)
{
    const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL);
}

static void die(int number)
{
    if (running != NULL && running->pid > 0) {
        (void)kill(running->pid, SIGKILL);
    }
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void path_in(const struct node *n, const char *name, char out[NODE_PATH_MAX])
{
    int len = snprintf(out, NODE_PATH_MAX, "%s/%s", n->dir, name);
    MT_ASSERT(len > 0);
    MT_ASSERT(len < NODE_PATH_MAX);
}

void node_begin(struct node *n, const char *build)
{
    uint8_t secret[32];
    char path[NODE_PATH_MAX];
    *n = (struct node){.pid = 0};
    running = n;
    (void)signal(SIGABRT, die);
    (void)signal(SIGTERM, die);
    (void)signal(SIGINT, die);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)snprintf(n->build, sizeof n->build, "%s", build);
    (void)snprintf(n->dir, sizeof n->dir, "/tmp/mesatee-adversary-XXXXXX");
    MT_ASSERT(mkdtemp(n->dir) != NULL);
    MT_ASSERT(chmod(n->dir, 0711) == 0);
    MT_ASSERT(!mt_failed(mt_key_new(&n->admin)));
    MT_ASSERT(!mt_failed(mt_key_private(n->admin, (mt_span){secret, sizeof secret})));
    path_in(n, "keyfile", path);
    MT_ASSERT(!mt_failed(mt_file_store(path, MT_BYTES_OF(secret)))); /* any 32 bytes will do */
}

static void write_config(const struct node *n, const char *settings)
{
    char path[NODE_PATH_MAX];
    char text[CONFIG_BYTES];
    uint8_t hex[65] = {0};
    mt_hash subject;
    struct mt_writer w = mt_writer_over((mt_span){hex, sizeof hex - 1});
    mt_spki_hash(mt_key_public(n->admin), &subject);
    mt_hex_write(&w, mt_hash_bytes(&subject));
    int len = snprintf(text, sizeof text,
                       "listen = 127.0.0.1:0\nprobes = 127.0.0.1:0\nstate = %s/state\n"
                       "keyfile = %s/keyfile\nadministrator = %s\n%s",
                       n->dir, n->dir, (const char *)hex, settings);
    MT_ASSERT(len > 0);
    MT_ASSERT((size_t)len < sizeof text);
    path_in(n, "conf", path);
    MT_ASSERT(!mt_failed(mt_file_store(path, (mt_bytes){(const uint8_t *)text, (size_t)len})));
}

static pid_t spawn(const struct node *n)
{
    char program[NODE_PATH_MAX + 16];
    char config[NODE_PATH_MAX];
    char log[NODE_PATH_MAX];
    (void)snprintf(program, sizeof program, "%s/mesateed", n->build);
    path_in(n, "conf", config);
    path_in(n, "log", log);
    pid_t pid = fork();
    MT_ASSERT(pid >= 0);
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        (void)dup2(fd, STDERR_FILENO);
        (void)dup2(fd, STDOUT_FILENO);
        (void)execl(program, program, "--config", config, (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* What an operator on this machine may read: whom to call, and what to pin. */
static bool read_public(struct node *n, const char *path)
{
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(4096);
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    struct mt_policy *p = &n->policy;
    uint64_t port = 0;
    uint64_t probe_port = 0;
    if (mt_failed(mt_file_load(path, 4096, &text)) ||
        mt_failed(mt_json_parse(mt_buf_bytes(&text), &j, NULL))) {
        return false;
    }
    *p = (struct mt_policy){.name = MT_LITERAL("adversary"), .minimum_level = 2};
    p->platforms_count = 1;
    p->measurements_count = 1;
    MT_ASSERT(!mt_failed(mt_json_hex(j, "cluster_id", (mt_span){n->cluster.b, sizeof(mt_hash)})));
    MT_ASSERT(
        !mt_failed(mt_json_hex(j, "platform", (mt_span){p->platforms[0].b, sizeof(mt_hash)})));
    MT_ASSERT(!mt_failed(
        mt_json_hex(j, "measurement", (mt_span){p->measurements[0].b, sizeof(mt_hash)})));
    MT_ASSERT(!mt_failed(mt_json_uint(j, "port", UINT16_MAX, &port)));
    MT_ASSERT(!mt_failed(mt_json_uint(j, "probe_port", UINT16_MAX, &probe_port)));
    n->port = (uint16_t)port;
    n->probe_port = (uint16_t)probe_port;
    return true;
}

void node_start(struct node *n, const char *settings)
{
    char path[NODE_PATH_MAX];
    MT_ASSERT(n->pid == 0);
    path_in(n, "state/public.json", path);
    (void)unlink(path);
    write_config(n, settings);
    n->pid = spawn(n);
    bool is_ready = false;
    for (int i = 0; i < NODE_LOOKS && !is_ready && node_is_alive(n); i++) {
        node_pause(NODE_STEP_MS);
        is_ready = read_public(n, path);
    }
    MT_ASSERT(is_ready);
}

bool node_is_alive(const struct node *n)
{
    int status = 0;
    return n->pid > 0 && waitpid(n->pid, &status, WNOHANG) == 0;
}

int node_stop(struct node *n)
{
    int status = 0;
    pid_t pid = n->pid;
    n->pid = 0;
    (void)kill(pid, SIGTERM);
    for (int i = 0; i < NODE_LOOKS; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }
        node_pause(NODE_STEP_MS);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
    return -1;
}

void node_status_line(const struct node *n, const char *name, char *out, size_t len)
{
    char path[64];
    char line[256];
    size_t name_len = strlen(name);
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)n->pid);
    out[0] = '\0';
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, name, name_len) == 0 && line[name_len] == ':') {
            const char *value = line + name_len + 1;
            value += strspn(value, " \t");
            (void)snprintf(out, len, "%.*s", (int)strcspn(value, "\n"), value);
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
}

uint64_t node_resident_bytes(const struct node *n)
{
    char text[64];
    node_status_line(n, "VmRSS", text, sizeof text);
    return (uint64_t)strtoull(text, NULL, 10) * 1024;
}

static void look_at_staging(const struct node *n, size_t *files, uint64_t *bytes)
{
    char path[NODE_PATH_MAX];
    struct dirent **names = NULL;
    struct stat st;
    *files = 0;
    *bytes = 0;
    path_in(n, "state/staging", path);
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int found = scandir(path, &names, NULL, alphasort);
    MT_ASSERT(found >= 0 || errno == ENOENT);
    for (int i = 0; i < found; i++) {
        if (names[i]->d_name[0] != '.' && fstatat(dir, names[i]->d_name, &st, 0) == 0) {
            *files += 1;
            *bytes += (uint64_t)st.st_size;
        }
        free(names[i]);
    }
    free(names);
    (void)close(dir);
}

size_t node_staged_files(const struct node *n)
{
    size_t files = 0;
    uint64_t bytes = 0;
    look_at_staging(n, &files, &bytes);
    return files;
}

uint64_t node_staged_bytes(const struct node *n)
{
    size_t files = 0;
    uint64_t bytes = 0;
    look_at_staging(n, &files, &bytes);
    return bytes;
}

bool node_stages_nothing(const struct node *n)
{
    for (int i = 0; i < NODE_LOOKS && node_staged_files(n) > 0; i++) {
        node_pause(NODE_STEP_MS);
    }
    return node_staged_files(n) == 0;
}

bool node_has_logged(const struct node *n, const char *text)
{
    char path[NODE_PATH_MAX];
    MT_DEFER(mt_buf_free) struct mt_buf log = mt_buf_of_max((size_t)16 << 20);
    path_in(n, "log", path);
    MT_ASSERT(!mt_failed(mt_file_load(path, (size_t)16 << 20, &log)));
    return log.len > 0 && memmem(log.ptr, log.len, text, strlen(text)) != NULL;
}

void node_end(struct node *n)
{
    if (n->pid > 0) {
        (void)node_stop(n);
    }
    mt_key_free(&n->admin);
    pid_t pid = fork();
    if (pid == 0) {
        (void)execl("/bin/rm", "rm", "-rf", n->dir, (char *)NULL);
        _exit(127);
    }
    (void)waitpid(pid, NULL, 0);
    running = NULL;
}
