/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/intel.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/hash.h"
#include "crypto/pubkey.h"
#include "crypto/x509.h"

#define OK(call_) MT_ASSERT(!mt_failed(call_))

const uint64_t intel_now_ms = 1782864000000;

enum { OBJECT_ID = 0x06, INTEGER = 0x02, OCTETS = 0x04, SEQUENCE = 0x30, DER_MAX = 1024 };

/* What a PCK certificate says of its platform, in DER. */
struct der {
    uint8_t b[DER_MAX];
    size_t len;
};

static void put(struct der *d, uint8_t tag, mt_bytes content)
{
    d->b[d->len++] = tag;
    if (content.len >= 0x100) {
        d->b[d->len++] = 0x82;
        d->b[d->len++] = (uint8_t)(content.len >> 8);
    } else if (content.len >= 0x80) {
        d->b[d->len++] = 0x81;
    }
    d->b[d->len++] = (uint8_t)content.len;
    MT_ASSERT(d->len + content.len <= DER_MAX);
    memcpy(d->b + d->len, content.ptr, content.len);
    d->len += content.len;
}

/* `field` below the extension's own name, `part` below that or 0. */
static void put_field(struct der *d, uint8_t field, uint8_t part, uint8_t tag, mt_bytes content)
{
    const uint8_t id[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, field, part};
    struct der pair = {.len = 0};
    put(&pair, OBJECT_ID, (mt_bytes){id, sizeof id - (part == 0 ? 1 : 0)});
    put(&pair, tag, content);
    put(d, SEQUENCE, (mt_bytes){pair.b, pair.len});
}

static void put_platform(struct der *out)
{
    static const uint8_t ppid[16] = {0x99};
    static const uint8_t cpu_svn[16] = {5};
    static const uint8_t pce_id[2] = {0};
    static const uint8_t fmspc[6] = {0x00, 0xa0, 0x67, 0x11};
    static const uint8_t component = 5;
    static const uint8_t pce_svn = 11;
    struct der tcb = {.len = 0};
    struct der all = {.len = 0};
    for (unsigned i = 1; i <= INTEL_COMPONENTS; i++) {
        put_field(&tcb, 2, (uint8_t)i, INTEGER, MT_BYTES_OF(component));
    }
    put_field(&tcb, 2, 17, INTEGER, MT_BYTES_OF(pce_svn));
    put_field(&tcb, 2, 18, OCTETS, MT_BYTES_OF(cpu_svn));
    put_field(&all, 1, 0, OCTETS, MT_BYTES_OF(ppid));
    put_field(&all, 2, 0, SEQUENCE, (mt_bytes){tcb.b, tcb.len});
    put_field(&all, 3, 0, OCTETS, MT_BYTES_OF(pce_id));
    put_field(&all, 4, 0, OCTETS, MT_BYTES_OF(fmspc));
    put(out, SEQUENCE, (mt_bytes){all.b, all.len});
}

void intel_maker_make(struct intel_maker *m)
{
    static const uint64_t day_ms = 24ULL * 60 * 60 * 1000;
    struct der platform = {.len = 0};
    put_platform(&platform);
    const struct pki_extension own = {"1.2.840.113741.1.13.1", {platform.b, platform.len}};
    const struct pki_wish root = {
        .name = "Intel SGX Root CA", .key = PKI_P256, .is_ca = true, .serial = 1};
    const struct pki_wish authority = {
        .name = "Intel SGX PCK Platform CA", .key = PKI_P256, .is_ca = true, .serial = 2};
    const struct pki_wish pck = {.name = "Intel SGX PCK Certificate",
                                 .key = PKI_P256,
                                 .serial = 3,
                                 .extensions = &own,
                                 .extensions_count = 1};
    const struct pki_wish signer = {.name = "Intel SGX TCB Signing", .key = PKI_P256, .serial = 4};
    const struct pki_wish quoting = {.name = "nobody", .key = PKI_P256, .serial = 5};
    pki_make(&root, NULL, &m->root);
    pki_make(&authority, &m->root, &m->authority);
    pki_make(&pck, &m->authority, &m->pck);
    pki_make(&signer, &m->root, &m->signer);
    pki_make(&quoting, NULL, &m->quoting);
    m->roots = (struct mt_dcap_roots){pki_der(&m->root)};
    const struct pki_list roots = {&m->root, intel_now_ms - day_ms, intel_now_ms + day_ms, NULL, 0};
    const struct pki_list pcks = {&m->authority, intel_now_ms - day_ms, intel_now_ms + day_ms, NULL,
                                  0};
    m->root_list = pki_crl(&roots, (mt_span){m->root_crl, sizeof m->root_crl});
    m->pck_list = pki_crl(&pcks, (mt_span){m->pck_crl, sizeof m->pck_crl});
}

