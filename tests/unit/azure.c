/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/azure.h"

#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "crypto/hash.h"

static void put(struct mt_writer *w, const char *text)
{
    mt_write_bytes(w, mt_bytes_of_text(text));
}

mt_bytes azure_key(const char *kid, const char *uses, mt_bytes spki, mt_span room)
{
    enum { NUMBER = 256, BEHIND = 5 }; /* an INTEGER 65537 */
    struct mt_writer w = mt_writer_over(room);
    MT_ASSERT(spki.len > NUMBER + BEHIND);
    put(&w, "{\"kid\":\"");
    put(&w, kid);
    put(&w, "\",\"key_ops\":[");
    put(&w, uses);
    put(&w, "],\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"");
    mt_base64url_write(&w, (mt_bytes){spki.ptr + spki.len - BEHIND - NUMBER, NUMBER});
    put(&w, "\"}");
    return mt_write_done(&w);
}

mt_bytes azure_claims(mt_bytes ak, mt_span room)
{
    uint8_t key[AZURE_CLAIMS_MAX];
    struct mt_writer w = mt_writer_over(room);
    put(&w, "{\"keys\":[");
    mt_write_bytes(&w, azure_key("HCLAkPub", "\"sign\"", ak, (mt_span){key, sizeof key}));
    put(&w, "],\"vm-configuration\":{\"secure-boot\":true,\"tpm-enabled\":true},\"user-data\":\"");
    for (size_t i = 0; i < MT_REPORT_DATA_LEN; i++) {
        put(&w, "00");
    }
    put(&w, "\"}");
    return mt_write_done(&w);
}

mt_bytes azure_hcl(const struct mt_hcl_report *h, mt_span room)
{
    enum { HEAD = 32, CLAIMS_HEAD = 20, ZEROS = 16 };
    static const uint8_t zeros[MT_HCL_HARDWARE_LEN];
    struct mt_writer w = mt_writer_over(room);
    const size_t len = HEAD + MT_HCL_HARDWARE_LEN + CLAIMS_HEAD + h->runtime.len;
    put(&w, "HCLA");
    mt_write_u32le(&w, 2);
    mt_write_u32le(&w, (uint32_t)len);
    mt_write_u32le(&w, 2);
    mt_write_bytes(&w, (mt_bytes){zeros, ZEROS});
    mt_write_bytes(&w, h->hardware);
    mt_write_bytes(&w, (mt_bytes){zeros, MT_HCL_HARDWARE_LEN - h->hardware.len});
    mt_write_u32le(&w, (uint32_t)(CLAIMS_HEAD + h->runtime.len));
    mt_write_u32le(&w, 1);
    mt_write_u32le(&w, h->kind);
    mt_write_u32le(&w, 1);
    mt_write_u32le(&w, (uint32_t)h->runtime.len);
    mt_write_bytes(&w, h->runtime);
    return mt_write_done(&w);
}

void azure_td_report(const uint8_t body[AZURE_TD_BODY_LEN], uint8_t out[MT_HCL_TD_REPORT_LEN])
{
    enum { MODULE_AT = 256, MODULE = 239, TD_AT = 512, TD = 512, HASHES = 32, DATA = 128 };
    enum { IN_BODY = 120, IN_MODULE = 8, DATA_IN_BODY = 520 }; /* of the TD, of its module */
    memset(out, 0, MT_HCL_TD_REPORT_LEN);
    out[0] = 0x81;
    memcpy(out + DATA, body + DATA_IN_BODY, MT_REPORT_DATA_LEN);
    memcpy(out + MODULE_AT + IN_MODULE, body, IN_BODY);
    memcpy(out + TD_AT, body + IN_BODY, DATA_IN_BODY - IN_BODY);
    const mt_bytes module = {out + MODULE_AT, MODULE};
    const mt_bytes td = {out + TD_AT, TD};
    mt_sha384(&module, 1, out + HASHES);
    mt_sha384(&td, 1, out + HASHES + MT_SHA384_LEN);
}
