/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/dev.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crypto/context.h"
#include "mesatee/policy_file.h"
#include "wire/json.h"

enum { READY_MS = 10000, KEYFILE_BYTES = 32 };

struct dev {
    struct mt_dev_options o;
    char dir[MT_PATH_MAX - 64];
    char keyfile[MT_PATH_MAX];
    char state[MT_PATH_MAX];
    char config[MT_PATH_MAX];
    char node[MT_PATH_MAX];
    char name[MT_NAME_MAX + 1];
    struct mt_key *key;
    pid_t pid;
};

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

static MT_ERR find_node(struct dev *d)
{
    char self[MT_PATH_MAX - 32];
    static const char *const places[] = {"mesateed", "../sbin/mesateed"};
    if (d->o.node != NULL) {
        (void)snprintf(d->node, sizeof d->node, "%s", d->o.node);
        return MT_OK;
    }
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    MT_REQUIRE(len > 0, MT_E_IO, "this program does not find itself");
    self[len] = '\0';
    char *slash = strrchr(self, '/');
    *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        (void)snprintf(d->node, sizeof d->node, "%s/%s", self, places[i]);
        if (access(d->node, X_OK) == 0) {
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_NOTFOUND, "mesateed is not beside this program: use --node PATH");
}

static MT_ERR open_identity(struct dev *d)
{
    const char *name = d->o.identity == NULL ? "admin" : d->o.identity;
    (void)snprintf(d->name, sizeof d->name, "%s", name);
    mt_err e = mt_identity_load(d->o.home, name, &d->key);
    if (mt_failed(e) && e.fault->code == MT_E_NOTFOUND) {
        return mt_identity_new(d->o.home, name, &d->key);
    }
    return e;
}

static MT_ERR make_keyfile(const struct dev *d)
{
    uint8_t key[KEYFILE_BYTES];
    if (access(d->keyfile, F_OK) == 0) {
        return MT_OK;
    }
    MT_TRY(mt_random((mt_span){key, sizeof key}));
    return mt_file_store(d->keyfile, MT_BYTES_OF(key));
}

static MT_ERR make_config(const struct dev *d)
{
    char text[4 * MT_PATH_MAX];
    char subject[65] = {0};
    mt_hash h;
    mt_bytes done;
    struct mt_writer w = mt_writer_over((mt_span){(uint8_t *)subject, 64});
    mt_spki_hash(mt_key_public(d->key), &h);
    mt_hex_write(&w, mt_hash_bytes(&h));
    MT_TRY(mt_write_end(&w, &done));
    int len = snprintf(text, sizeof text,
                       "# written by mesatee dev\nlisten = %s\nprobes = 127.0.0.1:0\nstate = "
                       "%s\nkeyfile = %s\nuser = nobody\nadministrator = %s\n",
                       d->o.listen == NULL ? "127.0.0.1:7700" : d->o.listen, d->state, d->keyfile,
                       subject);
    MT_REQUIRE(len > 0 && (size_t)len < sizeof text, MT_E_ARG, "a path is too long");
    return mt_file_store(d->config, mt_bytes_of_text(text));
}

static MT_ERR prepare(struct dev *d)
{
    int len = 0;
    if (d->o.dir != NULL) {
        len = snprintf(d->dir, sizeof d->dir, "%s", d->o.dir);
    } else if (geteuid() == 0) {
        /* Root's node runs as somebody else, who does not get into root's home. */
        len = snprintf(d->dir, sizeof d->dir, "/var/lib/mesatee-dev");
    } else {
        len = snprintf(d->dir, sizeof d->dir, "%.*s/dev", MT_PATH_MAX - 80, d->o.home->path);
    }
    MT_REQUIRE(len > 0 && (size_t)len < sizeof d->dir, MT_E_ARG, "a path is too long");
    /* The node may run as another user: it has to get through to its own directory, and nobody
     * reads anything on the way. */
    MT_REQUIRE(mkdir(d->dir, 0711) == 0 || errno == EEXIST, MT_E_IO,
               "the directory of the node cannot be made");
    (void)snprintf(d->keyfile, sizeof d->keyfile, "%s/keyfile", d->dir);
    (void)snprintf(d->state, sizeof d->state, "%s/state", d->dir);
    (void)snprintf(d->config, sizeof d->config, "%s/mesateed.conf", d->dir);
    MT_TRY(find_node(d));
    MT_TRY(open_identity(d));
    MT_TRY(make_keyfile(d));
    return make_config(d);
}