void intel_maker_done(struct intel_maker *m)
{
    pki_done(&m->root);
    pki_done(&m->authority);
    pki_done(&m->pck);
    pki_done(&m->signer);
    pki_done(&m->quoting);
}

static void begin_report(struct intel_quote *q)
{
    bool is_sgx = q->body == MT_DCAP_SGX;
    uint8_t *r = q->report;
    if (is_sgx) {
        r[48] = 0x05;             /* INIT, MODE64BIT */
        memset(r + 64, 0xe1, 32); /* MRENCLAVE */
        r[256] = 7;
        r[258] = 8;
    } else {
        static const uint8_t svn[INTEL_COMPONENTS] = {3, 1, 3, 3, 3, 3, 3, 3,
                                                      3, 3, 3, 3, 3, 3, 3, 3};
        memcpy(r, svn, sizeof svn);
        r[123] = 0x10;             /* SEPT_VE_DISABLE */
        memset(r + 136, 0xe2, 48); /* MRTD */
        memcpy(r + 584, svn, sizeof svn);
    }
    memset(r + (is_sgx ? 320 : 520), 0xa5, MT_REPORT_DATA_LEN);
    memset(q->report_data, 0xa5, sizeof q->report_data);
}

static void begin_levels(struct intel_quote *q)
{
    struct intel_level *at = q->levels.at;
    q->levels.count = 2;
    at[0] = (struct intel_level){.svn = 11, .date = "2024-03-13T00:00:00Z", .status = "UpToDate"};
    at[1] = (struct intel_level){.svn = 5,
                                 .date = "2020-01-01T00:00:00Z",
                                 .status = "OutOfDate",
                                 .advisories = "\"INTEL-SA-00001\",\"INTEL-SA-00002\""};
    memset(at[0].sgx, 5, INTEL_COMPONENTS);
    memset(at[0].tdx, 3, INTEL_COMPONENTS);
    memset(at[1].sgx, 2, INTEL_COMPONENTS);
    memset(at[1].tdx, 1, INTEL_COMPONENTS);
    q->module =
        (struct intel_levels){{{.svn = 3, .date = "2024-05-01T00:00:00Z", .status = "UpToDate"},
                               {.svn = 1, .date = "2021-01-01T00:00:00Z", .status = "OutOfDate"}},
                              2};
    q->qe = (struct intel_levels){{{.svn = 4, .date = "2024-04-01T00:00:00Z", .status = "UpToDate"},
                                   {.svn = 2,
                                    .date = "2019-01-01T00:00:00Z",
                                    .status = "OutOfDate",
                                    .advisories = "\"INTEL-SA-00002\",\"INTEL-SA-00003\""}},
                                  2};
}

void intel_begin(struct intel_quote *q, const struct intel_maker *by, uint16_t version,
                 enum mt_dcap_body body)
{
    static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                       0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    memset(q, 0, sizeof *q);
    q->by = q->info_by = q->identity_by = by;
    q->version = version;
    q->body = body;
    q->key_type = 2;
    q->cert_type = MT_DCAP_CERT_CHAIN;
    memcpy(q->vendor, vendor, sizeof vendor);
    q->qe_auth_len = 32;
    q->pem_end = "";
    begin_report(q);
    begin_levels(q);
    q->qe_report[48] = 0x11;
    memset(q->qe_report + 128, 0x5a, 32);
    q->qe_report[256] = body == MT_DCAP_SGX ? 1 : 2;
    q->qe_report[258] = 4;
    intel_write(q);
}

struct text {
    char *b;
    size_t len;
};

static void say(struct text *t, const char *words)
{
    size_t len = strlen(words);
    MT_ASSERT(t->len + len < INTEL_TEXT_MAX);
    memcpy(t->b + t->len, words, len + 1);
    t->len += len;
}

static void say_number(struct text *t, const char *before, unsigned n)
{
    char digits[12];
    (void)snprintf(digits, sizeof digits, "%u", n);
    say(t, before);
    say(t, digits);
}

static void say_components(struct text *t, const char *name, const uint8_t svn[INTEL_COMPONENTS])
{
    say(t, name);
    for (size_t i = 0; i < INTEL_COMPONENTS; i++) {
        say_number(t, i == 0 ? ":[{\"svn\":" : "},{\"svn\":", svn[i]);
    }
    say(t, "}]");
}

enum kind { SGX, TDX, PART };

