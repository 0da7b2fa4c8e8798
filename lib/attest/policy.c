/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/policy.h"

#include <string.h>

#include "attest/signed.h"
#include "base/assert.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "wire/json.h"

enum { VERSION = 1 };

static void put_hashes(struct mt_json_writer *j, const char *name, const mt_hash *h, size_t count)
{
    mt_json_begin_array(j, name);
    for (size_t i = 0; i < count; i++) {
        mt_json_put_hex(j, NULL, mt_hash_bytes(&h[i]));
    }
    mt_json_end_array(j);
}

/* People read it, and it stands in the text as it is: nothing that JSON would escape. */
static MT_ERR check_name(mt_bytes name)
{
    MT_REQUIRE(name.len > 0 && name.len <= MT_NAME_BYTES_MAX, MT_E_FORMAT,
               "a policy's name has 1 to 64 bytes");
    MT_REQUIRE(mt_text_is_plain(name) && memchr(name.ptr, '"', name.len) == NULL &&
                   memchr(name.ptr, '\\', name.len) == NULL,
               MT_E_FORMAT,
               "a policy's name is plain text without quotation marks and backslashes");
    return MT_OK;
}

/* Names in bytewise order, so that what is written is canonical as it stands. */
void mt_policy_write(struct mt_writer *w, const struct mt_policy *p)
{
    struct mt_json_writer j = mt_json_writer_over(w);
    mt_write_err(w, check_name(p->name));
    mt_json_begin_object(&j, NULL);
    if (p->auditors.threshold > 0) {
        mt_json_begin_object(&j, "auditors");
        mt_json_begin_array(&j, "keys");
        for (size_t i = 0; i < p->auditors.keys_count; i++) {
            mt_json_put_hex(&j, NULL, mt_spki_bytes(&p->auditors.keys[i]));
        }
        mt_json_end_array(&j);
        mt_json_put_uint(&j, "minimum_sequence", p->auditors.minimum_sequence);
        mt_json_put_uint(&j, "threshold", p->auditors.threshold);
        mt_json_end_object(&j);
    }
    if (p->configurations_count > 0) {
        put_hashes(&j, "configurations", p->configurations, p->configurations_count);
    }
    mt_hardware_policy_put(&j, &p->hardware);
    put_hashes(&j, "measurements", p->measurements, p->measurements_count);
    mt_json_put_uint(&j, "minimum_level", p->minimum_level);
    mt_json_put_text(&j, "name", p->name);
    mt_json_begin_object(&j, "soft");
    put_hashes(&j, "operators", p->operators, p->operators_count);
    put_hashes(&j, "platforms", p->platforms, p->platforms_count);
    mt_json_end_object(&j);
    if (p->tpm_roots_count > 0) {
        put_hashes(&j, "tpm_roots", p->tpm_roots, p->tpm_roots_count);
    }
    mt_json_put_uint(&j, "version", VERSION);
    mt_json_end_object(&j);
}

static MT_ERR get_hashes(const struct mt_json *object, const char *name, mt_hash *out,
                         size_t *count)
{
    const struct mt_json *list = NULL;
    size_t n = 0;
    MT_TRY(mt_json_array(object, name, MT_POLICY_HASHES_MAX, &list, &n));
    for (size_t i = 0; i < n; i++) {
        mt_bytes text;
        MT_TRY(mt_json_as_text(mt_json_at(list, i), &text));
        MT_TRY(mt_hex_parse(text, (mt_span){out[i].b, sizeof out[i].b}));
    }
    *count = n;
    return MT_OK;
}

static MT_ERR get_auditors(const struct mt_json *object, struct mt_auditors *out)
{
    static const char *const fields[] = {"keys", "threshold", "minimum_sequence", NULL};
    const struct mt_json *a = NULL;
    const struct mt_json *list = NULL;
    if (!mt_json_has(object, "auditors")) {
        return MT_OK;
    }
    MT_TRY(mt_json_object(object, "auditors", &a));
    MT_TRY(mt_json_known(a, fields));
    MT_TRY(mt_json_array(a, "keys", MT_AUDITORS_MAX, &list, &out->keys_count));
    for (size_t i = 0; i < out->keys_count; i++) {
        mt_bytes text;
        uint8_t der[MT_SPKI_LEN];
        MT_TRY(mt_json_as_text(mt_json_at(list, i), &text));
        MT_TRY(mt_hex_parse(text, (mt_span){der, sizeof der}));
        MT_TRY(mt_spki_parse(MT_BYTES_OF(der), &out->keys[i]));
        for (size_t j = 0; j < i; j++) {
            MT_REQUIRE(!mt_bytes_equal(mt_spki_bytes(&out->keys[i]), mt_spki_bytes(&out->keys[j])),
                       MT_E_FORMAT, "a policy names an auditor twice");
        }
    }
    MT_TRY(mt_json_uint(a, "threshold", MT_AUDITORS_MAX, &out->threshold));
    MT_REQUIRE(out->threshold > 0 && out->threshold <= out->keys_count, MT_E_FORMAT,
               "a policy's threshold is not between 1 and the number of its auditors");
    return mt_json_uint(a, "minimum_sequence", UINT64_MAX >> 11, &out->minimum_sequence);
}

