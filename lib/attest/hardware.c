/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/hardware.h"

#include <string.h>

#include "base/text.h"

/* A set of words, each of a table: bits in memory; in the text an array in the table's order, so
 * that there is one way to write it. */
static void put_words(struct mt_json_writer *j, const char *name, uint32_t bits, enum mt_words of)
{
    mt_json_begin_array(j, name);
    for (unsigned i = 0; i < mt_words_count(of); i++) {
        if ((bits >> i & 1) == 1) {
            mt_json_put_text(j, NULL, mt_bytes_of_text(mt_words_at(of, i)));
        }
    }
    mt_json_end_array(j);
}

static MT_ERR get_words(const struct mt_json *object, const char *name, enum mt_words of,
                        uint32_t *bits)
{
    const struct mt_json *list = NULL;
    size_t n = 0;
    unsigned next = 0;
    MT_TRY(mt_json_array(object, name, mt_words_count(of), &list, &n));
    for (size_t i = 0; i < n; i++) {
        mt_bytes text;
        unsigned at = 0;
        MT_TRY(mt_json_as_text(mt_json_at(list, i), &text));
        MT_TRY(mt_words_find(of, text, &at));
        MT_REQUIRE(at >= next, MT_E_FORMAT,
                   "a policy names a kind, status or weakness twice, or not in order");
        *bits |= UINT32_C(1) << at;
        next = at + 1;
    }
    return MT_OK;
}

