/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/snp_certs.h"

enum { GUID_LEN = 16, ENTRIES_MAX = 16 };

static const uint8_t end[GUID_LEN] = {0};
static const uint8_t vcek[GUID_LEN] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                                       0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
static const uint8_t vlek[GUID_LEN] = {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e,
                                       0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1};

MT_ERR mt_snp_certs_parse(mt_bytes in, struct mt_snp_certs *out)
{
    struct mt_snp_certs c = {{NULL, 0}, {NULL, 0}};
    struct mt_reader r = mt_reader_over(in);
    for (size_t i = 0; in.len > 0; i++) {
        mt_bytes guid;
        uint32_t offset = 0;
        uint32_t len = 0;
        MT_REQUIRE(i < ENTRIES_MAX, MT_E_LIMIT, "a table of certificates without an end");
        MT_TRY(mt_read_bytes(&r, GUID_LEN, &guid));
        MT_TRY(mt_read_u32le(&r, &offset));
        MT_TRY(mt_read_u32le(&r, &len));
        if (mt_bytes_equal(guid, MT_BYTES_OF(end))) {
            break;
        }
        MT_REQUIRE(offset <= in.len && len <= in.len - offset, MT_E_FORMAT,
                   "a certificate lies outside of its table");
        const mt_bytes found = {in.ptr + offset, len};
        c.vcek = mt_bytes_equal(guid, MT_BYTES_OF(vcek)) ? found : c.vcek;
        c.vlek = mt_bytes_equal(guid, MT_BYTES_OF(vlek)) ? found : c.vlek;
    }
    *out = c;
    return MT_OK;
}
