/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What Intel's certificates say of platforms: those in real quotes (tests/vectors/dcap, the
 * program's argument), and each of their bytes changed. */
#include "attest/dcap_pck.h"

#include "attest/dcap_quote.h"
#include "attest/files_test.h"
#include "attest/world_test.h"
#include "crypto/x509.h"

enum { ROOM = 2048, FIELDS_MAX = 8, SEQUENCE = 0x30 };

struct extension {
    uint8_t b[ROOM];
    size_t len;
};

static const char *const sets[] = {"sgx_v3_processor", "tdx_v4_uptodate"};
enum { SETS = sizeof sets / sizeof *sets };
static struct extension real[SETS];

static void load(const char *set, struct extension *out)
{
    static struct file f;
    struct mt_dcap_quote q;
    mt_bytes extension;
    MT_DEFER(mt_x509_chain_free) struct mt_x509_chain chain = {.count = 0};
    OK(mt_dcap_quote_parse(file_read(set, "quote.bin", &f), &q));
    OK(mt_x509_chain_parse(q.cert_data, &chain));
    OK(mt_x509_extension(chain.certs[0], MT_DCAP_PCK_OID, &extension));
    MT_ASSERT(extension.len < ROOM);
    memcpy(out->b, extension.ptr, extension.len);
    out->len = extension.len;
}

static bool is_read(const struct extension *e)
{
    struct mt_dcap_pck pck;
    /* Exactly as long as it is: a sanitizer sees the first byte too many. */
    uint8_t *alone = malloc(e->len + 1);
    MT_ASSERT(alone != NULL);
    memcpy(alone, e->b, e->len);
    uint8_t *again = realloc(alone, e->len > 0 ? e->len : 1);
    MT_ASSERT(again != NULL);
    mt_err failed = mt_dcap_pck_parse((mt_bytes){again, e->len}, &pck);
    MT_ASSERT(!mt_failed(failed) || failed.fault->code == MT_E_FORMAT);
    if (!mt_failed(failed)) {
        MT_ASSERT(pck.ppid.len == 16 && pck.pce_id.len == 2 && pck.fmspc.len == 6);
        MT_ASSERT(pck.platform_instance_id.len == 0 || pck.platform_instance_id.len == 16);
        MT_ASSERT(pck.ppid.ptr > again && pck.fmspc.ptr + 6 <= again + e->len);
    }
    free(again);
    return !mt_failed(failed);
}

static void real_certificates_say_which_platform_they_are_for(void)
{
    static const uint8_t fmspc[SETS][6] = {{0x00, 0xa0, 0x67, 0x11}, {0xb0, 0xc0, 0x6f}};
    for (size_t i = 0; i < SETS; i++) {
        struct mt_dcap_pck pck;
        OK(mt_dcap_pck_parse((mt_bytes){real[i].b, real[i].len}, &pck));
        MT_ASSERT(mt_bytes_equal(pck.fmspc, MT_BYTES_OF(fmspc[i])) && pck.pce_svn > 0);
        MT_ASSERT(pck.platform_instance_id.len == (i == 0 ? 0 : 16)); /* of multi-package ones */
    }
}

static void every_truncation_and_every_byte_behind_is_refused(void)
{
    static struct extension e;
    for (size_t i = 0; i < SETS; i++) {
        e = real[i];
        MT_ASSERT(is_read(&e));
        e.b[e.len++] = 0;
        MT_ASSERT(!is_read(&e));
        for (e.len = real[i].len; e.len-- > 0;) {
            MT_ASSERT(!is_read(&e));
        }
    }
}