static MT_ERR start_node(struct dev *d)
{
    char public_file[MT_PATH_MAX + 32];
    (void)snprintf(public_file, sizeof public_file, "%s/public.json", d->state);
    (void)unlink(public_file);
    d->pid = fork();
    MT_REQUIRE(d->pid >= 0, MT_E_LIMIT, "no process can be started");
    if (d->pid == 0) {
        (void)execl(d->node, d->node, "--config", d->config, (char *)NULL);
        _exit(127);
    }
    return MT_OK;
}

/* What the node measured, as it lies on this very machine: trusted as much as the machine is, which
 * for level 2 is all there is. */
static MT_ERR wait_public(const struct dev *d, struct mt_json **out)
{
    const struct timespec pause = {.tv_nsec = 5000000L};
    char path[MT_PATH_MAX + 32];
    (void)snprintf(path, sizeof path, "%s/public.json", d->state);
    for (int ms = 0; ms < READY_MS; ms += 5) {
        MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(0);
        if (!mt_failed(mt_file_load(path, 4096, &text))) {
            return mt_json_parse(mt_buf_bytes(&text), out, NULL);
        }
        MT_REQUIRE(waitpid(d->pid, NULL, WNOHANG) == 0, MT_E_IO,
                   "the node did not start: see its last line above");
        (void)nanosleep(&pause, NULL);
    }
    MT_FAIL(MT_E_IO, "the node did not become ready");
}

static MT_ERR write_policy(const struct dev *d, const struct mt_json *facts, struct mt_buf *out)
{
    static struct mt_policy p;
    memset(&p, 0, sizeof p);
    p.name = MT_LITERAL("dev");
    p.minimum_level = MT_LEVEL_SOFT;
    MT_TRY(mt_json_hex(facts, "platform", (mt_span){p.platforms[0].b, sizeof p.platforms[0].b}));
    MT_TRY(mt_json_hex(facts, "measurement",
                       (mt_span){p.measurements[0].b, sizeof p.measurements[0].b}));
    p.platforms_count = 1;
    p.measurements_count = 1;
    return mt_policy_sign(d->key, &p, out);
}

static MT_ERR make_context(const struct dev *d, const struct mt_json *facts)
{
    MT_DEFER(mt_context_free) struct mt_context *x = calloc(1, sizeof *x);
    uint64_t port = 0;
    MT_REQUIRE(x != NULL, MT_E_NOMEM, "no memory for a context");
    MT_TRY(mt_json_uint(facts, "port", UINT16_MAX, &port));
    MT_TRY(mt_json_hex(facts, "cluster_id", (mt_span){x->cluster.b, sizeof x->cluster.b}));
    (void)snprintf(x->name, sizeof x->name, "dev");
    (void)snprintf(x->address, sizeof x->address, "127.0.0.1:%llu", (unsigned long long)port);
    (void)snprintf(x->identity, sizeof x->identity, "%s", d->name);
    x->policy_file = mt_buf_of_max((size_t)2 * MT_POLICY_BYTES_MAX);
    MT_TRY(write_policy(d, facts, &x->policy_file));
    MT_TRY(mt_context_store(d->o.home, x));
    MT_TRY(mt_context_use(d->o.home, x->name));
    const struct mt_dev_ready ready = {x->address, d->state, d->name};
    d->o.on_ready(d->o.on_ready_state, &ready);
    return MT_OK;
}

static MT_ERR serve(const struct dev *d)
{
    int status = 0;
    pid_t ended = 0;
    while (!is_interrupted && ended == 0) {
        const struct timespec pause = {.tv_nsec = 100000000L};
        (void)nanosleep(&pause, NULL);
        ended = waitpid(d->pid, &status, WNOHANG);
    }
    if (ended == 0) {
        (void)kill(d->pid, SIGTERM);
        ended = waitpid(d->pid, &status, 0);
    }
    MT_REQUIRE(ended == d->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, MT_E_IO,
               "the node ended with an error");
    return MT_OK;
}

MT_ERR mt_dev_run(const struct mt_dev_options *o)
{
    static struct dev d;
    MT_DEFER(mt_json_free) struct mt_json *facts = NULL;
    const struct sigaction on_signal = {.sa_handler = interrupt};
    d.o = *o;
    (void)sigaction(SIGINT, &on_signal, NULL);
    (void)sigaction(SIGTERM, &on_signal, NULL);
    mt_err e = prepare(&d);
    if (!mt_failed(e)) {
        e = start_node(&d);
    }
    if (!mt_failed(e)) {
        e = wait_public(&d, &facts);
        e = mt_failed(e) ? e : make_context(&d, facts);
        if (mt_failed(e)) {
            (void)kill(d.pid, SIGTERM);
            (void)waitpid(d.pid, NULL, 0);
        } else {
            e = serve(&d);
        }
    }
    mt_key_free(&d.key);
    return e;
}
