/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/context.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "mesatee/entropy.h"
#include "mesatee/policy_file.h"
#include "mesatee/seen.h"
#include "mesatee/session.h"
#include "unit/runner.h"

/* A home with two people, auditors, and a context; no node. */

#define OK(call_) MT_ASSERT(!mt_failed(call_))

enum { FILE_MAX = 128 * 1024, AUDITORS = 3 };
static const uint64_t hour_ms = UINT64_C(60) * 60 * 1000;

static char work[] = "/tmp/mesatee-context-XXXXXX";
static struct mt_home home;
static struct mt_key *auditors[AUDITORS];

static bool fails(mt_err e, enum mt_code code, const char *rule)
{
    return mt_failed(e) && e.fault->code == code && strncmp(e.fault->what, rule, strlen(rule)) == 0;
}

static const char *path_of(const char *name)
{
    static char paths[4][MT_PATH_MAX];
    static size_t next;
    char *p = paths[next++ % 4];
    (void)snprintf(p, MT_PATH_MAX, "%s/%s", work, name);
    return p;
}

static void remove_all(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char sub[MT_PATH_MAX];
        (void)snprintf(sub, sizeof sub, "%s/%s", path, entries[i]->d_name);
        if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0) {
            remove_all(sub);
        }
        free(entries[i]);
    }
    free(entries);
    (void)remove(path);
}

/* Names the auditors, two of whom have to sign; or none of them. */
static void make_policy(const char *identity, const char *file, bool has_auditors)
{
    static struct mt_policy p;
    MT_DEFER(mt_key_free) struct mt_key *k = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf bytes = mt_buf_of_max(FILE_MAX);
    memset(&p, 0, sizeof p);
    p.name = MT_LITERAL("test");
    p.minimum_level = 2;
    for (size_t i = 0; has_auditors && i < AUDITORS; i++) {
        p.auditors.keys[i] = *mt_key_public(auditors[i]);
        p.auditors.keys_count = AUDITORS;
        p.auditors.threshold = 2;
    }
    OK(mt_identity_load(&home, identity, &k));
    OK(mt_policy_sign(k, &p, &bytes));
    OK(mt_file_store(path_of(file), mt_buf_bytes(&bytes)));
}

/* Signed by so many of them, the first one twice if it is possible at all. */
static void make_list(const char *file, uint64_t sequence, size_t signers, uint64_t age_ms)
{
    static struct mt_auditors_list l;
    MT_DEFER(mt_buf_free) struct mt_buf bytes = mt_buf_of_max(FILE_MAX);
    memset(&l, 0, sizeof l);
    l.sequence = sequence;
    l.not_before_ms = mt_now_ms() - age_ms;
    l.not_after_ms = l.not_before_ms + hour_ms;
    l.values_count = 1;
    OK(mt_auditors_list_new(&l, &bytes));
    for (size_t i = 0; i < signers; i++) {
        MT_DEFER(mt_buf_free) struct mt_buf more = mt_buf_of_max(FILE_MAX);
        MT_DEFER(mt_buf_free) struct mt_buf again = mt_buf_of_max(FILE_MAX);
        OK(mt_auditors_list_sign(auditors[i], mt_buf_bytes(&bytes), &l, &more));
        mt_buf_free(&bytes);
        bytes = mt_buf_of_max(FILE_MAX);
        OK(mt_buf_append(&bytes, mt_buf_bytes(&more)));
        MT_ASSERT(fails(mt_auditors_list_sign(auditors[i], mt_buf_bytes(&bytes), &l, &again),
                        MT_E_CONFLICT, "this auditor has signed"));
    }
    OK(mt_file_store(path_of(file), mt_buf_bytes(&bytes)));
}

static MT_ERR make(const char *policy, const char *list, struct mt_context **out)
{
    struct mt_trace trace = {.count = 0};
    struct mt_key *k = NULL;
    char cluster[65];
    memset(cluster, 'a', 64);
    cluster[64] = '\0';
    const struct mt_context_options o = {.name = "lab",
                                         .address = "127.0.0.1:1",
                                         .identity = "alice",
                                         .policy = path_of(policy),
                                         .auditors = list == NULL ? NULL : path_of(list),
                                         .cluster = cluster};
    OK(mt_identity_load(&home, "alice", &k));
    return mt_context_new(&o, k, &trace, out);
}

static void a_policy_that_another_has_signed_makes_no_context(void)
{
    MT_DEFER(mt_context_free) struct mt_context *c = NULL;
    make_policy("bob", "bob.policy", false);
    MT_ASSERT(fails(make("bob.policy", NULL, &c), MT_E_PROOF, "policy-signer"));
    make_policy("alice", "alice.policy", false);
    OK(make("alice.policy", NULL, &c));
}

