/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <time.h>

#include "cli/report.h"

/* doctor: this machine, the home, the context and its node, one named check after another. */

static bool note(struct mt_trace *t, bool is_good, const char *rule, const char *meaning,
                 const char *mend)
{
    return mt_cli_report_note(t, (struct mt_check){rule, is_good, meaning, mend});
}

static void examine_machine(struct mt_cli *c, struct mt_trace *t)
{
    enum { BUILT_S = 1735689600 }; /* 2025: a clock before it is not set */
    struct stat st;
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)note(t, now.tv_sec > BUILT_S, "clock", "this machine's clock is not before this program",
               "set the clock: lists, tasks and approvals have times");
    (void)note(t, stat(c->home.path, &st) == 0 && (st.st_mode & 077) == 0, "home-private",
               "only you can read your MesaTEE home", "chmod 700 on it: it holds your keys");
}

/* Fault texts are literals of ours, as a trace wants them. */
static bool examine_context(struct mt_cli *c, struct mt_trace *t)
{
    mt_err e = mt_session_load(&c->s);
    return note(t, !mt_failed(e), "context",
                "a context is in use, with an identity and a policy signed by it",
                mt_failed(e) ? e.fault->what : "");
}

static bool examine_node(struct mt_cli *c, struct mt_trace *t)
{
    mt_err e = mt_session_connect(&c->s);
    if (!note(t, !mt_failed(e) || mt_exit_of(e) != MT_EXIT_UNREACHABLE, "node-reachable",
              "something answers at the context's address",
              "start the node (mesatee dev, or mesateed), or mend the address: mesatee context "
              "add")) {
        return false;
    }
    const struct mt_check *f = c->s.client == NULL ? NULL : mt_client_failed(c->s.client);
    return note(t, !mt_failed(e), "node-verified", "the node is what your policy trusts",
                f != NULL      ? f->mend
                : mt_failed(e) ? e.fault->what
                               : "");
}

static void examine_identity(struct mt_cli *c, struct mt_trace *t)
{
    enum { HOUR_MS = 60 * 60 * 1000 };
    static const struct mt_call call = {.method = MT_HTTP_GET, .target = "/status"};
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    uint64_t then = 0;
    uint64_t now = mt_now_ms();
    mt_err e = mt_session_request(&c->s, &call, &j);
    if (!note(t, !mt_failed(e) || mt_exit_of(e) != MT_EXIT_NOT_GENUINE, "ledger-goes-on",
              "the node's ledger goes on from the one that you have seen",
              "its disk was rolled back or forked: ask its operator, and compare receipts") ||
        !note(t, !mt_failed(e), "identity-known", "the node knows you",
              "an administrator adds you: mesatee user add")) {
        return;
    }
    mt_bytes held = MT_LITERAL("none");
    (void)mt_failed(mt_json_text(j, "collateral", &held)); /* a node of before says nothing */
    (void)note(t, !mt_bytes_equal(held, MT_LITERAL("refused")), "node-collateral",
               "what the node holds of its machine's maker is good, or it holds none",
               "its operator fetches it again: mesatee collateral get, or start "
               "mesateed-collateral.timer");
    bool is_told = !mt_failed(mt_json_uint(j, "block_time_ms", UINT64_MAX, &then));
    (void)note(t, is_told && then < now + HOUR_MS, "node-clock",
               "the node's time is not ahead of this machine's by an hour",
               "set the clocks: what is valid from now on may be refused there");
}

static size_t print(const struct mt_trace *t)
{
    size_t failed = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct mt_check *k = &t->checks[i];
        (void)printf("  %s  %s: %s\n", k->has_passed ? "ok    " : "FAILED", k->rule, k->meaning);
        if (!k->has_passed) {
            (void)printf("          mend: %s\n", k->mend);
            failed++;
        }
    }
    (void)printf("%zu checks failed. Endpoints outside of this machine that are contacted: the "
                 "context's node, nothing else.\n",
                 failed);
    return failed;
}

int mt_cli_doctor(struct mt_cli *c)
{
    static struct mt_trace t;
    struct mt_cli_answer a;
    if (!mt_cli_arguments(c, 0)) {
        return MT_EXIT_USAGE;
    }
    examine_machine(c, &t);
    if (examine_context(c, &t) && examine_node(c, &t)) {
        examine_identity(c, &t);
    }
    if (!c->is_json) {
        return print(&t) == 0 ? MT_EXIT_DONE : MT_EXIT_FAILED;
    }
    bool has_failed = false;
    for (size_t i = 0; i < t.count; i++) {
        has_failed = has_failed || !t.checks[i].has_passed;
    }
    mt_cli_answer_begin(&a);
    mt_cli_report_checks(&a.j, &t);
    int rc = mt_cli_answer_end(c, &a);
    return has_failed ? MT_EXIT_FAILED : rc;
}
