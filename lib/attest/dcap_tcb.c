/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/dcap_tcb.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/time.h"

enum { HEX_BYTES_MAX = 48, ADVISORY_BYTES_MAX = 31 };

static void free_levels(struct mt_tcb_levels *l)
{
    free(l->at);
    *l = (struct mt_tcb_levels){NULL, 0};
}

void mt_tcb_info_free(struct mt_tcb_info *i)
{
    for (size_t m = 0; m < i->modules_count; m++) {
        free_levels(&i->modules[m].levels);
    }
    free_levels(&i->levels);
    mt_flat_free(&i->root);
}

void mt_qe_identity_free(struct mt_qe_identity *i)
{
    free_levels(&i->levels);
    mt_flat_free(&i->root);
}

/* Intel writes hexadecimal in upper case, and sometimes not. */
static MT_ERR get_hex(const struct mt_flat_node *o, const char *name, mt_span out)
{
    uint8_t lower[2 * HEX_BYTES_MAX];
    mt_bytes text;
    MT_TRY(mt_flat_text(o, name, &text));
    MT_ASSERT(out.len <= HEX_BYTES_MAX);
    MT_REQUIRE(text.len == 2 * out.len, MT_E_FORMAT, "collateral: hexadecimal of the wrong length");
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        lower[i] = c >= 'A' && c <= 'F' ? (uint8_t)(c + 'a' - 'A') : c;
    }
    return mt_hex_parse((mt_bytes){lower, text.len}, out);
}

static MT_ERR get_time(const struct mt_flat_node *o, const char *name, uint64_t *out)
{
    mt_bytes text;
    MT_TRY(mt_flat_text(o, name, &text));
    return mt_time_parse(text, out);
}