static void a_policy_that_was_put_in_the_place_of_ours_is_refused(void)
{
    MT_DEFER(mt_context_free) struct mt_context *c = NULL;
    MT_DEFER(mt_context_free) struct mt_context *again = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf theirs = mt_buf_of_max(0);
    make_policy("alice", "alice.policy", false);
    make_policy("bob", "bob.policy", false);
    OK(make("alice.policy", NULL, &c));
    OK(mt_context_store(&home, c));
    OK(mt_file_load(path_of("bob.policy"), FILE_MAX, &theirs));
    OK(mt_file_store(path_of("home/contexts/lab.policy"), mt_buf_bytes(&theirs)));
    MT_ASSERT(fails(mt_context_load(&home, "lab", &again), MT_E_PROOF, "policy-signer"));
}

static void a_policy_of_another_becomes_ours_with_the_same_hash(void)
{
    static struct mt_policy theirs;
    static struct mt_policy ours;
    MT_DEFER(mt_key_free) struct mt_key *k = NULL;
    MT_DEFER(mt_context_free) struct mt_context *c = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf file = mt_buf_of_max(0);
    MT_DEFER(mt_buf_free) struct mt_buf out = mt_buf_of_max(FILE_MAX);
    MT_DEFER(mt_buf_free) struct mt_buf nothing = mt_buf_of_max(FILE_MAX);
    mt_hash signer;
    make_policy("bob", "bob.policy", true);
    OK(mt_identity_load(&home, "alice", &k));
    OK(mt_file_load(path_of("bob.policy"), FILE_MAX, &file));
    OK(mt_policy_load(mt_buf_bytes(&file), &signer, &theirs));
    OK(mt_policy_adopt(k, mt_buf_bytes(&file), &ours, &out));
    MT_ASSERT(mt_hash_equal(&ours.hash, &theirs.hash));
    OK(mt_file_store(path_of("adopted.policy"), mt_buf_bytes(&out)));
    OK(make("adopted.policy", NULL, &c));
    file.ptr[file.len - 1] ^= 1; /* of a signature: nobody wrote this */
    MT_ASSERT(fails(mt_policy_adopt(k, mt_buf_bytes(&file), &ours, &nothing), MT_E_PROOF, ""));
}

static void a_list_counts_when_enough_auditors_have_signed_and_its_time_has_come(void)
{
    MT_DEFER(mt_context_free) struct mt_context *c = NULL;
    make_policy("alice", "plain.policy", false);
    make_policy("alice", "audited.policy", true);
    make_list("one.list", 5, 1, 0);
    make_list("old.list", 5, 2, 2 * hour_ms);
    make_list("good.list", 5, 2, 0);
    MT_ASSERT(fails(make("plain.policy", "good.list", &c), MT_E_ARG, "auditors-unnamed"));
    MT_ASSERT(fails(make("audited.policy", "one.list", &c), MT_E_PROOF, "auditors-quorum"));
    MT_ASSERT(fails(make("audited.policy", "old.list", &c), MT_E_STALE, "auditors-expired"));
    OK(make("audited.policy", "good.list", &c));
    MT_ASSERT(c->auditors_sequence == 5);
}

static void a_list_never_goes_back_when_a_context_is_added_again(void)
{
    MT_DEFER(mt_context_free) struct mt_context *c = NULL;
    MT_DEFER(mt_context_free) struct mt_context *older = NULL;
    MT_DEFER(mt_context_free) struct mt_context *none = NULL;
    make_policy("alice", "audited.policy", true);
    make_list("six.list", 6, 2, 0);
    make_list("seven.list", 7, 2, 0);
    OK(make("audited.policy", "seven.list", &c));
    OK(mt_context_store(&home, c));
    OK(make("audited.policy", "six.list", &older));
    MT_ASSERT(fails(mt_context_inherit(&home, older), MT_E_STALE, "auditors-sequence"));
    OK(make("audited.policy", NULL, &none));
    OK(mt_context_inherit(&home, none));
    MT_ASSERT(none->auditors_sequence == 7 && none->policy->auditors.minimum_sequence == 7);
}

static void a_list_that_was_put_back_is_older_than_the_context_knows(void)
{
    static struct mt_auditors_list l;
    MT_DEFER(mt_context_free) struct mt_context *c = NULL;
    MT_DEFER(mt_context_free) struct mt_context *again = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf six = mt_buf_of_max(0);
    struct mt_trace trace = {.count = 0};
    make_policy("alice", "audited.policy", true);
    make_list("six.list", 6, 2, 0);
    make_list("seven.list", 7, 2, 0);
    OK(make("audited.policy", "seven.list", &c));
    OK(mt_context_store(&home, c));
    OK(mt_file_load(path_of("six.list"), FILE_MAX, &six));
    OK(mt_file_store(path_of("home/contexts/lab.auditors"), mt_buf_bytes(&six)));
    OK(mt_context_load(&home, "lab", &again));
    MT_ASSERT(fails(mt_auditors_verify(mt_buf_bytes(&again->auditors), &again->policy->auditors,
                                       mt_now_ms(), &l, &trace),
                    MT_E_STALE, "auditors-sequence"));
}

