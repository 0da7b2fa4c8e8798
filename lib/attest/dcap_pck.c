/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/dcap_pck.h"

#include "crypto/der.h"

enum { FIELDS = 7 };
enum { PPID = 1, TCB, PCE_ID, FMSPC, SGX_TYPE, INSTANCE_ID };
enum { PCE_SVN = 17, CPU_SVN = 18 };

static const uint8_t own_id[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

struct pair {
    mt_bytes id; /* behind the extension's own */
    uint8_t tag;
    mt_bytes value;
};

static MT_ERR read_pair(struct mt_reader *r, struct pair *p)
{
    mt_bytes both;
    MT_TRY(mt_der_read_tagged(r, MT_DER_SEQUENCE, &both));
    struct mt_reader inner = mt_reader_over(both);
    MT_TRY(mt_der_read_tagged(&inner, MT_DER_OBJECT_ID, &p->id));
    MT_REQUIRE(mt_bytes_start_with(p->id, MT_BYTES_OF(own_id)), MT_E_FORMAT,
               "a PCK extension with a foreign name");
    p->id = (mt_bytes){p->id.ptr + sizeof own_id, p->id.len - sizeof own_id};
    MT_TRY(mt_der_read(&inner, &p->tag, &p->value));
    return mt_read_end(&inner);
}

static MT_ERR number_of(const struct pair *p, uint16_t max, uint16_t *out)
{
    uint32_t n = 0;
    MT_REQUIRE(p->tag == MT_DER_INTEGER && p->value.len > 0 && p->value.len <= 3 &&
                   p->value.ptr[0] < 0x80,
               MT_E_FORMAT, "a PCK extension whose number is none");
    for (size_t i = 0; i < p->value.len; i++) {
        n = n << 8 | p->value.ptr[i];
    }
    MT_REQUIRE(n <= max, MT_E_FORMAT, "a PCK extension whose number is too large");
    *out = (uint16_t)n;
    return MT_OK;
}

static MT_ERR octets_of(const struct pair *p, size_t len, mt_bytes *out)
{
    MT_REQUIRE(p->tag == MT_DER_OCTETS && p->value.len == len, MT_E_FORMAT,
               "a PCK extension whose value has the wrong length");
    *out = p->value;
    return MT_OK;
}

/* All eighteen, once each. */
static MT_ERR read_tcb(mt_bytes in, struct mt_dcap_pck *out)
{
    struct mt_reader r = mt_reader_over(in);
    uint32_t seen = 0;
    while (r.rest.len > 0) {
        struct pair p;
        uint16_t n = 0;
        MT_TRY(read_pair(&r, &p));
        MT_REQUIRE(p.id.len == 2 && p.id.ptr[0] == TCB && p.id.ptr[1] >= 1 &&
                       p.id.ptr[1] <= CPU_SVN && (seen >> p.id.ptr[1] & 1) == 0,
                   MT_E_FORMAT, "a PCK extension whose TCB is malformed");
        seen |= UINT32_C(1) << p.id.ptr[1];
        if (p.id.ptr[1] == CPU_SVN) {
            mt_bytes cpu_svn;
            MT_TRY(octets_of(&p, 16, &cpu_svn));
        } else if (p.id.ptr[1] == PCE_SVN) {
            MT_TRY(number_of(&p, UINT16_MAX, &out->pce_svn));
        } else {
            MT_TRY(number_of(&p, UINT8_MAX, &n));
            out->components[p.id.ptr[1] - 1] = (uint8_t)n;
        }
    }
    MT_REQUIRE(seen == (UINT32_C(1) << (CPU_SVN + 1)) - 2, MT_E_FORMAT,
               "a PCK extension lacks a part of its TCB");
    return MT_OK;
}

static MT_ERR take_field(const struct pair *p, struct mt_dcap_pck *out)
{
    switch (p->id.ptr[0]) {
    case PPID:
        return octets_of(p, 16, &out->ppid);
    case TCB:
        MT_REQUIRE(p->tag == MT_DER_SEQUENCE, MT_E_FORMAT,
                   "a PCK extension whose TCB is malformed");
        return read_tcb(p->value, out);
    case PCE_ID:
        return octets_of(p, 2, &out->pce_id);
    case FMSPC:
        return octets_of(p, 6, &out->fmspc);
    case INSTANCE_ID:
        return octets_of(p, 16, &out->platform_instance_id);
    default:
        return MT_OK; /* the type of SGX, flags: nothing here depends on them */
    }
}

MT_ERR mt_dcap_pck_parse(mt_bytes extension, struct mt_dcap_pck *out)
{
    enum { MUST = 1U << PPID | 1U << TCB | 1U << PCE_ID | 1U << FMSPC };
    struct mt_dcap_pck pck = {.pce_svn = 0};
    struct mt_reader whole = mt_reader_over(extension);
    mt_bytes fields;
    uint32_t seen = 0;
    MT_TRY(mt_der_read_tagged(&whole, MT_DER_SEQUENCE, &fields));
    MT_TRY(mt_read_end(&whole));
    struct mt_reader r = mt_reader_over(fields);
    while (r.rest.len > 0) {
        struct pair p;
        MT_TRY(read_pair(&r, &p));
        MT_REQUIRE(p.id.len == 1 && p.id.ptr[0] >= 1 && p.id.ptr[0] <= FIELDS &&
                       (seen >> p.id.ptr[0] & 1) == 0,
                   MT_E_FORMAT, "a PCK extension has an unknown field, or one twice");
        seen |= UINT32_C(1) << p.id.ptr[0];
        MT_TRY(take_field(&p, &pck));
    }
    MT_REQUIRE((seen & MUST) == MUST, MT_E_FORMAT, "a PCK extension lacks a field");
    *out = pck;
    return MT_OK;
}