/* Values are what they are; of what frames them nothing may change. */
static void every_flipped_bit_is_refused_or_of_a_value(void)
{
    static struct extension e;
    for (size_t i = 0; i < SETS; i++) {
        size_t taken = 0;
        e = real[i];
        for (size_t bit = 0; bit < e.len * 8; bit++) {
            e.b[bit / 8] ^= (uint8_t)(1U << (bit % 8));
            taken += is_read(&e) ? 1 : 0;
            e.b[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
        /* A byte of value has two of frame about it, and more. */
        MT_ASSERT(taken > 0 && taken < e.len * 2);
    }
}

/* The fields of an extension, whole. */
static size_t split(const struct extension *e, mt_bytes fields[FIELDS_MAX])
{
    size_t count = 0;
    size_t at = 4; /* 30 82 and two bytes of length */
    MT_ASSERT(e->b[0] == SEQUENCE && e->b[1] == 0x82);
    while (at < e->len) {
        size_t head = e->b[at + 1] < 0x80 ? 2 : e->b[at + 1] == 0x81 ? 3 : 4;
        size_t len = head == 2   ? e->b[at + 1]
                     : head == 3 ? e->b[at + 2]
                                 : (size_t)e->b[at + 2] << 8 | e->b[at + 3];
        MT_ASSERT(count < FIELDS_MAX);
        fields[count++] = (mt_bytes){e->b + at, head + len};
        at += head + len;
    }
    return count;
}

/* `head`: how many bytes the length takes. */
static void join(const mt_bytes *fields, size_t count, size_t head, struct extension *out)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += fields[i].len;
    }
    MT_ASSERT(len + 4 < ROOM);
    out->len = 0;
    out->b[out->len++] = SEQUENCE;
    if (head > 1) {
        out->b[out->len++] = (uint8_t)(0x80 + head - 1);
    }
    if (head > 2) {
        out->b[out->len++] = (uint8_t)(len >> 8);
    }
    out->b[out->len++] = (uint8_t)len;
    for (size_t i = 0; i < count; i++) {
        memcpy(out->b + out->len, fields[i].ptr, fields[i].len);
        out->len += fields[i].len;
    }
}

static size_t head_of(const mt_bytes *fields, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += fields[i].len;
    }
    return len >= 0x100 ? 3 : len >= 0x80 ? 2 : 1;
}

/* PPID, TCB, PCEID and FMSPC are of every platform; type, instance and flags of some. */
static void every_field_is_there_once(void)
{
    static struct extension e;
    mt_bytes fields[FIELDS_MAX];
    for (size_t i = 0; i < SETS; i++) {
        size_t count = split(&real[i], fields);
        MT_ASSERT(count >= 5);
        join(fields, count, 3, &e);
        MT_ASSERT(e.len == real[i].len && is_read(&e));
        for (size_t k = 0; k < count; k++) {
            mt_bytes some[FIELDS_MAX + 1];
            memcpy(some, fields, sizeof fields);
            some[count] = fields[k]; /* twice */
            join(some, count + 1, 3, &e);
            MT_ASSERT(!is_read(&e));
            memmove(some + k, some + k + 1, (count - k) * sizeof *some);
            join(some, count - 1, head_of(some, count - 1), &e); /* not at all */
            MT_ASSERT(is_read(&e) == (k >= 4));
        }
    }
}

static void a_length_has_its_shortest_form(void)
{
    static struct extension e;
    mt_bytes fields[FIELDS_MAX];
    size_t count = split(&real[0], fields);
    for (size_t n = 1; n <= count; n++) {
        size_t head = head_of(fields, n);
        for (size_t longer = head + 1; longer <= 3; longer++) {
            join(fields, n, longer, &e);
            MT_ASSERT(!is_read(&e));
        }
    }
    join(fields, count, 3, &e);
    e.b[1] = 0x83; /* three bytes: no extension is as long */
    MT_ASSERT(!is_read(&e));
    e.b[1] = 0x80; /* BER: until it ends */
    MT_ASSERT(!is_read(&e));
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(real_certificates_say_which_platform_they_are_for),
        MT_TEST(every_truncation_and_every_byte_behind_is_refused),
        MT_TEST(every_flipped_bit_is_refused_or_of_a_value),
        MT_TEST(every_field_is_there_once),
        MT_TEST(a_length_has_its_shortest_form),
    };
    MT_ASSERT(argc > 1);
    files_folder = argv[1];
    world_begin(argc - 1, argv + 1);
    for (size_t i = 0; i < SETS; i++) {
        load(sets[i], &real[i]);
    }
    int rc = mt_test_run(tests, sizeof tests / sizeof *tests);
    world_end();
    return rc;
}