static void a_context_that_is_added_again_keeps_the_head_of_its_cluster_alone(void)
{
    MT_DEFER(mt_context_free) struct mt_context *c = NULL;
    MT_DEFER(mt_context_free) struct mt_context *again = NULL;
    MT_DEFER(mt_context_free) struct mt_context *other = NULL;
    make_policy("alice", "alice.policy", false);
    OK(make("alice.policy", NULL, &c));
    c->head = (struct mt_head){.epoch = 2, .size = 77};
    memset(c->head.root.b, 7, sizeof c->head.root.b);
    OK(mt_context_store(&home, c));
    OK(make("alice.policy", NULL, &again));
    OK(mt_context_inherit(&home, again));
    MT_ASSERT(again->head.size == 77 && again->head.epoch == 2);
    MT_ASSERT(mt_hash_equal(&again->head.root, &c->head.root));
    OK(make("alice.policy", NULL, &other));
    other->cluster.b[0] ^= 1;
    OK(mt_context_inherit(&home, other));
    MT_ASSERT(other->head.size == 0);
}

static bool is_same_key(const struct mt_key *a, const struct mt_key *b)
{
    return mt_bytes_equal(mt_spki_bytes(mt_key_public(a)), mt_spki_bytes(mt_key_public(b)));
}

static void a_rotated_identity_keeps_the_old_key_and_signs_its_contexts_anew(void)
{
    MT_DEFER(mt_key_free) struct mt_key *before = NULL;
    MT_DEFER(mt_key_free) struct mt_key *fresh = NULL;
    MT_DEFER(mt_key_free) struct mt_key *kept = NULL;
    MT_DEFER(mt_key_free) struct mt_key *named = NULL;
    MT_DEFER(mt_context_free) struct mt_context *c = NULL;
    MT_DEFER(mt_context_free) struct mt_context *again = NULL;
    char old[MT_NAME_MAX + 1];
    make_policy("alice", "alice.policy", false);
    OK(make("alice.policy", NULL, &c));
    OK(mt_context_store(&home, c));
    OK(mt_identity_load(&home, "alice", &before));
    OK(mt_identity_rotate(&home, "alice", old, &fresh));
    MT_ASSERT(strcmp(old, "alice.old-1") == 0);
    OK(mt_identity_load(&home, old, &kept));
    OK(mt_identity_load(&home, "alice", &named));
    MT_ASSERT(is_same_key(kept, before));
    MT_ASSERT(is_same_key(named, fresh));
    MT_ASSERT(!is_same_key(named, kept));
    MT_ASSERT(fails(mt_context_load(&home, "lab", &again), MT_E_PROOF, "policy-signer"));
    OK(mt_context_sign(&home, "lab", fresh));
    OK(mt_context_load(&home, "lab", &again));
}

static void an_identity_is_its_owners_alone_and_never_overwritten(void)
{
    MT_DEFER(mt_key_free) struct mt_key *k = NULL;
    struct stat st;
    MT_ASSERT(fails(mt_identity_new(&home, "bob", &k), MT_E_CONFLICT, ""));
    MT_ASSERT(stat(path_of("home/identities/bob.key"), &st) == 0 && (st.st_mode & 0777) == 0600);
    MT_ASSERT(stat(path_of("home"), &st) == 0 && (st.st_mode & 0777) == 0700);
    MT_ASSERT(fails(mt_identity_new(&home, "../bob", &k), MT_E_ARG, "a name has"));
    MT_ASSERT(fails(mt_identity_new(&home, "", &k), MT_E_ARG, "a name has"));
}

static mt_err fault_of(enum mt_code code)
{
    static struct mt_fault faults[MT_E_CANCELLED + 1];
    faults[code].code = code;
    return (mt_err){&faults[code]};
}

