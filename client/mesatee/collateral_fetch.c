/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "mesatee/collateral.h"
#include "mesatee/fetch.h"

/*
 * Collateral by the paths of Intel's Provisioning Certification Service (API version 4) and AMD's
 * Key Distribution Service, at the makers' own addresses or at a cache of the same paths.
 */

enum { URL_MAX = 1024, BODY_MAX = 1024 * 1024 };

static const char *const intel = "https://api.trustedservices.intel.com";
/* Intel's root has its list elsewhere; caches have it among the rest. */
static const char *const intel_root_list =
    "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
static const char *const amd = "https://kdsintf.amd.com";

void mt_collateral_source_done(struct mt_collateral_source *g)
{
    for (size_t i = 0; i < g->kept_count; i++) {
        mt_buf_free(&g->kept[i]);
    }
}

static MT_ERR keep(struct mt_collateral_source *g, mt_bytes content, mt_bytes *field)
{
    MT_REQUIRE(g->kept_count < MT_EVIDENCE_FILES_MAX, MT_E_LIMIT, "too many parts of collateral");
    struct mt_buf *b = &g->kept[g->kept_count++];
    *b = mt_buf_of_max(BODY_MAX);
    MT_TRY(mt_buf_append(b, content));
    *field = mt_buf_bytes(b);
    return MT_OK;
}

static MT_ERR explain(const struct mt_collateral_source *g, mt_err e, const char *url)
{
    return mt_session_explain(g->s, e,
                              "look at the address and the network, or carry the collateral over: "
                              "--from FOLDER",
                              "%s: %s", e.fault->what, url);
}

static bool has_type(const struct mt_fetched *f, mt_bytes type)
{
    return mt_bytes_start_with(mt_http_header_get(&f->head, "content-type"), type);
}

/* The one status that counts is 200; a page for people is what a login or a proxy sends. */
static MT_ERR check_answer(const struct mt_fetched *f, bool is_json)
{
    uint32_t status = f->head.status;
    MT_REQUIRE(status != 404, MT_E_NOTFOUND, "the server has no such thing");
    MT_REQUIRE(status < 300 || status >= 400, MT_E_FORMAT,
               "the server sends elsewhere, which is not followed");
    MT_REQUIRE(status == 200, MT_E_FORMAT, "the server refuses");
    MT_REQUIRE(f->body.len > 0, MT_E_FORMAT, "the server's answer is empty");
    bool is_right = is_json ? has_type(f, MT_LITERAL("application/json"))
                            : !has_type(f, MT_LITERAL("text/html"));
    MT_REQUIRE(is_right, MT_E_FORMAT, "the server sends something of another type");
    return MT_OK;
}

static MT_ERR ask(const struct mt_collateral_source *g, const char *url, bool is_json,
                  struct mt_fetched *f)
{
    mt_err e = mt_fetch(url, BODY_MAX, f);
    e = mt_failed(e) ? e : check_answer(f, is_json);
    return mt_failed(e) ? explain(g, e, url) : MT_OK;
}

