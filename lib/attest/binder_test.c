/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/binder.h"

#include <string.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/hash.h"
#include "unit/runner.h"
#include "vectors/attest_round.h"

/* The parties of the vectors in spec/attest-round.md. */
static mt_spki key_of(uint8_t byte)
{
    mt_spki k;
    memset(k.b, byte, sizeof k.b);
    return k;
}

static struct mt_binding channel(enum mt_role_byte role)
{
    static uint8_t ekm[32];
    static uint8_t nonce[32];
    const mt_spki client = key_of(1);
    const mt_spki server = key_of(2);
    struct mt_binding b = {.role = role, .ekm = MT_BYTES_OF(ekm), .nonce = MT_BYTES_OF(nonce)};
    for (size_t i = 0; i < sizeof ekm; i++) {
        ekm[i] = (uint8_t)(0xa0 + i);
        nonce[i] = (uint8_t)i;
    }
    mt_spki_hash(role == MT_ROLE_CLIENT ? &client : &server, &b.own);
    mt_spki_hash(role == MT_ROLE_CLIENT ? &server : &client, &b.peer);
    memset(b.service.b, 7, sizeof b.service.b);
    return b;
}

static bool is_hex(const uint8_t report_data[MT_REPORT_DATA_LEN], const char *hex)
{
    uint8_t digits[2 * MT_REPORT_DATA_LEN];
    struct mt_writer w = mt_writer_over((mt_span){digits, sizeof digits});
    mt_bytes out;
    mt_hex_write(&w, (mt_bytes){report_data, MT_REPORT_DATA_LEN});
    MT_ASSERT(!mt_failed(mt_write_end(&w, &out)));
    return mt_bytes_equal(out, mt_bytes_of_text(hex));
}

static void the_binders_are_those_of_the_specification(void)
{
    uint8_t out[MT_REPORT_DATA_LEN];
    struct mt_binding b = channel(MT_ROLE_CLIENT);
    mt_bind_channel(&b, out);
    MT_ASSERT(is_hex(out, MT_VECTOR_BINDER_CLIENT));
    b = channel(MT_ROLE_SERVER);
    mt_bind_channel(&b, out);
    MT_ASSERT(is_hex(out, MT_VECTOR_BINDER_SERVER));
    const mt_spki service = key_of(2);
    const mt_spki start = key_of(1);
    mt_hash incarnation;
    mt_spki_hash(&start, &incarnation);
    mt_bind_service_key(&b.service, &incarnation, &service, out);
    MT_ASSERT(is_hex(out, MT_VECTOR_BINDER_SERVICE_KEY));
}

/* Another nonce, and what TLS exports for it. */
static void what_is_shown_again_is_bound_as_the_vectors_say(void)
{
    uint8_t out[MT_REPORT_DATA_LEN];
    uint8_t nonce[32];
    uint8_t ekm[32];
    struct mt_binding b = channel(MT_ROLE_SERVER);
    for (size_t i = 0; i < sizeof nonce; i++) {
        nonce[i] = (uint8_t)(0x20 + i);
        ekm[i] = (uint8_t)(0xc0 + i);
    }
    b.nonce = MT_BYTES_OF(nonce);
    b.ekm = MT_BYTES_OF(ekm);
    mt_bind_channel(&b, out);
    MT_ASSERT(is_hex(out, MT_VECTOR_BINDER_AGAIN));
}

static void whatever_differs_binds_to_something_else(void)
{
    uint8_t good[MT_REPORT_DATA_LEN];
    uint8_t out[MT_REPORT_DATA_LEN];
    uint8_t other[32] = {1};
    struct mt_binding b = channel(MT_ROLE_SERVER);
    mt_bind_channel(&b, good);
    struct mt_binding changed[] = {b, b, b, b, b, b, b};
    changed[0].role = MT_ROLE_CLIENT; /* reflected */
    changed[1].ekm = MT_BYTES_OF(other);
    changed[2].own.b[31] ^= 1;
    changed[3].peer.b[0] ^= 1; /* relayed */
    changed[4].nonce = MT_BYTES_OF(other);
    changed[5].service.b[5] ^= 1;
    changed[6].own = b.peer; /* swapped */
    changed[6].peer = b.own;
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        mt_bind_channel(&changed[i], out);
        MT_ASSERT(!mt_bytes_equal(MT_BYTES_OF(good), MT_BYTES_OF(out)));
    }
}

/* Nothing here is random. */
static mt_err no_entropy(void *state, mt_span out)
{
    (void)state;
    memset(out.ptr, 0, out.len);
    return MT_OK;
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(the_binders_are_those_of_the_specification),
        MT_TEST(what_is_shown_again_is_bound_as_the_vectors_say),
        MT_TEST(whatever_differs_binds_to_something_else),
    };
    MT_ASSERT(!mt_failed(mt_crypto_init(no_entropy, NULL)));
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return rc;
}