static void every_failure_has_its_exit_code(void)
{
    static const struct {
        enum mt_code code;
        enum mt_exit exit;
    } table[] = {
        {MT_E_PROOF, MT_EXIT_NOT_GENUINE},  {MT_E_DENIED, MT_EXIT_REFUSED},
        {MT_E_STALE, MT_EXIT_REFUSED},      {MT_E_ARG, MT_EXIT_USAGE},
        {MT_E_CLOSED, MT_EXIT_UNREACHABLE}, {MT_E_IO, MT_EXIT_IO},
        {MT_E_NOTFOUND, MT_EXIT_IO},        {MT_E_INTERNAL, MT_EXIT_FAILED},
        {MT_E_LIMIT, MT_EXIT_FAILED},       {MT_E_NOMEM, MT_EXIT_FAILED},
        {MT_E_FORMAT, MT_EXIT_FAILED},      {MT_E_BUSY, MT_EXIT_FAILED},
        {MT_E_CONFLICT, MT_EXIT_FAILED},    {MT_E_UNKNOWN, MT_EXIT_FAILED},
        {MT_E_CANCELLED, MT_EXIT_FAILED},
    };
    MT_ASSERT(mt_exit_of(MT_OK) == MT_EXIT_DONE);
    MT_ASSERT(sizeof table / sizeof *table == MT_E_CANCELLED);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        MT_ASSERT(mt_exit_of(fault_of(table[i].code)) == table[i].exit);
    }
}

static void a_refusal_of_the_node_ends_as_what_it_is(void)
{
    static const struct {
        uint32_t status;
        enum mt_exit exit;
    } table[] = {{403, MT_EXIT_REFUSED},
                 {410, MT_EXIT_REFUSED},
                 {404, MT_EXIT_FAILED},
                 {409, MT_EXIT_FAILED},
                 {503, MT_EXIT_FAILED}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct mt_session s = {.home = NULL};
        struct mt_answer a = {.status = table[i].status, .body = mt_buf_of_max(256)};
        OK(mt_buf_append(&a.body,
                         MT_LITERAL("{\"check\":\"no\",\"detail\":\"d\",\"hint\":\"h\"}")));
        mt_err e = mt_session_refused(&s, &a);
        MT_ASSERT(mt_session_exit(&s, e) == table[i].exit);
        MT_ASSERT(strcmp(s.complaint.what, "no") == 0 && strcmp(s.complaint.mend, "h") == 0);
        MT_ASSERT(mt_session_exit(&s, fault_of(MT_E_PROOF)) == MT_EXIT_NOT_GENUINE);
        mt_buf_free(&a.body);
        mt_session_end(&s);
    }
}

static bool is_seen_as(mt_bytes text, const char *want)
{
    uint8_t room[256];
    mt_bytes got;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_seen_write(&w, text);
    OK(mt_write_end(&w, &got));
    return mt_bytes_equal(got, mt_bytes_of_text(want));
}

static void what_would_move_a_terminal_or_hide_is_shown_as_its_bytes(void)
{
    static const char turns[] = {'x', '\xe2', '\x80', '\xae', 'y', '\0'}; /* the direction */
    MT_ASSERT(is_seen_as(MT_LITERAL("caf\xc3\xa9, 10 %"), "caf\xc3\xa9, 10 %"));
    MT_ASSERT(is_seen_as(MT_LITERAL("a\x1b[2Jb\n"), "a\\x1b[2Jb\\x0a"));
    MT_ASSERT(is_seen_as(mt_bytes_of_text(turns), "x\\xe2\\x80\\xaey"));
    MT_ASSERT(is_seen_as(MT_LITERAL("\xff\xc3"), "\\xff\\xc3")); /* no UTF-8 */
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_policy_that_another_has_signed_makes_no_context),
        MT_TEST(a_policy_that_was_put_in_the_place_of_ours_is_refused),
        MT_TEST(a_policy_of_another_becomes_ours_with_the_same_hash),
        MT_TEST(a_list_counts_when_enough_auditors_have_signed_and_its_time_has_come),
        MT_TEST(a_list_never_goes_back_when_a_context_is_added_again),
        MT_TEST(a_list_that_was_put_back_is_older_than_the_context_knows),
        MT_TEST(a_context_that_is_added_again_keeps_the_head_of_its_cluster_alone),
        MT_TEST(a_rotated_identity_keeps_the_old_key_and_signs_its_contexts_anew),
        MT_TEST(an_identity_is_its_owners_alone_and_never_overwritten),
        MT_TEST(every_failure_has_its_exit_code),
        MT_TEST(a_refusal_of_the_node_ends_as_what_it_is),
        MT_TEST(what_would_move_a_terminal_or_hide_is_shown_as_its_bytes),
    };
    struct mt_key *k = NULL;
    OK(mt_entropy_open());
    MT_ASSERT(mkdtemp(work) != NULL);
    OK(mt_home_open(path_of("home"), &home));
    OK(mt_identity_new(&home, "alice", &k));
    mt_key_free(&k);
    OK(mt_identity_new(&home, "bob", &k));
    mt_key_free(&k);
    for (size_t i = 0; i < AUDITORS; i++) {
        OK(mt_key_new(&auditors[i]));
    }
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    for (size_t i = 0; i < AUDITORS; i++) {
        mt_key_free(&auditors[i]);
    }
    remove_all(work);
    mt_entropy_close();
    return result;
}