static MT_ERR get_policy(const struct mt_json *root, struct mt_policy *p)
{
    static const char *const fields[] = {
        "version",        "name",     "minimum_level", "soft",      "measurements",
        "configurations", "auditors", "hardware",      "tpm_roots", NULL};
    static const char *const soft_fields[] = {"platforms", "operators", NULL};
    const struct mt_json *soft = NULL;
    uint64_t version = 0;
    MT_TRY(mt_json_known(root, fields));
    MT_TRY(mt_json_uint(root, "version", UINT32_MAX, &version));
    MT_REQUIRE(version == VERSION, MT_E_FORMAT, "a policy of another version");
    MT_TRY(mt_json_text(root, "name", &p->name));
    MT_TRY(check_name(p->name));
    MT_TRY(mt_json_uint(root, "minimum_level", MT_LEVEL_SGX, &p->minimum_level));
    MT_REQUIRE(p->minimum_level >= MT_LEVEL_NONE, MT_E_FORMAT, "levels count from 1");
    MT_TRY(mt_json_object(root, "soft", &soft));
    MT_TRY(mt_json_known(soft, soft_fields));
    MT_TRY(get_hashes(soft, "platforms", p->platforms, &p->platforms_count));
    MT_TRY(get_hashes(soft, "operators", p->operators, &p->operators_count));
    MT_TRY(get_hashes(root, "measurements", p->measurements, &p->measurements_count));
    if (mt_json_has(root, "configurations")) {
        MT_TRY(get_hashes(root, "configurations", p->configurations, &p->configurations_count));
    }
    if (mt_json_has(root, "tpm_roots")) {
        MT_TRY(get_hashes(root, "tpm_roots", p->tpm_roots, &p->tpm_roots_count));
    }
    MT_TRY(mt_hardware_policy_get(root, &p->hardware));
    return get_auditors(root, &p->auditors);
}

/* Where the name stands in the text itself, for the tree that it was parsed from does not live as
 * long. */
static void borrow_name(mt_bytes in, mt_bytes *name)
{
    const void *at = memmem(in.ptr, in.len, name->ptr, name->len);
    MT_ASSERT(at != NULL); /* nothing of it is escaped */
    name->ptr = at;
}

MT_ERR mt_policy_parse(mt_bytes in, struct mt_policy *out)
{
    MT_DEFER(mt_json_free) struct mt_json *root = NULL;
    memset(out, 0, sizeof *out);
    MT_REQUIRE(in.len <= MT_POLICY_BYTES_MAX, MT_E_LIMIT, "a policy is too long");
    MT_TRY(mt_json_parse_canonical(in, &root));
    mt_err e = get_policy(root, out);
    if (mt_failed(e)) {
        memset(out, 0, sizeof *out); /* its name would outlive the tree */
        return e;
    }
    borrow_name(in, &out->name);
    mt_sha256(&in, 1, &out->hash);
    return MT_OK;
}

struct mt_attest_roots mt_policy_roots(const struct mt_policy *p)
{
    return (struct mt_attest_roots){
        .known = {p->platforms, p->platforms_count, p->operators, p->operators_count},
        .machines = p->hardware.platforms,
        .machines_count = p->hardware.platforms_count,
        .tpm_roots = p->tpm_roots,
        .tpm_roots_count = p->tpm_roots_count,
    };
}

MT_ERR mt_policy_file_parse(mt_bytes in, mt_spki *signer, struct mt_policy *out)
{
    mt_bytes json;
    MT_TRY(mt_signed_parse(in, MT_LABEL_POLICY, signer, &json));
    return mt_policy_parse(json, out);
}

void mt_policy_file_write(struct mt_writer *w, const struct mt_key *k, mt_bytes json)
{
    mt_signed_write(w, k, MT_LABEL_POLICY, json);
}
