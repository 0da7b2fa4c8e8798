/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cli/cli.h"
#include "mesatee/entropy.h"

const struct mt_verb mt_verbs[] = {
    {"dev", NULL, "dev [--dir DIR] [--identity NAME] [--listen ADDRESS]",
     "Runs a level 2 node on this machine, with you as its administrator and a context to use "
     "it.\nExample: mesatee dev",
     mt_cli_dev},
    {"verify", NULL, "verify [--explain]",
     "Verifies the node of the context: evidence, measurement, auditors, channel key.\nExample: "
     "mesatee verify --explain",
     mt_cli_verify},
    {"status", NULL, "status", "What the node says of itself.\nExample: mesatee status --json",
     mt_cli_status},
    {"doctor", NULL, "doctor",
     "Checks this machine and the context, each check by name, with its mend.\nExample: mesatee "
     "doctor",
     mt_cli_doctor},
    {"version", NULL, "version", "The version of this program.\nExample: mesatee version",
     mt_cli_version},
    {"identity", "new", "identity new NAME",
     "Makes a key pair; the private half never leaves this machine.\nExample: mesatee identity new "
     "alice",
     mt_cli_identity_new},
    {"identity", "show", "identity show NAME",
     "The public key, and its hash, which is who you are.\nExample: mesatee identity show alice",
     mt_cli_identity_show},
    {"context", "add",
     "context add NAME --address HOST:PORT --identity NAME --policy FILE [--auditors FILE] "
     "[--cluster ID]",
     "A node, who you are there, and what you trust. Pins the cluster's id unless it is "
     "given.\nExample: mesatee context add lab --address 10.0.0.7:7700 --identity alice --policy "
     "lab.policy",
     mt_cli_context_add},
    {"context", "use", "context use NAME",
     "The context that verbs go by.\nExample: mesatee context use lab", mt_cli_context_use},
    {"context", "list", "context list", "All contexts.\nExample: mesatee context list",
     mt_cli_context_list},
    {"user", "add", "user add NAME PUBLIC-KEY [--role user|admin]",
     "Makes a key known to the node (administrators).\nExample: mesatee user add bob 3059...",
     mt_cli_user_add},
    {"user", "list", "user list", "Who is known to the node.\nExample: mesatee user list",
     mt_cli_user_list},
    {"user", "revoke", "user revoke NAME|HASH",
     "Ends what a key may do, for good (administrators).\nExample: mesatee user revoke bob",
     mt_cli_user_revoke},
    {"backup", NULL, "backup FILE --secret FILE [--passphrase]",
     "Writes everything that the node has into FILE, sealed under the content of the secret's file "
     "(administrators).\nExample: mesatee backup monday.mtb --secret backup.key",
     mt_cli_backup},
    {"restore", NULL, "restore [--yes]",
     "Opens the next recovery epoch of a node that was restored with mesateed --restore: shows "
     "what "
     "is given up, and signs (administrators).\nExample: mesatee restore --yes",
     mt_cli_restore},
    {"time", "accept", "time accept",
     "Lets a node follow the clock of its host over more than an hour, as after a long stop "
     "(administrators).\nExample: mesatee time accept",
     mt_cli_time_accept},
    {"keyslot", "list", "keyslot list",
     "The slots that open the node's root key (administrators).\nExample: mesatee keyslot list",
     mt_cli_keyslot_list},
    {"keyslot", "add", "keyslot add passphrase|file FILE",
     "Adds a slot opened by the content of FILE (administrators).\nExample: mesatee keyslot add "
     "passphrase ./second",
     mt_cli_keyslot_add},
    {"keyslot", "remove", "keyslot remove NUMBER",
     "Removes a slot; never the last one (administrators).\nExample: mesatee keyslot remove 1",
     mt_cli_keyslot_remove},
    {"data", "put", "data put NAME FILE",
     "Uploads a version; versions never change.\nExample: mesatee data put visits visits.csv",
     mt_cli_data_put},
    {"data", "get", "data get NAME|ID FILE [--version N]",
     "Downloads a version of your own data, the newest if none is named, and checks it.\nExample: "
     "mesatee data get visits "
     "copy.csv",
     mt_cli_data_get},
    {"data", "list", "data list", "Data that you own or may know of.\nExample: mesatee data list",
     mt_cli_data_list},
    {"data", "show", "data show NAME|ID [--before VERSION]",
     "Versions, commitments, grants; of versions the newest hundred, or those before "
     "one.\nExample: mesatee data show visits",
     mt_cli_data_show},
    {"data", "grant",
     "data grant NAME|ID WHO [--right see|use] [--function NAME] [--until MS] [--count N]",
     "Lets another see your data's description, or name it in tasks. Reading stays "
     "yours.\nExample: mesatee data grant visits alice --right use --function psi",
     mt_cli_data_grant},
    {"data", "revoke", "data revoke NAME|ID GRANT",
     "Ends a grant.\nExample: mesatee data revoke visits 0f3c...", mt_cli_data_revoke},
    {"data", "delete", "data delete NAME|ID [--now]",
     "Deletes all versions; beyond recovery within the node's shred time, or with --now at "
     "once.\nExample: mesatee data delete visits --now",
     mt_cli_data_delete},
    {"function", "list", "function list",
     "The functions of the node.\nExample: mesatee function list", mt_cli_function_list},
    {"function", "show", "function show NAME",
     "A function's digest and the schema of its arguments.\nExample: mesatee function show psi",
     mt_cli_function_show},
    {"task", "create", "task create FILE",
     "Proposes a computation: FILE is JSON, see docs/tutorial.md. Prints the task's id.\nExample: "
     "mesatee task create task.json",
     mt_cli_task_create},
    {"task", "show", "task show TASK [--before NUMBER]",
     "In prose and as bytes, exactly what an approval signs. With --json also its newest hundred "
     "runs, or those before one.\nExample: mesatee task show 4be1...",
     mt_cli_task_show},
    {"task", "approve", "task approve TASK [--digest HEX]",
     "Signs the task's digest, if it is the one that you name.\nExample: mesatee task approve "
     "4be1...",
     mt_cli_task_approve},
    {"task", "reject", "task reject TASK [--reason TEXT]",
     "Says no, for all to see.\nExample: mesatee task reject 4be1... --reason 'too fine'",
     mt_cli_task_reject},
    {"task", "withdraw", "task withdraw TASK",
     "Takes your approval back; a run under way ends.\nExample: mesatee task withdraw 4be1...",
     mt_cli_task_withdraw},
    {"task", "run", "task run TASK [--no-wait]",
     "Runs an approved task and waits for it.\nExample: mesatee task run 4be1...", mt_cli_task_run},
    {"task", "watch", "task watch TASK [--after TRANSACTION]",
     "Follows what happens to a task.\nExample: mesatee task watch 4be1...", mt_cli_task_watch},
    {"task", "cancel", "task cancel TASK [--run RUN]",
     "Cancels a run, or the whole task.\nExample: mesatee task cancel 4be1...", mt_cli_task_cancel},
    {"task", "list", "task list", "Tasks that you have a part in.\nExample: mesatee task list",
     mt_cli_task_list},
    {"task", "result", "task result TASK OUTPUT FILE [--run RUN]",
     "Downloads an output that names you as receiver, and checks it.\nExample: mesatee task result "
     "4be1... totals totals.csv",
     mt_cli_task_result},
    {"receipt", "get", "receipt get TASK FILE [--run RUN]",
     "The receipt of a run.\nExample: mesatee receipt get 4be1... run.receipt", mt_cli_receipt_get},
    {"receipt", "verify", "receipt verify FILE [--explain]",
     "Checks a receipt offline, by the policy of the context.\nExample: mesatee receipt verify "
     "run.receipt --explain",
     mt_cli_receipt_verify},
    {"receipt", "compare", "receipt compare FILE FILE",
     "Whether two receipts can both be true of one ledger.\nExample: mesatee receipt compare "
     "mine.receipt theirs.receipt",
     mt_cli_receipt_compare},
    {"audit", "list", "audit list [--after TRANSACTION]",
     "The audit log: transaction, time, who, phase, action, what it was about, what became of it "
     "(administrators).\nExample: mesatee audit list --after 100",
     mt_cli_audit_list},
    {"audit", "verify", "audit verify",
     "Rebuilds the whole tree from the log: nothing is missing, nothing was changed "
     "(administrators).\nExample: mesatee audit verify",
     mt_cli_audit_verify},
    {"policy", "new",
     "policy new FILE --identity NAME --name TEXT [--platform HASH]... [--measurement HASH]... "
     "[--level N]",
     "Writes an appraisal policy, signed by your identity.\nExample: mesatee policy new lab.policy "
     "--identity alice --name lab --platform 61ab... --measurement 9c20...",
     mt_cli_policy_new},
    {"policy", "show", "policy show [FILE]",
     "What a policy, or the context's, trusts.\nExample: mesatee policy show lab.policy",
     mt_cli_policy_show},
    {NULL, NULL, NULL, NULL, NULL},
};

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
    (void)printf("usage: mesatee %s\n%s\n", v->usage, v->help);
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
static bool take_globals(struct mt_cli *c, int *argc, char **argv, const char **home)
{
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        bool has_value = i + 1 < *argc;
        if (strcmp(argv[i], "--json") == 0) {
            c->is_json = true;
        } else if (strcmp(argv[i], "--context") == 0 && has_value) {
            c->context_name = argv[++i];
        } else if (strcmp(argv[i], "--home") == 0 && has_value) {
            *home = argv[++i];
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    return true;
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
static void tell_epoch(const struct mt_cli *c)
{
    const struct mt_head *head = mt_client_head(c->client);
    if (c->context->head.size > 0 && head->epoch > c->context->head.epoch) {
        (void)fprintf(stderr,
                      "note: an administrator has restored this node from a backup: recovery epoch "
                      "%llu, where you knew %llu.\nTransactions up to %llu, which you have seen, "
                      "may be gone; receipts of them stay valid.\n",
                      (unsigned long long)head->epoch, (unsigned long long)c->context->head.epoch,
                      (unsigned long long)c->context->head.size);
    }
}

static int run_verb(const struct mt_verb *v, struct mt_cli *c, const char *home)
{
    mt_err e = mt_entropy_open();
    if (!mt_failed(e)) {
        e = mt_home_open(home, &c->home);
    }
    int rc = mt_failed(e) ? mt_cli_fail(c, e, "mesatee") : v->run(c);
    if (rc == MT_EXIT_USAGE) {
        (void)fprintf(stderr, "usage: mesatee %s\n", v->usage);
    }
    if (c->client != NULL && c->context != NULL && !mt_failed(e)) {
        tell_epoch(c);
        (void)mt_failed(mt_context_remember(&c->home, c->context,
                                            c->client)); /* the head is seen again next time */
    }
    mt_client_close(&c->client);
    mt_context_free(&c->context);
    mt_json_free(&c->users);
    mt_entropy_close();
    return rc;
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
    (void)take_globals(&c, &argc, argv, &home);
    const struct mt_verb *v = find_verb(argc, argv, &taken);
    if (v == NULL) {
        bool is_help = argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "help") == 0);
        print_overview(is_help ? stdout : stderr);
        return is_help ? MT_EXIT_DONE : MT_EXIT_USAGE;
    }
    if (wants_help(argc, argv)) {
        print_help(v);
        return MT_EXIT_DONE;
    }
    if (!forbid_cores()) {
        (void)fputs("mesatee: core files cannot be forbidden\n", stderr);
        return MT_EXIT_FAILED;
    }
    c.argc = argc - taken;
    c.argv = argv + taken;
    return run_verb(v, &c, home);
}