/* "INTEL-SA-00615": plain characters, so that they stand in the signed bytes as they are. */
static MT_ERR get_advisories(const struct mt_flat_node *o, struct mt_tcb_level *l)
{
    size_t count = 0;
    if (!mt_flat_has(o, "advisoryIDs")) {
        return MT_OK;
    }
    MT_TRY(mt_flat_array(o, "advisoryIDs", MT_ADVISORIES_MAX, &l->advisories, &count));
    const struct mt_flat_node *item = mt_flat_first(l->advisories);
    for (; item != NULL; item = mt_flat_next(item)) {
        mt_bytes id;
        MT_TRY(mt_flat_as_text(item, &id));
        MT_REQUIRE(id.len > 0 && id.len <= ADVISORY_BYTES_MAX, MT_E_FORMAT,
                   "collateral: an advisory without a name");
        for (size_t c = 0; c < id.len; c++) {
            uint8_t b = id.ptr[c];
            MT_REQUIRE((b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || b == '-', MT_E_FORMAT,
                       "collateral: an advisory with a strange name");
        }
    }
    return MT_OK;
}

static MT_ERR get_status(const struct mt_flat_node *o, bool is_part, enum mt_tcb_status *out)
{
    mt_bytes text;
    MT_TRY(mt_flat_text(o, "tcbStatus", &text));
    for (int s = MT_TCB_UP_TO_DATE; s <= MT_TCB_REVOKED; s++) {
        bool is_own =
            s != MT_TCB_RELAUNCH_ADVISED && s != MT_TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED;
        is_own = is_own && (!is_part || s == MT_TCB_UP_TO_DATE || s == MT_TCB_OUT_OF_DATE ||
                            s == MT_TCB_REVOKED);
        if (is_own &&
            mt_bytes_equal(text, mt_bytes_of_text(mt_tcb_status_name((enum mt_tcb_status)s)))) {
            *out = (enum mt_tcb_status)s;
            return MT_OK;
        }
    }
    MT_FAIL(MT_E_FORMAT, "collateral: an unknown status");
}

static MT_ERR get_components(const struct mt_flat_node *tcb, const char *name,
                             uint8_t out[MT_TCB_COMPONENTS])
{
    static const char *const known[] = {"svn", "category", "type", NULL};
    const struct mt_flat_node *all = NULL;
    size_t count = 0;
    MT_TRY(mt_flat_array(tcb, name, MT_TCB_COMPONENTS, &all, &count));
    MT_REQUIRE(count == MT_TCB_COMPONENTS, MT_E_FORMAT, "collateral: not sixteen components");
    const struct mt_flat_node *item = mt_flat_first(all);
    for (size_t i = 0; item != NULL; i++, item = mt_flat_next(item)) {
        uint64_t svn = 0;
        MT_TRY(mt_flat_known(item, known));
        MT_TRY(mt_flat_uint(item, "svn", UINT8_MAX, &svn));
        out[i] = (uint8_t)svn;
    }
    return MT_OK;
}

/* Version 2 has a field for each. */
static MT_ERR get_named_components(const struct mt_flat_node *tcb, uint8_t out[MT_TCB_COMPONENTS])
{
    char name[] = "sgxtcbcomp00svn";
    enum { TENS = sizeof "sgxtcbcomp" - 1 };
    MT_REQUIRE(mt_flat_count(tcb) == MT_TCB_COMPONENTS + 1, MT_E_FORMAT,
               "collateral: not sixteen components");
    for (size_t i = 0; i < MT_TCB_COMPONENTS; i++) {
        uint64_t svn = 0;
        name[TENS] = (char)('0' + (i + 1) / 10);
        name[TENS + 1] = (char)('0' + (i + 1) % 10);
        MT_TRY(mt_flat_uint(tcb, name, UINT8_MAX, &svn));
        out[i] = (uint8_t)svn;
    }
    return MT_OK;
}

enum list { SGX_V2, SGX_V3, TDX_V3, PART };

static MT_ERR get_tcb(const struct mt_flat_node *tcb, enum list kind, struct mt_tcb_level *l)
{
    static const char *const sgx[] = {"sgxtcbcomponents", "pcesvn", NULL};
    static const char *const tdx[] = {"sgxtcbcomponents", "tdxtcbcomponents", "pcesvn", NULL};
    static const char *const part[] = {"isvsvn", NULL};
    uint64_t svn = 0;
    switch (kind) {
    case SGX_V2:
        MT_TRY(get_named_components(tcb, l->sgx));
        break;
    case SGX_V3:
    case TDX_V3:
        MT_TRY(mt_flat_known(tcb, kind == TDX_V3 ? tdx : sgx));
        MT_TRY(get_components(tcb, "sgxtcbcomponents", l->sgx));
        if (kind == TDX_V3) {
            MT_TRY(get_components(tcb, "tdxtcbcomponents", l->tdx));
        }
        break;
    case PART:
        MT_TRY(mt_flat_known(tcb, part));
        break;
    }
    MT_TRY(mt_flat_uint(tcb, kind == PART ? "isvsvn" : "pcesvn", UINT16_MAX, &svn));
    l->svn = (uint16_t)svn;
    return MT_OK;
}

static MT_ERR get_levels(const struct mt_flat_node *o, enum list kind, struct mt_tcb_levels *out)
{
    static const char *const known[] = {"tcb", "tcbDate", "tcbStatus", "advisoryIDs", NULL};
    const struct mt_flat_node *all = NULL;
    size_t count = 0;
    MT_TRY(mt_flat_array(o, "tcbLevels", MT_TCB_LEVELS_MAX, &all, &count));
    MT_REQUIRE(count > 0, MT_E_FORMAT, "collateral: no levels");
    out->at = calloc(count, sizeof *out->at);
    MT_REQUIRE(out->at != NULL, MT_E_NOMEM, "no memory for TCB levels");
    const struct mt_flat_node *level = mt_flat_first(all);
    for (size_t i = 0; level != NULL; i++, level = mt_flat_next(level)) {
        const struct mt_flat_node *tcb = NULL;
        MT_TRY(mt_flat_known(level, known));
        MT_TRY(mt_flat_object(level, "tcb", &tcb));
        MT_TRY(get_tcb(tcb, kind, &out->at[i]));
        MT_TRY(get_time(level, "tcbDate", &out->at[i].date_ms));
        MT_TRY(get_status(level, kind == PART, &out->at[i].status));
        MT_TRY(get_advisories(level, &out->at[i]));
    }
    out->count = count;
    return MT_OK;
}

static MT_ERR get_module(const struct mt_flat_node *o, struct mt_tdx_module *m)
{
    MT_TRY(get_hex(o, "mrsigner", (mt_span){m->mr_signer, sizeof m->mr_signer}));
    MT_TRY(get_hex(o, "attributes", (mt_span){m->attributes, sizeof m->attributes}));
    return get_hex(o, "attributesMask", (mt_span){m->attributes_mask, sizeof m->attributes_mask});
}

/* "TDX_01" */
static MT_ERR get_module_version(const struct mt_flat_node *o, uint8_t *out)
{
    static const uint8_t digits[] = {'0', '1', '2', '3', '4', '5', '6', '7',
                                     '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'};
    mt_bytes id;
    MT_TRY(mt_flat_text(o, "id", &id));
    MT_REQUIRE(id.len == 6 && mt_bytes_start_with(id, MT_LITERAL("TDX_")), MT_E_FORMAT,
               "collateral: a TDX module without a version");
    const uint8_t *high = memchr(digits, id.ptr[4], sizeof digits);
    const uint8_t *low = memchr(digits, id.ptr[5], sizeof digits);
    MT_REQUIRE(high != NULL && low != NULL, MT_E_FORMAT,
               "collateral: a TDX module without a version");
    *out = (uint8_t)((high - digits) * 16 + (low - digits));
    return MT_OK;
}

static MT_ERR get_modules(const struct mt_flat_node *root, struct mt_tcb_info *out)
{
    static const char *const nameless[] = {"mrsigner", "attributes", "attributesMask", NULL};
    static const char *const known[] = {"id",        "mrsigner", "attributes", "attributesMask",
                                        "tcbLevels", NULL};
    const struct mt_flat_node *module = NULL;
    const struct mt_flat_node *all = NULL;
    size_t count = 0;
    MT_TRY(mt_flat_object(root, "tdxModule", &module));
    MT_TRY(mt_flat_known(module, nameless));
    MT_TRY(get_module(module, &out->modules[0]));
    out->modules_count = 1;
    if (!mt_flat_has(root, "tdxModuleIdentities")) {
        return MT_OK;
    }
    MT_TRY(mt_flat_array(root, "tdxModuleIdentities", MT_TDX_MODULES_MAX, &all, &count));
    for (module = mt_flat_first(all); module != NULL; module = mt_flat_next(module)) {
        struct mt_tdx_module *m = &out->modules[out->modules_count++];
        MT_TRY(mt_flat_known(module, known));
        MT_TRY(get_module_version(module, &m->version));
        MT_TRY(get_module(module, m));
        MT_TRY(get_levels(module, PART, &m->levels));
    }
    return MT_OK;
}

static MT_ERR get_kind(const struct mt_flat_node *root, enum list *kind)
{
    uint64_t version = 0;
    mt_bytes id;
    MT_TRY(mt_flat_uint(root, "version", 3, &version));
    if (version == 2 && !mt_flat_has(root, "id")) {
        *kind = SGX_V2;
        return MT_OK;
    }
    MT_REQUIRE(version == 3, MT_E_FORMAT, "collateral: TCB info of an unknown version");
    MT_TRY(mt_flat_text(root, "id", &id));
    *kind = mt_bytes_equal(id, MT_LITERAL("TDX")) ? TDX_V3 : SGX_V3;
    MT_REQUIRE(*kind == TDX_V3 || mt_bytes_equal(id, MT_LITERAL("SGX")), MT_E_FORMAT,
               "collateral: TCB info of an unknown kind");
    return MT_OK;
}

static MT_ERR get_head(const struct mt_flat_node *root, struct mt_tcb_head *out)
{
    MT_TRY(get_time(root, "issueDate", &out->issue_ms));
    MT_TRY(get_time(root, "nextUpdate", &out->next_ms));
    return mt_flat_uint(root, "tcbEvaluationDataNumber", UINT32_MAX, &out->evaluation);
}

MT_ERR mt_tcb_info_parse(mt_bytes text, struct mt_tcb_info *out)
{
    static const char *const sgx[] = {
        "id",        "version", "issueDate", "nextUpdate",
        "fmspc",     "pceId",   "tcbType",   "tcbEvaluationDataNumber",
        "tcbLevels", NULL};
    static const char *const tdx[] = {"id",
                                      "version",
                                      "issueDate",
                                      "nextUpdate",
                                      "fmspc",
                                      "pceId",
                                      "tcbType",
                                      "tcbLevels",
                                      "tdxModule",
                                      "tdxModuleIdentities",
                                      "tcbEvaluationDataNumber",
                                      NULL};
    enum list kind = SGX_V2;
    uint64_t type = 0;
    MT_TRY(mt_flat_read(text, &out->root));
    const struct mt_flat_node *root = mt_flat_root(out->root);
    MT_TRY(get_kind(root, &kind));
    out->head.is_tdx = kind == TDX_V3;
    MT_TRY(mt_flat_known(root, out->head.is_tdx ? tdx : sgx));
    MT_TRY(get_head(root, &out->head));
    MT_TRY(get_hex(root, "fmspc", (mt_span){out->fmspc, sizeof out->fmspc}));
    MT_TRY(get_hex(root, "pceId", (mt_span){out->pce_id, sizeof out->pce_id}));
    MT_TRY(mt_flat_uint(root, "tcbType", 0, &type));
    MT_TRY(get_levels(root, kind, &out->levels));
    return out->head.is_tdx ? get_modules(root, out) : MT_OK;
}

MT_ERR mt_qe_identity_parse(mt_bytes text, struct mt_qe_identity *out)
{
    static const char *const known[] = {
        "id",         "version",        "issueDate",  "nextUpdate",     "tcbEvaluationDataNumber",
        "miscselect", "miscselectMask", "attributes", "attributesMask", "mrsigner",
        "isvprodid",  "tcbLevels",      NULL};
    uint64_t version = 0;
    mt_bytes id;
    MT_TRY(mt_flat_read(text, &out->root));
    const struct mt_flat_node *o = mt_flat_root(out->root);
    MT_TRY(mt_flat_known(o, known));
    MT_TRY(mt_flat_text(o, "id", &id));
    MT_TRY(mt_flat_uint(o, "version", 2, &version));
    out->head.is_tdx = mt_bytes_equal(id, MT_LITERAL("TD_QE"));
    MT_REQUIRE(version == 2 && (out->head.is_tdx || mt_bytes_equal(id, MT_LITERAL("QE"))),
               MT_E_FORMAT, "collateral: an identity of another enclave");
    MT_TRY(get_head(o, &out->head));
    MT_TRY(get_hex(o, "miscselect", (mt_span){out->misc_select, 4}));
    MT_TRY(get_hex(o, "miscselectMask", (mt_span){out->misc_select_mask, 4}));
    MT_TRY(get_hex(o, "attributes", (mt_span){out->attributes, 16}));
    MT_TRY(get_hex(o, "attributesMask", (mt_span){out->attributes_mask, 16}));
    MT_TRY(get_hex(o, "mrsigner", (mt_span){out->mr_signer, 32}));
    MT_TRY(mt_flat_uint(o, "isvprodid", UINT16_MAX, &out->isv_prod_id));
    return get_levels(o, PART, &out->levels);
}

static bool has_reached(const uint8_t *have, const uint8_t *want, size_t from)
{
    for (size_t i = from; i < MT_TCB_COMPONENTS; i++) {
        if (have[i] < want[i]) {
            return false;
        }
    }
    return true;
}

const struct mt_tcb_level *mt_tcb_level_of(const struct mt_tcb_levels *l,
                                           const struct mt_tcb_have *have)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct mt_tcb_level *level = &l->at[i];
        bool is_reached = has_reached(have->sgx, level->sgx, 0) && have->pce_svn >= level->svn;
        if (is_reached && have->tdx.len == MT_TCB_COMPONENTS) {
            /* With a named module, the first two are its own: judged by its levels. */
            is_reached = has_reached(have->tdx.ptr, level->tdx, have->tdx.ptr[1] > 0 ? 2 : 0);
        }
        if (is_reached) {
            return level;
        }
    }
    return NULL;
}

