/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cli/cli.h"
#include "mesatee/entropy.h"
#include "mesatee/socket.h"

static volatile sig_atomic_t caught;

/* Whatever waits for the node gives up and cleans up behind itself; a second signal ends us at
 * once. */
static void interrupt(int number)
{
    caught = number;
    mt_socket_interrupt();
}

static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction on_signal = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        (void)sigaction(numbers[i], &on_signal, NULL);
    }
}

static void print_overview(FILE *to)
{
    (void)fputs("usage: mesatee [--context NAME] [--home DIR] [--json] VERB ...\n\nOwners who do "
                "not trust each other compute together. Start with: mesatee dev\n\n",
                to);
    for (const struct mt_verb *v = mt_verbs; v->noun != NULL; v++) {
        (void)fprintf(to, "  mesatee %s\n", v->usage);
    }
    (void)fputs("\nEach verb: --help. Exit codes: 0 done, 1 failed, 2 refused by policy, 3 not "
                "genuine, 64 usage, 69 unreachable, 74 input or output.\n",
                to);
}

static void print_help(const struct mt_verb *v)
{
    (void)printf("usage: mesatee %s\n%s\nExample: %s\n", v->usage, v->help, v->example);
}

static const struct mt_verb *find_verb(int argc, char **argv, int *taken)
{
    for (const struct mt_verb *v = mt_verbs; v->noun != NULL; v++) {
        if (argc > 0 && strcmp(argv[0], v->noun) == 0 &&
            (v->verb == NULL || (argc > 1 && strcmp(argv[1], v->verb) == 0))) {
            *taken = v->verb == NULL ? 1 : 2;
            return v;
        }
    }
    return NULL;
}

/* --context, --home and --json may stand anywhere; they are taken out. */
static void take_globals(struct mt_cli *c, int *argc, char **argv, const char **home)
{
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        bool has_value = i + 1 < *argc;
        if (strcmp(argv[i], "--json") == 0) {
            c->is_json = true;
        } else if (strcmp(argv[i], "--context") == 0 && has_value) {
            c->s.context_name = argv[++i];
        } else if (strcmp(argv[i], "--home") == 0 && has_value) {
            *home = argv[++i];
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            return true;
        }
    }
    return false;
}

/* A restore may have given up what this client has seen: that is never silent. */
static void tell_epoch(const struct mt_session *s)
{
    const struct mt_head *head = s->is_connected ? mt_client_head(s->client) : NULL;
    if (head != NULL && s->context->head.size > 0 && head->epoch > s->context->head.epoch) {
        (void)fprintf(stderr,
                      "note: an administrator has restored this node from a backup: recovery epoch "
                      "%llu, where you knew %llu.\nTransactions up to %llu, which you have seen, "
                      "may be gone; receipts of them stay valid.\n",
                      (unsigned long long)head->epoch, (unsigned long long)s->context->head.epoch,
                      (unsigned long long)s->context->head.size);
    }
}

/* What was printed into a full disk or a closed pipe was not printed. */
static int flush(int rc)
{
    bool is_written = fflush(stdout) == 0 && ferror(stdout) == 0;
    if (!is_written) {
        (void)fputs("mesatee: the output cannot be written\n", stderr);
    }
    return is_written || rc != MT_EXIT_DONE ? rc : MT_EXIT_IO;
}

static int run_verb(const struct mt_verb *v, struct mt_cli *c, const char *home)
{
    mt_err e = mt_entropy_open();
    if (!mt_failed(e)) {
        e = mt_home_open(home, &c->home);
    }
    c->s.home = &c->home;
    int rc = mt_failed(e) ? mt_cli_fail(c, e, "mesatee") : v->run(c);
    if (rc == MT_EXIT_USAGE) {
        (void)fprintf(stderr, "usage: mesatee %s\n", v->usage);
    }
    tell_epoch(&c->s);
    mt_session_end(&c->s);
    mt_entropy_close();
    return flush(rc);
}

/* A private key is read: no core file, and no memory for other processes of this user. */
static bool forbid_cores(void)
{
    const struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

int main(int argc, char **argv)
{
    struct mt_cli c = {.is_json = false};
    const char *home = NULL;
    int taken = 0;
    argc--;
    argv++;
    take_globals(&c, &argc, argv, &home);
    const struct mt_verb *v = find_verb(argc, argv, &taken);
    if (v == NULL) {
        bool is_help = argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "help") == 0);
        print_overview(is_help ? stdout : stderr);
        return is_help ? flush(MT_EXIT_DONE) : MT_EXIT_USAGE;
    }
    if (wants_help(argc, argv)) {
        print_help(v);
        return flush(MT_EXIT_DONE);
    }
    if (!forbid_cores()) {
        (void)fputs("mesatee: core files cannot be forbidden\n", stderr);
        return MT_EXIT_FAILED;
    }
    c.argc = argc - taken;
    c.argv = argv + taken;
    catch_signals();
    int rc = run_verb(v, &c, home);
    if (caught != 0) { /* everything is cleaned up: now end as whoever sent it expects */
        (void)signal(caught, SIG_DFL);
        (void)raise(caught);
    }
    return rc;
}