static void say_levels(struct text *t, const struct intel_levels *l, enum kind kind)
{
    say(t, "\"tcbLevels\":[");
    for (size_t i = 0; i < l->count; i++) {
        const struct intel_level *at = &l->at[i];
        say(t, i == 0 ? "{\"tcb\":{" : ",{\"tcb\":{");
        if (kind != PART) {
            say_components(t, "\"sgxtcbcomponents\"", at->sgx);
        }
        if (kind == TDX) {
            say_components(t, ",\"tdxtcbcomponents\"", at->tdx);
        }
        say_number(t, kind == PART ? "\"isvsvn\":" : ",\"pcesvn\":", at->svn);
        say(t, "},\"tcbDate\":\"");
        say(t, at->date);
        say(t, "\",\"tcbStatus\":\"");
        say(t, at->status);
        if (at->advisories != NULL) {
            say(t, "\",\"advisoryIDs\":[");
            say(t, at->advisories);
            say(t, "]}");
        } else {
            say(t, "\"}");
        }
    }
    say(t, "]");
}

#define MODULE_SIGNER                                                                              \
    "\"mrsigner\":\"000000000000000000000000000000000000000000000000000000000000000000000000000"   \
    "000000000000000000000\",\"attributes\":\"0000000000000000\",\"attributesMask\":"              \
    "\"FFFFFFFFFFFFFFFF\""

static void write_info(struct intel_quote *q)
{
    bool is_tdx = q->body != MT_DCAP_SGX;
    struct text t = {q->info, 0};
    say(&t, is_tdx ? "{\"id\":\"TDX\"" : "{\"id\":\"SGX\"");
    say(&t, ",\"version\":3,\"issueDate\":\"2026-06-20T00:00:00Z\",\"nextUpdate\":"
            "\"2026-07-20T00:00:00Z\",\"fmspc\":\"00A067110000\",\"pceId\":\"0000\",\"tcbType\":0,"
            "\"tcbEvaluationDataNumber\":17,");
    if (is_tdx) {
        say(&t, "\"tdxModule\":{" MODULE_SIGNER
                "},\"tdxModuleIdentities\":[{\"id\":\"TDX_01\"," MODULE_SIGNER ",");
        say_levels(&t, &q->module, PART);
        say(&t, "}],");
    }
    say_levels(&t, &q->levels, is_tdx ? TDX : SGX);
    say(&t, "}");
}

void intel_write(struct intel_quote *q)
{
    bool is_tdx = q->body != MT_DCAP_SGX;
    struct text t = {q->identity, 0};
    write_info(q);
    say(&t, is_tdx ? "{\"id\":\"TD_QE\"" : "{\"id\":\"QE\"");
    say(&t, ",\"version\":2,\"issueDate\":\"2026-06-21T00:00:00Z\",\"nextUpdate\":"
            "\"2026-07-21T00:00:00Z\",\"tcbEvaluationDataNumber\":16,\"miscselect\":\"00000000\","
            "\"miscselectMask\":\"FFFFFFFF\",\"attributes\":\"11000000000000000000000000000000\","
            "\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",\"mrsigner\":"
            "\"5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A\",\"isvprodid\":");
    say(&t, is_tdx ? "2," : "1,");
    say_levels(&t, &q->qe, PART);
    say(&t, "}");
}

void intel_change(char text[INTEL_TEXT_MAX], const char *from, const char *to)
{
    char *at = strstr(text, from);
    size_t from_len = strlen(from);
    size_t to_len = strlen(to);
    MT_ASSERT(at != NULL && strlen(text) - from_len + to_len < INTEL_TEXT_MAX);
    memmove(at + to_len, at + from_len, strlen(at + from_len) + 1);
    for (size_t i = 0; i < to_len; i++) {
        at[i] = to[i];
    }
}

static void sign_list(const struct intel_maker *by, mt_bytes text, uint8_t room[PKI_PEM_MAX],
                      uint8_t signature[64], mt_bytes *chain)
{
    const struct pki_cert *const certs[] = {&by->signer, &by->root};
    *chain = pki_pem(certs, 2, (mt_span){room, PKI_PEM_MAX});
    (void)pki_sign(&by->signer, text, (mt_span){signature, 64});
}