const struct mt_tcb_level *mt_tcb_level_of_svn(const struct mt_tcb_levels *l, uint16_t svn)
{
    for (size_t i = 0; i < l->count; i++) {
        if (svn >= l->at[i].svn) {
            return &l->at[i];
        }
    }
    return NULL;
}

static bool needs_configuration(enum mt_tcb_status s)
{
    return s == MT_TCB_CONFIGURATION_NEEDED || s == MT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED ||
           s == MT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED ||
           s == MT_TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED;
}

static bool is_out_of_date(enum mt_tcb_status s)
{
    return s == MT_TCB_OUT_OF_DATE || s == MT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

enum mt_tcb_status mt_tcb_converge(enum mt_tcb_status platform, enum mt_tcb_status part)
{
    if (platform == MT_TCB_REVOKED || part == MT_TCB_REVOKED) {
        return MT_TCB_REVOKED;
    }
    if (platform == MT_TCB_NOT_SUPPORTED || part == MT_TCB_NOT_SUPPORTED) {
        return MT_TCB_NOT_SUPPORTED;
    }
    if (part != MT_TCB_OUT_OF_DATE) {
        return platform;
    }
    return needs_configuration(platform) ? MT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED
                                         : MT_TCB_OUT_OF_DATE;
}

enum mt_tcb_status mt_tcb_relaunch(enum mt_tcb_status launched, enum mt_tcb_status current)
{
    bool is_good_now = current == MT_TCB_UP_TO_DATE || current == MT_TCB_SW_HARDENING_NEEDED ||
                       current == MT_TCB_CONFIGURATION_NEEDED ||
                       current == MT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED;
    if (current == MT_TCB_REVOKED) {
        return MT_TCB_REVOKED; /* of what runs now, whatever it was launched on */
    }
    if (!is_out_of_date(launched) || !is_good_now) {
        return launched;
    }
    return needs_configuration(launched) || needs_configuration(current)
               ? MT_TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
               : MT_TCB_RELAUNCH_ADVISED;
}
