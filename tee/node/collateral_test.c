/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node/held_world_test.h"

static mt_err take(struct mt_held *h, uint64_t at_ms)
{
    const struct mt_held_order o = {fs, root, folder, &own, at_ms};
    trace.count = 0;
    return mt_held_take(h, &o, &trace);
}

static mt_err check(const struct mt_held *h, uint64_t at_ms)
{
    trace.count = 0;
    return mt_held_check(h, &own, at_ms, &trace);
}

static void what_is_held_lets_others_verify_who_ask_nobody(void)
{
    begin();
    MT_DEFER(mt_held_free) struct mt_held h = opened();
    MT_ASSERT(h.bundle.evidence.quote.len == 0);
    MT_ASSERT(mt_failed(verify_shown(&h)));
    OK(take(&h, now_ms));
    OK(verify_shown(&h));
    OK(check(&h, now_ms));
    end();
}

static void what_was_good_is_there_after_a_restart_without_the_folder(void)
{
    begin();
    MT_DEFER(mt_held_free) struct mt_held h = opened();
    OK(take(&h, now_ms));
    mt_held_free(&h);
    clear();
    MT_DEFER(mt_held_free) struct mt_held again = opened();
    OK(check(&again, now_ms));
    OK(verify_shown(&again));
    MT_ASSERT(mt_failed(take(&again, now_ms)));
    OK(verify_shown(&again));
    end();
}

/* Each file, its bytes changed, missing, of another platform: the last that was good stays. */
static void a_folder_that_is_not_the_makers_is_not_taken(void)
{
    begin();
    MT_DEFER(mt_held_free) struct mt_held h = opened();
    OK(take(&h, now_ms));
    for (size_t i = 0; i < NAMES; i++) {
        MT_DEFER(mt_buf_free) struct mt_buf b = load(set, names[i]);
        b.ptr[b.len / 2] ^= 1;
        put(names[i], mt_buf_bytes(&b));
        MT_ASSERT(mt_failed(take(&h, now_ms)));
        put(names[i], MT_LITERAL("x"));
        MT_ASSERT(mt_failed(take(&h, now_ms)));
        MT_ASSERT(mt_trace_failed(&trace) != NULL);
        b.ptr[b.len / 2] ^= 1;
        put(names[i], mt_buf_bytes(&b));
        OK(verify_shown(&h));
    }
    fetch(other_set);
    MT_ASSERT(mt_failed(take(&h, now_ms)));
    OK(verify_shown(&h));
    clear();
    MT_ASSERT(mt_failed(take(&h, now_ms)));
    OK(verify_shown(&h));
    MT_DEFER(mt_held_free) struct mt_held sealed = opened();
    OK(verify_shown(&sealed));
    end();
}

static void what_has_run_out_is_named_and_not_taken(void)
{
    begin();
    MT_DEFER(mt_held_free) struct mt_held h = opened();
    MT_ASSERT(mt_failed(take(&h, now_ms + (uint64_t)400 * DAY_MS)));
    const struct mt_check *why = mt_trace_failed(&trace);
    MT_ASSERT(why != NULL && why->mend != NULL);
    MT_ASSERT(h.bundle.evidence.quote.len == 0);
    OK(take(&h, now_ms));
    MT_ASSERT(mt_failed(check(&h, now_ms + (uint64_t)400 * DAY_MS)));
    MT_ASSERT(mt_trace_failed(&trace) != NULL);
    end();
}

static void a_file_that_is_too_long_is_not_read(void)
{
    static uint8_t long_file[MT_EVIDENCE_BYTES_MAX + 1];
    begin();
    MT_DEFER(mt_held_free) struct mt_held h = opened();
    put("pck_crl.der", MT_BYTES_OF(long_file));
    MT_ASSERT(is_code(take(&h, now_ms), MT_E_LIMIT));
    fetch(set);
    own.evidence.event_log = (mt_bytes){long_file, MT_EVIDENCE_BYTES_MAX / 2 + 8 * 1024};
    own.log = (mt_bytes){long_file, MT_EVIDENCE_BYTES_MAX / 2 - 8 * 1024};
    OK(take(&h, now_ms)); /* it stays away */
    own.evidence.ak_public = own.evidence.event_log;
    MT_ASSERT(is_code(take(&h, now_ms), MT_E_LIMIT));
    MT_ASSERT(strcmp(mt_trace_failed(&trace)->rule, "collateral-size") == 0);
    end();
}

static void what_the_disk_changed_is_not_held(void)
{
    struct mt_held none;
    begin();
    MT_DEFER(mt_held_free) struct mt_held h = opened();
    OK(take(&h, now_ms));
    MT_DEFER(mt_buf_free) struct mt_buf b = file_get(fs, "collateral.mts");
    b.ptr[b.len / 2] ^= 1;
    file_put(fs, "collateral.mts", mt_buf_bytes(&b));
    MT_ASSERT(is_code(mt_held_open(fs, root, &none), MT_E_PROOF));
    end();
}

static void a_disk_that_fails_leaves_what_was_held(void)
{
    begin();
    MT_DEFER(mt_held_free) struct mt_held h = opened();
    disk_fault(MT_SIM_ERROR, 1);
    MT_ASSERT(mt_failed(take(&h, now_ms)));
    MT_ASSERT(h.bundle.evidence.quote.len == 0);
    disk_heal();
    OK(take(&h, now_ms));
    end();
}

/* Before a peer is asked to open the disk. */
static void what_the_folder_holds_is_offered_while_nothing_is_sealed(void)
{
    MT_DEFER(mt_held_free) struct mt_held h = {.bytes = mt_buf_of_max(0)};
    begin();
    MT_DEFER(mt_buf_free) struct mt_buf vek = load(set, names[0]); /* anything */
    char path[128];
    put("vcek.pem", mt_buf_bytes(&vek));
    OK(mt_held_offer(folder, &h));
    OK(verify_shown(&h));
    MT_ASSERT(mt_bytes_equal(h.bundle.evidence.collateral.vek, mt_buf_bytes(&vek)));
    MT_ASSERT(h.bundle.evidence.collateral.amd_crl.len == 0);
    OK(mt_held_offer("/nowhere", &h));
    MT_ASSERT(mt_failed(verify_shown(&h)));
    (void)snprintf(path, sizeof path, "%s/vcek.pem", folder);
    (void)unlink(path);
    end();
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(what_the_folder_holds_is_offered_while_nothing_is_sealed),
        MT_TEST(what_is_held_lets_others_verify_who_ask_nobody),
        MT_TEST(what_was_good_is_there_after_a_restart_without_the_folder),
        MT_TEST(a_folder_that_is_not_the_makers_is_not_taken),
        MT_TEST(what_has_run_out_is_named_and_not_taken),
        MT_TEST(a_file_that_is_too_long_is_not_read),
        MT_TEST(what_the_disk_changed_is_not_held),
        MT_TEST(a_disk_that_fails_leaves_what_was_held),
    };
    MT_ASSERT(mkdtemp(folder) != NULL);
    return held_main(argc, argv, tests, sizeof tests / sizeof *tests);
}