/* What stands in the policy by name: short, printable, and as it is in JSON. */
static MT_ERR get_word(mt_bytes text, char out[MT_POLICY_WORD_MAX + 1])
{
    MT_REQUIRE(text.len > 0 && text.len <= MT_POLICY_WORD_MAX, MT_E_FORMAT,
               "a name in a policy has 1 to 31 characters");
    for (size_t i = 0; i < text.len; i++) {
        uint8_t b = text.ptr[i];
        bool is_word = (b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') ||
                       b == '-' || b == '_' || b == '.';
        MT_REQUIRE(is_word, MT_E_FORMAT, "a name in a policy has letters, digits, - _ . alone");
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return MT_OK;
}

static MT_ERR get_advisories(const struct mt_json *object, struct mt_hardware_policy *out)
{
    const struct mt_json *list = NULL;
    MT_TRY(mt_json_array(object, "advisories", MT_ADVISORIES_MAX, &list, &out->advisories_count));
    for (size_t i = 0; i < out->advisories_count; i++) {
        mt_bytes text;
        MT_TRY(mt_json_as_text(mt_json_at(list, i), &text));
        MT_TRY(get_word(text, out->advisories[i]));
    }
    return MT_OK;
}

static MT_ERR get_minimums(const struct mt_json *object, struct mt_hardware_policy *out)
{
    const struct mt_json *all = NULL;
    const struct mt_json *value = NULL;
    mt_bytes name;
    MT_TRY(mt_json_object(object, "minimums", &all));
    while (!mt_failed(mt_json_member(all, out->minimums_count, &name, &value))) {
        MT_REQUIRE(out->minimums_count < MT_POLICY_MINIMUMS_MAX, MT_E_FORMAT,
                   "a policy has up to 16 minimums");
        struct mt_policy_minimum *m = &out->minimums[out->minimums_count++];
        MT_TRY(get_word(name, m->name));
        MT_TRY(mt_json_as_uint(value, UINT64_MAX >> 11, &m->value));
    }
    return MT_OK;
}

static MT_ERR get_platforms(const struct mt_json *object, struct mt_hardware_policy *out)
{
    const struct mt_json *list = NULL;
    size_t n = 0;
    if (!mt_json_has(object, "platforms")) {
        return MT_OK;
    }
    MT_TRY(mt_json_array(object, "platforms", MT_POLICY_PLATFORMS_MAX, &list, &n));
    MT_REQUIRE(n > 0, MT_E_FORMAT, "a policy that names platforms names at least one");
    for (size_t i = 0; i < n; i++) {
        mt_bytes text;
        MT_TRY(mt_json_as_text(mt_json_at(list, i), &text));
        MT_TRY(mt_hex_parse(text, (mt_span){out->platforms[i].b, sizeof out->platforms[i].b}));
    }
    out->platforms_count = n;
    return MT_OK;
}

MT_ERR mt_hardware_policy_get(const struct mt_json *root, struct mt_hardware_policy *out)
{
    static const char *const fields[] = {"advisories",       "allow",    "kinds",
                                         "minimum_tcb_date", "minimums", "platforms",
                                         "tcb_statuses",     NULL};
    const struct mt_json *h = NULL;
    if (!mt_json_has(root, "hardware")) {
        return MT_OK;
    }
    MT_TRY(mt_json_object(root, "hardware", &h));
    MT_TRY(mt_json_known(h, fields));
    MT_TRY(get_words(h, "kinds", MT_WORDS_KIND, &out->kinds));
    MT_REQUIRE((out->kinds & (1u << MT_EVIDENCE_NONE | 1u << MT_EVIDENCE_SOFT)) == 0, MT_E_FORMAT,
               "a policy names as hardware what is none");
    MT_TRY(get_words(h, "tcb_statuses", MT_WORDS_TCB_STATUS, &out->tcb_statuses));
    MT_TRY(get_words(h, "allow", MT_WORDS_WEAKNESS, &out->weaknesses));
    MT_TRY(mt_json_uint(h, "minimum_tcb_date", UINT64_MAX >> 11, &out->minimum_tcb_date_ms));
    MT_TRY(get_advisories(h, out));
    MT_TRY(get_minimums(h, out));
    MT_TRY(get_platforms(h, out));
    out->is_named = true;
    return MT_OK;
}

void mt_hardware_policy_put(struct mt_json_writer *j, const struct mt_hardware_policy *p)
{
    if (!p->is_named) {
        return;
    }
    mt_json_begin_object(j, "hardware");
    mt_json_begin_array(j, "advisories");
    for (size_t i = 0; i < p->advisories_count; i++) {
        mt_json_put_text(j, NULL, mt_bytes_of_text(p->advisories[i]));
    }
    mt_json_end_array(j);
    put_words(j, "allow", p->weaknesses, MT_WORDS_WEAKNESS);
    put_words(j, "kinds", p->kinds, MT_WORDS_KIND);
    mt_json_put_uint(j, "minimum_tcb_date", p->minimum_tcb_date_ms);
    mt_json_begin_object(j, "minimums");
    for (size_t i = 0; i < p->minimums_count; i++) {
        mt_json_put_uint(j, p->minimums[i].name, p->minimums[i].value);
    }
    mt_json_end_object(j);
    if (p->platforms_count > 0) {
        mt_json_begin_array(j, "platforms");
        for (size_t i = 0; i < p->platforms_count; i++) {
            mt_json_put_hex(j, NULL, mt_hash_bytes(&p->platforms[i]));
        }
        mt_json_end_array(j);
    }
    put_words(j, "tcb_statuses", p->tcb_statuses, MT_WORDS_TCB_STATUS);
    mt_json_end_object(j);
}

/* Each weakness has its rule, so that a refusal names the one that counted. */
static MT_ERR check_weaknesses(const struct mt_hardware_policy *p, const struct mt_claims *c,
                               struct mt_trace *trace)
{
    static const struct {
        const char *rule;
        const char *meaning;
        const char *mend;
    } of[MT_WEAKNESSES] = {
        [MT_WEAK_DEBUG] = {"debug", "the maker's debug switch is off: nobody may read its memory",
                           "start it without debug; a test bench may allow debug in its policy"},
        [MT_WEAK_MIGRATABLE] = {"migratable", "it cannot be moved to another machine",
                                "start it without migration, or allow migratable in the policy"},
        [MT_WEAK_SERVICE_TD] = {"service-td", "no service TD is bound to it",
                                "start it without one, or allow service-td in the policy"},
        [MT_WEAK_SEPT_VE] = {"sept-ve", "the host cannot make it take exceptions on private pages",
                             "set SEPT_VE_DISABLE, or allow sept-ve in the policy"},
        [MT_WEAK_RESERVED] = {"reserved-attributes", "no attribute is set that is unknown here",
                              "use a newer verifier, or allow reserved-attributes in the policy"},
        [MT_WEAK_PROVISIONAL_FIRMWARE] =
            {"provisional-firmware", "the machine has committed to the firmware that it runs",
             "commit the firmware, or allow provisional-firmware in the policy"},
        [MT_WEAK_VMPL] = {"vmpl", "the report was asked for at privilege level 0",
                          "ask from level 0, or allow vmpl in the policy"},
        [MT_WEAK_UNCLEAN_STOP] = {"unclean-stop",
                                  "the TPM was shut down in order before this start",
                                  "shut it down in order, or allow unclean-stop in the policy"},
    };
    for (unsigned i = 0; i < MT_WEAKNESSES; i++) {
        if (!mt_claims_has(c, (enum mt_weakness)i)) {
            continue;
        }
        if ((p->weaknesses >> i & 1) == 1) {
            mt_trace_pass(trace, of[i].rule, "a weakness that the policy allows");
        } else {
            mt_trace_fail(trace, of[i].rule, of[i].meaning, of[i].mend);
            MT_FAIL(MT_E_DENIED, "a weakness that the policy does not allow");
        }
    }
    return MT_OK;
}

static bool is_tolerated(const struct mt_hardware_policy *p, mt_bytes advisory)
{
    for (size_t i = 0; i < p->advisories_count; i++) {
        if (mt_bytes_equal(mt_bytes_of_text(p->advisories[i]), advisory)) {
            return true;
        }
    }
    return false;
}

static MT_ERR check_tcb(const struct mt_hardware_policy *p, const struct mt_claims *c,
                        struct mt_trace *trace)
{
    bool are_all = true;
    for (size_t i = 0; i < c->advisories_count; i++) {
        are_all = are_all && is_tolerated(p, c->advisories[i]);
    }
    MT_CHECK(trace, (p->tcb_statuses >> c->tcb_status & 1) == 1, MT_E_DENIED, "tcb-status",
             "the platform's firmware has a status that the policy accepts",
             "update the platform, or add the status to tcb_statuses, knowing its advisories");
    MT_CHECK(trace, are_all, MT_E_DENIED, "tcb-advisory",
             "every advisory that is open for the platform is one that the policy tolerates",
             "update the platform, or read the advisory and add it to advisories");
    MT_CHECK(trace, c->tcb_date_ms >= p->minimum_tcb_date_ms, MT_E_DENIED, "tcb-date",
             "the platform's firmware is from the policy's minimum date or later",
             "update the platform, or lower minimum_tcb_date");
    return MT_OK;
}

static MT_ERR check_minimums(const struct mt_hardware_policy *p, const struct mt_claims *c,
                             struct mt_trace *trace)
{
    bool are_reached = true;
    for (size_t i = 0; i < p->minimums_count; i++) {
        const struct mt_claimed *x = mt_claimed(c, mt_bytes_of_text(p->minimums[i].name));
        are_reached = are_reached && x != NULL && x->is_number && x->number >= p->minimums[i].value;
    }
    MT_CHECK(trace, are_reached, MT_E_DENIED, "minimum-version",
             "every version that the policy sets a minimum for is there and reaches it",
             "update what is older; a name that this kind of evidence has not is never reached");
    return MT_OK;
}

MT_ERR mt_hardware_appraise(const struct mt_hardware_policy *p, const struct mt_claims *c,
                            struct mt_trace *trace)
{
    bool is_meant = p->platforms_count == 0;
    MT_CHECK(trace, p->is_named && (p->kinds >> c->kind & 1) == 1, MT_E_DENIED, "kind-unnamed",
             "the policy accepts this kind of evidence",
             "name it in the policy: mesatee policy new --kind KIND");
    MT_TRY(check_weaknesses(p, c, trace));
    MT_TRY(check_tcb(p, c, trace));
    MT_TRY(check_minimums(p, c, trace));
    for (size_t i = 0; i < p->platforms_count; i++) {
        is_meant = is_meant || mt_hash_equal(&c->platform, &p->platforms[i]);
    }
    MT_CHECK(trace, is_meant, MT_E_DENIED, "platform-foreign",
             "the machine is one that the policy names, or it names none",
             "a genuine machine of somebody else runs the same code: add this one to platforms if "
             "it is yours");
    return MT_OK;
}
