/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/image_approval.h"

#include "attest/world_test.h"
#include "vectors/trust_formats.h"

enum { ROOM = (MT_IMAGE_APPROVALS_MAX + 1) * MT_IMAGE_APPROVAL_LEN };

static struct mt_image_approvals all;

static mt_bytes bytes_of(mt_bytes hex, mt_span room)
{
    OK(mt_hex_parse(hex, (mt_span){room.ptr, hex.len / 2}));
    return (mt_bytes){room.ptr, hex.len / 2};
}

/* The page's, so many times. */
static mt_bytes file_of(size_t count, uint8_t room[ROOM])
{
    for (size_t i = 0; i < count; i++) {
        (void)bytes_of(
            MT_LITERAL(MT_VECTOR_IMAGE_APPROVAL),
            (mt_span){room + i * MT_IMAGE_APPROVAL_LEN, (size_t)ROOM - i * MT_IMAGE_APPROVAL_LEN});
    }
    return (mt_bytes){room, count * MT_IMAGE_APPROVAL_LEN};
}

static void the_approval_of_the_page_is_the_operators(void)
{
    uint8_t room[ROOM];
    uint8_t key[MT_SPKI_LEN];
    uint8_t wanted[sizeof(mt_hash)];
    uint8_t signed_room[MT_TPM_APPROVED_LEN];
    mt_spki operator_key;
    OK(mt_spki_parse(bytes_of(MT_LITERAL(MT_VECTOR_IMAGE_OPERATOR), (mt_span){key, sizeof key}),
                     &operator_key));
    OK(mt_image_approvals_parse(file_of(1, room), &all));
    MT_ASSERT(all.count == 1);
    const struct mt_image_approval *a = &all.list[0];
    MT_ASSERT(
        mt_bytes_equal(mt_hash_bytes(&a->policy), bytes_of(MT_LITERAL(MT_VECTOR_IMAGE_POLICY),
                                                           (mt_span){wanted, sizeof wanted})));
    OK(mt_verify(&operator_key,
                 mt_tpm_policy_approved(&a->policy, (mt_span){signed_room, sizeof signed_room}),
                 MT_BYTES_OF(a->signature)));
}

static void the_policy_of_the_page_is_what_a_tpm_computes(void)
{
    static const uint8_t pcrs[] = {0, 2, 4, 7, 9, 11, 12, 13};
    uint8_t values[sizeof pcrs][sizeof(mt_hash)];
    uint8_t wanted[sizeof(mt_hash)];
    mt_hash policy;
    for (size_t i = 0; i < sizeof pcrs; i++) {
        memset(values[i], pcrs[i], sizeof values[i]);
    }
    mt_tpm_policy_pcrs(MT_TPM_PCRS_SEALED, MT_BYTES_OF(values), &policy);
    MT_ASSERT(mt_bytes_equal(mt_hash_bytes(&policy), bytes_of(MT_LITERAL(MT_VECTOR_IMAGE_POLICY),
                                                              (mt_span){wanted, sizeof wanted})));
}

static void what_is_signed_is_read_again(void)
{
    uint8_t room[MT_IMAGE_APPROVAL_LEN];
    struct mt_image_approval a;
    const mt_hash policy = {{7}};
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    OK(mt_image_approval_sign(keys[OPERATOR], &policy, &a));
    mt_image_approval_write(&w, &a);
    OK(mt_image_approvals_parse(mt_write_done(&w), &all));
    MT_ASSERT(all.count == 1 && mt_hash_equal(&all.list[0].policy, &policy));
    MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(all.list[0].signature), MT_BYTES_OF(a.signature)));
}

static void every_truncation_is_refused_or_ends_at_an_approval(void)
{
    uint8_t room[ROOM];
    mt_bytes file = file_of(3, room);
    for (size_t len = 0; len <= file.len; len++) {
        mt_err e = mt_image_approvals_parse((mt_bytes){file.ptr, len}, &all);
        bool is_whole = len % MT_IMAGE_APPROVAL_LEN == 0;
        MT_ASSERT(is_whole ? !mt_failed(e) && all.count == len / MT_IMAGE_APPROVAL_LEN
                           : is_code(e, MT_E_FORMAT));
    }
}

static void another_version_is_refused_and_so_are_too_many(void)
{
    uint8_t room[ROOM];
    mt_bytes file = file_of(1, room);
    room[1] = 2;
    MT_ASSERT(is_code(mt_image_approvals_parse(file, &all), MT_E_CONFLICT));
    OK(mt_image_approvals_parse(file_of(MT_IMAGE_APPROVALS_MAX, room), &all));
    MT_ASSERT(is_code(mt_image_approvals_parse(file_of(MT_IMAGE_APPROVALS_MAX + 1, room), &all),
                      MT_E_LIMIT));
}

static void an_approval_is_found_by_its_policy_alone(void)
{
    uint8_t room[ROOM];
    mt_hash other;
    OK(mt_image_approvals_parse(file_of(3, room), &all));
    all.list[0].policy.b[31] ^= 1;
    MT_ASSERT(mt_image_approvals_find(&all, &all.list[2].policy) == &all.list[1]);
    other = all.list[1].policy;
    other.b[0] ^= 1;
    MT_ASSERT(mt_image_approvals_find(&all, &other) == NULL);
    OK(mt_image_approvals_parse((mt_bytes){NULL, 0}, &all));
    MT_ASSERT(mt_image_approvals_find(&all, &other) == NULL);
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(the_approval_of_the_page_is_the_operators),
        MT_TEST(the_policy_of_the_page_is_what_a_tpm_computes),
        MT_TEST(what_is_signed_is_read_again),
        MT_TEST(every_truncation_is_refused_or_ends_at_an_approval),
        MT_TEST(another_version_is_refused_and_so_are_too_many),
        MT_TEST(an_approval_is_found_by_its_policy_alone),
    };
    world_begin(argc, argv);
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
