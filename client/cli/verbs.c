/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

/* Everything that the command can do. docs/man/mesatee.1 says the same, and a test compares them.
 */
const struct mt_verb mt_verbs[] = {
    {"dev", NULL, "dev [--dir DIR] [--identity NAME] [--listen ADDRESS] [--node PATH]",
     "Runs a level 2 node on this machine, with you as its administrator and a context to use it. "
     "Says where it keeps its data; started as root, the node works as nobody.",
     "mesatee dev", mt_cli_dev},
    {"verify", NULL,
     "verify [TARGET] [--explain] [--report-data HEX] [--at TIME] [--collateral DIR] "
     "[--policy FILE] [--auditors FILE] [--format KIND] [--token FILE --identity NAME]",
     "Verifies a node (of the context in use, of another context, or at HOST:PORT by your policy) "
     "from its evidence to its administrators, or a file: a receipt, a policy, an auditors' list, "
     "evidence (of which --report-data says what it must be about). Evidence of hardware is a file "
     "or a folder, with the certificates and lists of its maker there or in another folder; it "
     "needs no context, and without --policy it can be genuine but is not accepted. --token writes "
     "the "
     "result as an EAT Attestation Result, a JWT that the identity signs. Ends with 0 accepted, 2 "
     "genuine and refused, 3 not genuine.",
     "mesatee verify --explain", mt_cli_verify},
    {"evidence", "show", "evidence show PATH [--collateral DIR]",
     "What evidence of hardware, or of a node, says of itself. Nothing of it is verified, and the "
     "exit code says only whether it could be read: 3 if it is of no form that is known.",
     "mesatee evidence show quote.bin --json", mt_cli_evidence_show},
    {"collateral", "get", "collateral get EVIDENCE FOLDER [--from URL|FOLDER] [--at TIME]",
     "Gets what the maker of a platform says of it, for the platform that the evidence names: from "
     "Intel or AMD, from a cache of the same paths (Intel's service in version 4, AMD's key "
     "service) at a URL, or from a folder that was carried over, where there is no network. All of "
     "it is verified under the built-in roots, at this time or TIME, before FOLDER is written; "
     "FOLDER is replaced as a whole or left as it was. Fetching takes the program curl.",
     "mesatee collateral get quote.bin ./collateral", mt_cli_collateral_get},
    {"collateral", "show", "collateral show FOLDER",
     "What collateral is there, whose it is, and from when to when it says it holds. Nothing of it "
     "is verified.",
     "mesatee collateral show ./collateral", mt_cli_collateral_show},
    {"collateral", "check", "collateral check EVIDENCE [--collateral DIR] [--at TIME]",
     "Verifies collateral under the built-in roots, for the platform that the evidence names, at "
     "this time or TIME, and says what expires first. Of the evidence itself nothing is believed. "
     "Ends with 3 if a part is forged, expired, missing or of another platform.",
     "mesatee collateral check quote.bin --collateral ./collateral", mt_cli_collateral_check},
    {"status", NULL, "status", "What the node says of itself.", "mesatee status --json",
     mt_cli_status},
    {"doctor", NULL, "doctor",
     "Checks this machine, your home and the context, each check by name, with its mend.",
     "mesatee doctor", mt_cli_doctor},
    {"version", NULL, "version", "The version of this program and of the library under it.",
     "mesatee version", mt_cli_version},
    {"identity", "new", "identity new NAME",
     "Makes a key pair; the private half never leaves this machine.", "mesatee identity new alice",
     mt_cli_identity_new},
    {"identity", "show", "identity show NAME",
     "The public key, and its hash, which is who you are.", "mesatee identity show alice",
     mt_cli_identity_show},
    {"identity", "rotate", "identity rotate NAME",
     "Makes a new key under the name; the old one stays, as the identity NAME.old-N. To a node a "
     "key is who you are: an administrator has to add the new one, and data, grants, tasks and "
     "approvals of the old key stay with the old key. Policies of your contexts are signed anew.",
     "mesatee identity rotate alice", mt_cli_identity_rotate},
    {"identity", "export", "identity export NAME [FILE]",
     "The public key as PEM, for other programs. The private half is in identities/NAME.key below "
     "your home: to move an identity, move that file.",
     "mesatee identity export alice alice.pem", mt_cli_identity_export},
    {"context", "add",
     "context add NAME --address HOST:PORT --identity NAME --policy FILE [--auditors FILE] "
     "[--cluster ID]",
     "A node, who you are there, and what you trust. Pins the cluster's id unless it is given. "
     "Added again, a context of the same cluster keeps what it has seen: a ledger or an auditors' "
     "list that went back is refused.",
     "mesatee context add lab --address 10.0.0.7:7700 --identity alice --policy lab.policy",
     mt_cli_context_add},
    {"context", "use", "context use NAME", "The context that verbs go by.",
     "mesatee context use lab", mt_cli_context_use},
    {"context", "list", "context list", "All contexts.", "mesatee context list",
     mt_cli_context_list},
    {"user", "add", "user add NAME PUBLIC-KEY [--role user|admin]",
     "Makes a key known to the node (administrators).", "mesatee user add bob 3059...",
     mt_cli_user_add},
    {"user", "claim", "user claim FILE",
     "Makes you the first administrator of a node that has none: FILE is where its configuration "
     "says (claim_file), good once, for ten minutes and five tries.",
     "mesatee user claim /var/lib/mesatee/claim", mt_cli_user_claim},
    {"user", "list", "user list", "Who is known to the node.", "mesatee user list",
     mt_cli_user_list},
    {"user", "revoke", "user revoke NAME|HASH",
     "Ends what a key may do, for good (administrators).", "mesatee user revoke bob",
     mt_cli_user_revoke},
    {"platform", "enrol", "platform enrol HOST:PORT --identity NAME --root FILE",
     "Lets a machine's TPM prove whose it is: FILE has the certificates of the TPM's maker, "
     "the root last. Prints "
     "the "
     "name of the key that quotes, for policy new --platform.",
     "mesatee platform enrol 10.0.0.7:7700 --identity alice --root maker.pem",
     mt_cli_platform_enrol},
    {"platform", "approve", "platform approve VALUES FILE --identity NAME",
     "Lets a new image open what a TPM sealed for the ones before it, on every machine whose image "
     "names this identity as its operator (mesatee.operator). VALUES is what tools/measure.py "
     "--pcrs computes of the image. Prints its measurement, and writes the approval to FILE, which "
     "goes to the file of approvals that the node's configuration names: several stand one after "
     "another. It cannot be taken back.",
     "mesatee platform approve values.txt new.approval --identity operator",
     mt_cli_platform_approve},
    {"backup", NULL, "backup FILE --secret FILE [--passphrase]",
     "Writes everything that the node has into FILE, sealed under the content of the secret's file "
     "(administrators).",
     "mesatee backup monday.mtb --secret backup.key", mt_cli_backup},
    {"restore", NULL, "restore [--yes]",
     "Opens the next recovery epoch of a node that was restored with mesateed --restore: shows "
     "what is given up, and signs (administrators).",
     "mesatee restore --yes", mt_cli_restore},
    {"time", "accept", "time accept",
     "Lets a node follow the clock of its host over more than an hour, as after a long stop "
     "(administrators).",
     "mesatee time accept", mt_cli_time_accept},
    {"keyslot", "list", "keyslot list", "The slots that open the node's root key (administrators).",
     "mesatee keyslot list", mt_cli_keyslot_list},
    {"keyslot", "add",
     "keyslot add passphrase|file FILE | --device | --shares K/N --out DIR | --peer CONTEXT "
     "--policy FILE",
     "Adds a slot opened by the content of FILE, by the machine's own device, or by any K of N "
     "shares, which it writes into DIR, a file for each holder; the key that they make is nowhere. "
     "Or by a key that the node of another context keeps, and hands only to a machine whose "
     "evidence satisfies the policy in FILE (administrators of both). That names the machines: "
     "mesatee policy new, with --machine for evidence of hardware. Nothing that stands is taken "
     "away: what the device opened for another image before, it opens for that one still; a start "
     "with the recovery key file shuts it out (spec/key-slot.md).",
     "mesatee keyslot add --shares 2/3 --out ./shares", mt_cli_keyslot_add},
    {"keyslot", "check", "keyslot check SHARE",
     "Whether a share opens a slot of the node together with others, without putting any together; "
     "a mistyped, changed or foreign one is named (administrators). mesateed --recover opens a "
     "node with shares.",
     "mesatee keyslot check ./share-1-of-3", mt_cli_keyslot_check},
    {"keyslot", "kept", "keyslot kept",
     "The keys that the node keeps for others of its owner, each by its name (administrators).",
     "mesatee keyslot kept --context keeper", mt_cli_keyslot_kept},
    {"keyslot", "remove", "keyslot remove NUMBER|KEY",
     "Removes a slot; never the last one. Or destroys a key that is kept for another node, by its "
     "name: its slot there opens no more (administrators).",
     "mesatee keyslot remove 1", mt_cli_keyslot_remove},
    {"data", "put", "data put NAME FILE",
     "Uploads a version; versions never change. Interrupted, it leaves none.",
     "mesatee data put visits visits.csv", mt_cli_data_put},
    {"data", "get", "data get NAME|ID FILE [--version N]",
     "Downloads a version of your own data, the newest if none is named, and checks it; the file "
     "appears when it is whole.",
     "mesatee data get visits copy.csv", mt_cli_data_get},
    {"data", "list", "data list", "Data that you own or may know of.", "mesatee data list",
     mt_cli_data_list},
    {"data", "show", "data show NAME|ID [--before VERSION]",
     "Versions, commitments, grants; of versions the newest hundred, or those before one.",
     "mesatee data show visits", mt_cli_data_show},
    {"data", "grant",
     "data grant NAME|ID WHO [--right see|use] [--function NAME] [--until MS] [--count N]",
     "Lets another see your data's description, or name it in tasks; --until is in milliseconds "
     "since 1970. Reading stays yours.",
     "mesatee data grant visits alice --right use --function psi", mt_cli_data_grant},
    {"data", "revoke", "data revoke NAME|ID GRANT", "Ends a grant.",
     "mesatee data revoke visits 0f3c...", mt_cli_data_revoke},
    {"data", "delete", "data delete NAME|ID [--now]",
     "Deletes all versions; beyond recovery within the node's shred time, or with --now at once.",
     "mesatee data delete visits --now", mt_cli_data_delete},
    {"function", "list", "function list", "The functions of the node.", "mesatee function list",
     mt_cli_function_list},
    {"function", "show", "function show NAME",
     "A function's digest and the schema of its arguments.", "mesatee function show psi",
     mt_cli_function_show},
    {"task", "create", "task create FILE",
     "Proposes a computation: FILE is JSON, see docs/tutorial.md; of data without a version the "
     "newest is taken, and pinned. Prints the task's id.",
     "mesatee task create task.json", mt_cli_task_create},
    {"task", "show", "task show TASK [--before NUMBER]",
     "In prose and as bytes, exactly what an approval signs; and how the task stands. With --json "
     "also its newest hundred runs, or those before one.",
     "mesatee task show 4be1...", mt_cli_task_show},
    {"task", "approve", "task approve TASK [--digest HEX]",
     "Signs the task's digest, if it is the one that you name.",
     "mesatee task approve 4be1... --digest 9f02...", mt_cli_task_approve},
    {"task", "reject", "task reject TASK [--reason TEXT]", "Says no, for all to see.",
     "mesatee task reject 4be1... --reason 'too fine'", mt_cli_task_reject},
    {"task", "withdraw", "task withdraw TASK", "Takes your approval back; a run under way ends.",
     "mesatee task withdraw 4be1...", mt_cli_task_withdraw},
    {"task", "run", "task run TASK [--no-wait]",
     "Runs an approved task and waits for it. Interrupted, the waiting ends and the run goes on.",
     "mesatee task run 4be1...", mt_cli_task_run},
    {"task", "watch", "task watch TASK [--after TRANSACTION] [--renew SECONDS]",
     "Follows what happens to a task until it is interrupted, and judges the node anew every ten "
     "minutes, or sooner; with --json, a line of JSON for each event.",
     "mesatee task watch 4be1...", mt_cli_task_watch},
    {"task", "cancel", "task cancel TASK [--run RUN]", "Cancels a run, or the whole task.",
     "mesatee task cancel 4be1...", mt_cli_task_cancel},
    {"task", "list", "task list", "Tasks that you have a part in.", "mesatee task list",
     mt_cli_task_list},
    {"task", "result", "task result TASK OUTPUT FILE [--run RUN]",
     "Downloads an output that names you as receiver, and checks it.",
     "mesatee task result 4be1... totals totals.csv", mt_cli_task_result},
    {"receipt", "get", "receipt get TASK FILE [--run RUN]", "The receipt of a run.",
     "mesatee receipt get 4be1... run.receipt", mt_cli_receipt_get},
    {"receipt", "verify", "receipt verify FILE [--explain]",
     "Checks a receipt offline, by the policy of the context.",
     "mesatee receipt verify run.receipt --explain", mt_cli_receipt_verify},
    {"receipt", "compare", "receipt compare FILE FILE",
     "Whether two receipts can both be true of one ledger.",
     "mesatee receipt compare mine.receipt theirs.receipt", mt_cli_receipt_compare},
    {"audit", "list", "audit list [--after TRANSACTION]",
     "The audit log: transaction, time, who, phase, action, what it was about, what became of it "
     "(administrators).",
     "mesatee audit list --after 100", mt_cli_audit_list},
    {"audit", "verify", "audit verify",
     "Rebuilds the whole tree from the log: nothing is missing, nothing was changed "
     "(administrators).",
     "mesatee audit verify", mt_cli_audit_verify},
    {"policy", "new",
     "policy new FILE --identity NAME --name TEXT [--platform HASH]... [--operator HASH]... "
     "[--measurement HASH]... [--configuration HASH]... [--auditor KEY]... [--threshold N] "
     "[--level N] [--kind KIND]... [--tcb-status STATUS]... [--advisory NAME]... "
     "[--minimum-tcb-date TIME] [--minimum NAME=N]... [--allow WEAKNESS]... [--machine HASH]... "
     "[--tpm-root HASH]...",
     "Writes an appraisal policy, signed by your identity. Auditors are named by their public "
     "keys; the threshold says how many of them it takes (all, unless it is given). What begins at "
     "--kind (tpm, azure, snp, tdx, sgx) is about evidence of hardware, of which nothing is "
     "accepted unless it is named; without --tcb-status it takes what is up to date, or is not "
     "rated by its maker, and without --machine any machine of the kind. The key of a TPM counts "
     "if it is named as a platform, certified by an "
     "operator, or leads to a root that this build knows or --tpm-root names: the SHA-256 of its "
     "certificate.",
     "mesatee policy new lab.policy --identity alice --name lab --platform 61ab... --measurement "
     "9c20...",
     mt_cli_policy_new},
    {"policy", "sign", "policy sign FILE OUT --identity NAME",
     "Makes a policy yours, after you have read it: FILE is signed by somebody else, or plain "
     "JSON. What it says, and its hash, stay as they are.",
     "mesatee policy sign theirs.policy mine.policy --identity bob", mt_cli_policy_sign},
    {"policy", "show", "policy show [FILE]",
     "What a policy, or the context's, trusts; who signed it.", "mesatee policy show lab.policy",
     mt_cli_policy_show},
    {"policy", "check", "policy check FILE [--identity NAME]",
     "Checks a policy: that it is whole, that its signature holds, that the identity signed it, "
     "that it accepts anything at all.",
     "mesatee policy check lab.policy --identity alice", mt_cli_policy_check},
    {"auditor", "new",
     "auditor new FILE --sequence N --measurement HASH[=NAME]... [--days N] [--not-before MS]",
     "Writes a list of reference values for auditors to sign, valid for a number of days (90 "
     "unless said). The sequence is higher than in any list before: clients never go back.",
     "mesatee auditor new lab.auditors --sequence 4 --measurement 9c20...=mesateed-0.1.0 --days 30",
     mt_cli_auditor_new},
    {"auditor", "sign", "auditor sign FILE --identity NAME",
     "Shows the list, and adds your signature to it. A policy says how many distinct auditors it "
     "takes.",
     "mesatee auditor sign lab.auditors --identity carol", mt_cli_auditor_sign},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};