static int digit(uint8_t c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

/* A chain of certificates in a header: %XX, and all else as it is. */
static MT_ERR keep_chain(struct mt_collateral_source *g, const struct mt_fetched *f,
                         const char *header, mt_bytes *field)
{
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(MT_HTTP_HEAD_BYTES_MAX);
    const mt_bytes in = mt_http_header_get(&f->head, header);
    MT_REQUIRE(in.len > 0, MT_E_FORMAT, "the server sends no certificates beside the answer");
    for (size_t i = 0; i < in.len; i++) {
        uint8_t byte = in.ptr[i];
        if (byte == '%') {
            int high = i + 2 < in.len ? digit(in.ptr[i + 1]) : -1;
            int low = high >= 0 ? digit(in.ptr[i + 2]) : -1;
            MT_REQUIRE(low >= 0, MT_E_FORMAT, "the certificates beside the answer are malformed");
            byte = (uint8_t)(high * 16 + low);
            i += 2;
        }
        MT_TRY(mt_buf_append(&text, MT_BYTES_OF(byte)));
    }
    return keep(g, mt_buf_bytes(&text), field);
}

/* {"name":VALUE,"signature":"HEX"}: what is signed are the bytes of VALUE as they came. Whether
 * they are JSON, and Intel's, is for verifying. */
static MT_ERR keep_signed(struct mt_collateral_source *g, mt_bytes body, const char *start,
                          mt_bytes *value, mt_bytes *signature)
{
    enum { SIGNATURE = 64 };
    static const char middle[] = ",\"signature\":\"";
    const size_t before = strlen(start);
    const size_t after = sizeof middle - 1 + (size_t)2 * SIGNATURE + 2;
    uint8_t raw[SIGNATURE];
    while (body.len > 0 && (body.ptr[body.len - 1] == '\n' || body.ptr[body.len - 1] == '\r')) {
        body.len--;
    }
    MT_REQUIRE(body.len > before + after && mt_bytes_start_with(body, mt_bytes_of_text(start)),
               MT_E_FORMAT, "the answer is not what Intel's service sends");
    const mt_bytes end = {body.ptr + body.len - after, after};
    const mt_bytes hex = {end.ptr + sizeof middle - 1, (size_t)2 * SIGNATURE};
    MT_REQUIRE(mt_bytes_start_with(end, mt_bytes_of_text(middle)) &&
                   mt_bytes_equal((mt_bytes){end.ptr + after - 2, 2}, MT_LITERAL("\"}")) &&
                   !mt_failed(mt_hex_parse(hex, (mt_span){raw, sizeof raw})),
               MT_E_FORMAT, "the answer is not what Intel's service sends");
    MT_TRY(keep(g, (mt_bytes){body.ptr + before, body.len - before - after}, value));
    return keep(g, MT_BYTES_OF(raw), signature);
}

static MT_ERR fetch_info(struct mt_collateral_source *g, const char *url)
{
    MT_DEFER(mt_fetched_free) struct mt_fetched f = {.all = mt_buf_of_max(0)};
    MT_TRY(ask(g, url, true, &f));
    mt_err e =
        keep_signed(g, f.body, "{\"tcbInfo\":", &g->out.tcb_info, &g->out.tcb_info_signature);
    e = mt_failed(e) ? e : keep_chain(g, &f, "tcb-info-issuer-chain", &g->out.tcb_info_chain);
    return mt_failed(e) ? explain(g, e, url) : MT_OK;
}

static MT_ERR fetch_identity(struct mt_collateral_source *g, const char *url)
{
    MT_DEFER(mt_fetched_free) struct mt_fetched f = {.all = mt_buf_of_max(0)};
    MT_TRY(ask(g, url, true, &f));
    mt_err e = keep_signed(g, f.body, "{\"enclaveIdentity\":", &g->out.qe_identity,
                           &g->out.qe_identity_signature);
    e = mt_failed(e)
            ? e
            : keep_chain(g, &f, "sgx-enclave-identity-issuer-chain", &g->out.qe_identity_chain);
    return mt_failed(e) ? explain(g, e, url) : MT_OK;
}

/* In DER, or as caches send it: the digits of it. */
static MT_ERR fetch_bytes(struct mt_collateral_source *g, const char *url, mt_bytes *field)
{
    MT_DEFER(mt_fetched_free) struct mt_fetched f = {.all = mt_buf_of_max(0)};
    MT_DEFER(mt_buf_free) struct mt_buf der = mt_buf_of_max(BODY_MAX / 2);
    mt_span room;
    MT_TRY(ask(g, url, false, &f));
    if (f.body.ptr[0] == 0x30 && f.body.len > 2 && digit(f.body.ptr[1]) < 0) {
        return keep(g, f.body, field);
    }
    MT_TRY(mt_buf_reserve(&der, f.body.len / 2, &room));
    der.len = f.body.len / 2;
    mt_err e = mt_hex_parse(f.body, (mt_span){room.ptr, der.len});
    MT_TRY(keep(g, mt_failed(e) ? f.body : mt_buf_bytes(&der), field));
    return MT_OK;
}

static const struct mt_claimed *said(const struct mt_collateral_source *g, const char *name)
{
    return mt_claimed(g->said, mt_bytes_of_text(name));
}

static MT_ERR fetch_intel(struct mt_collateral_source *g)
{
    char url[URL_MAX];
    char fmspc[13] = "";
    const char *base = g->base != NULL ? g->base : intel;
    const char *tee = g->said->kind == MT_EVIDENCE_TDX ? "tdx" : "sgx";
    const struct mt_claimed *model = said(g, "FMSPC");
    const struct mt_claimed *ca = said(g, "pck_ca");
    MT_REQUIRE(model != NULL && ca != NULL, MT_E_FORMAT,
               "the quote carries no certificate that names its platform: give pck_chain.pem");
    for (size_t i = 0; i < 6; i++) {
        (void)snprintf(fmspc + 2 * i, 3, "%02X", model->bytes[i]);
    }
    (void)snprintf(url, sizeof url, "%s/%s/certification/v4/tcb?fmspc=%s", base, tee, fmspc);
    MT_TRY(fetch_info(g, url));
    (void)snprintf(url, sizeof url, "%s/%s/certification/v4/qe/identity", base, tee);
    MT_TRY(fetch_identity(g, url));
    (void)snprintf(url, sizeof url, "%s/sgx/certification/v4/pckcrl?ca=%.*s&encoding=der", base,
                   (int)ca->len, (const char *)ca->bytes);
    MT_TRY(fetch_bytes(g, url, &g->out.pck_crl));
    (void)snprintf(url, sizeof url, "%s/sgx/certification/v4/rootcacrl", base);
    return fetch_bytes(g, g->base != NULL ? url : intel_root_list, &g->out.root_ca_crl);
}

/* Turin names its chips in eight bytes, and has one part of firmware more. */
static MT_ERR vcek_path(const struct mt_collateral_source *g, const char *product,
                        char out[URL_MAX / 2])
{
    static const struct {
        const char *claim;
        const char *parameter;
    } parts[] = {{"tcb_fmc", "fmcSPL"},
                 {"tcb_boot_loader", "blSPL"},
                 {"tcb_tee", "teeSPL"},
                 {"tcb_snp", "snpSPL"},
                 {"tcb_microcode", "ucodeSPL"}};
    const struct mt_claimed *chip = said(g, "chip_id");
    size_t digits = strcmp(product, "Turin") == 0 ? 8 : chip->len;
    int len = snprintf(out, URL_MAX / 2, "/vcek/v1/%s/", product);
    for (size_t i = 0; i < digits; i++) {
        len += snprintf(out + len, 3, "%02x", chip->bytes[i]);
    }
    char before = '?';
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct mt_claimed *x = said(g, parts[i].claim);
        if (x != NULL) {
            len += snprintf(out + len, 24, "%c%s=%02u", before, parts[i].parameter,
                            (unsigned)x->number);
            before = '&';
        }
    }
    MT_REQUIRE(before == '&', MT_E_ARG, "the report's firmware cannot be told");
    return MT_OK;
}