static void sign_lists(struct intel_quote *q)
{
    struct mt_collateral *c = &q->in.collateral;
    c->tcb_info = mt_bytes_of_text(q->info);
    c->qe_identity = mt_bytes_of_text(q->identity);
    sign_list(q->info_by, c->tcb_info, q->pem[0], q->signatures[0], &c->tcb_info_chain);
    sign_list(q->identity_by, c->qe_identity, q->pem[1], q->signatures[1], &c->qe_identity_chain);
    c->tcb_info_signature = MT_BYTES_OF(q->signatures[0]);
    c->qe_identity_signature = MT_BYTES_OF(q->signatures[1]);
    c->root_ca_crl = q->by->root_list;
    c->pck_crl = q->by->pck_list;
}

static void write_head(struct mt_writer *w, const struct intel_quote *q)
{
    static const size_t lengths[] = {
        [MT_DCAP_SGX] = 384, [MT_DCAP_TD10] = 584, [MT_DCAP_TD15] = 648, [MT_DCAP_TD15_EX] = 885};
    static const uint8_t zeros[20];
    mt_write_u16le(w, q->version);
    mt_write_u16le(w, q->key_type);
    mt_write_u32le(w, q->body == MT_DCAP_SGX ? 0 : 0x81);
    mt_write_bytes(w, (mt_bytes){zeros, 4});
    mt_write_bytes(w, MT_BYTES_OF(q->vendor));
    mt_write_bytes(w, MT_BYTES_OF(zeros));
    if (q->version == 5) {
        mt_write_u16le(w, (uint16_t)q->body);
        mt_write_u32le(w, (uint32_t)lengths[q->body]);
    }
    mt_write_bytes(w, (mt_bytes){q->report, lengths[q->body]});
}

/* From the QE's report on: of versions 4 and 5 it is nested once more. */
static void write_certification(struct mt_writer *w, struct intel_quote *q, mt_bytes key)
{
    uint8_t report[INTEL_QE_LEN];
    const struct pki_cert *const certs[] = {&q->by->pck, &q->by->authority, &q->by->root};
    const mt_bytes bound[] = {key, {q->qe_auth, q->qe_auth_len}};
    const mt_bytes end = mt_bytes_of_text(q->pem_end);
    uint8_t signature[64];
    mt_hash h;
    mt_bytes pem = pki_pem(certs, 3, (mt_span){q->pem[2], PKI_PEM_MAX});
    memcpy(report, q->qe_report, sizeof report);
    mt_sha256(bound, 2, &h);
    for (size_t i = 0; i < sizeof h.b; i++) {
        report[320 + i] ^= h.b[i]; /* onto what a test may have put there */
    }
    (void)pki_sign(&q->by->pck, MT_BYTES_OF(report), (mt_span){signature, 64});
    mt_write_bytes(w, MT_BYTES_OF(report));
    mt_write_bytes(w, MT_BYTES_OF(signature));
    mt_write_u16le(w, (uint16_t)q->qe_auth_len);
    mt_write_bytes(w, bound[1]);
    mt_write_u16le(w, q->cert_type);
    mt_write_u32le(w, q->is_bare ? 0 : (uint32_t)(pem.len + end.len));
    if (!q->is_bare) {
        mt_write_bytes(w, pem);
        mt_write_bytes(w, end);
    }
}

void intel_sign(struct intel_quote *q)
{
    static uint8_t room[INTEL_QUOTE_MAX];
    MT_DEFER(mt_x509_free) struct mt_x509 *quoting = NULL;
    uint8_t signature[64];
    mt_bytes head;
    mt_bytes rest;
    bool is_nested = q->version > 3;
    OK(mt_x509_parse(pki_der(&q->by->quoting), &quoting));
    const mt_bytes spki = mt_pubkey_spki(mt_x509_key(quoting));
    const mt_bytes key = {spki.ptr + spki.len - 64, 64};
    sign_lists(q);
    struct mt_writer inner = mt_writer_over((mt_span){room, sizeof room});
    write_certification(&inner, q, key);
    OK(mt_write_end(&inner, &rest));
    struct mt_writer w = mt_writer_over((mt_span){q->quote, sizeof q->quote});
    write_head(&w, q);
    struct mt_writer so_far = w;
    OK(mt_write_end(&so_far, &head));
    (void)pki_sign(&q->by->quoting, head, (mt_span){signature, 64});
    mt_write_u32le(&w, (uint32_t)(64 + 64 + rest.len + (is_nested ? 6 : 0)));
    mt_write_bytes(&w, MT_BYTES_OF(signature));
    mt_write_bytes(&w, key);
    if (is_nested) {
        mt_write_u16le(&w, 6);
        mt_write_u32le(&w, (uint32_t)rest.len);
    }
    mt_write_bytes(&w, rest);
    OK(mt_write_end(&w, &q->in.quote));
    q->in.now_ms = intel_now_ms;
}