static MT_ERR fetch_vcek(struct mt_collateral_source *g, const char *base, const char *product)
{
    char url[URL_MAX];
    char path[URL_MAX / 2];
    MT_TRY(vcek_path(g, product, path));
    (void)snprintf(url, sizeof url, "%s%s", base, path);
    return fetch_bytes(g, url, &g->out.vek);
}

static bool is_missing(mt_err e)
{
    return mt_failed(e) && e.fault->code == MT_E_NOTFOUND;
}

/* AMD's roots are pinned, so that its cert_chain is not asked for. A list may be missing: verifying
 * goes without one, too. */
static MT_ERR fetch_of_line(struct mt_collateral_source *g, const char *product)
{
    char url[URL_MAX];
    const char *base = g->base != NULL ? g->base : amd;
    const struct mt_claimed *key = said(g, "signing_key");
    bool is_lent = mt_bytes_equal((mt_bytes){key->bytes, key->len}, MT_LITERAL("VLEK"));
    if (!is_lent) {
        MT_TRY(fetch_vcek(g, base, product));
    }
    (void)snprintf(url, sizeof url, "%s/%s/v1/%s/crl", base, is_lent ? "vlek" : "vcek", product);
    mt_err e = fetch_bytes(g, url, &g->out.amd_crl);
    return is_missing(e) ? MT_OK : e;
}

/* Reports of version 2 do not name the processor; then whoever knows the chip does. */
static MT_ERR fetch_amd(struct mt_collateral_source *g)
{
    char product[24];
    const struct mt_claimed *named = said(g, "product");
    if (named != NULL) {
        (void)snprintf(product, sizeof product, "%.*s", (int)named->len,
                       (const char *)named->bytes);
        return fetch_of_line(g, product);
    }
    mt_err e = fetch_of_line(g, "Milan");
    return is_missing(e) ? fetch_of_line(g, "Genoa") : e;
}

MT_ERR mt_collateral_fetch(struct mt_collateral_source *g)
{
    return g->said->kind == MT_EVIDENCE_SNP ? fetch_amd(g) : fetch_intel(g);
}
