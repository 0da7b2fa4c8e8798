/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/tcg_log.h"

#include <string.h>

#include "crypto/hash.h"

enum {
    EV_NO_ACTION = 3,
    ALG_SHA256 = 0x000b,
    ALG_SHA384 = 0x000c,
    ALGS_MAX = 8,
    DIGEST_MAX = 64,
    SHA1_LEN = 20,
    PCRS = 24,
    RTMRS = 4,
};

struct algs {
    uint16_t ids[ALGS_MAX];
    uint16_t sizes[ALGS_MAX];
    size_t count;
};

static MT_ERR read_algs(struct mt_reader *r, struct algs *out)
{
    uint32_t count = 0;
    MT_TRY(mt_read_u32le(r, &count));
    MT_REQUIRE(count > 0 && count <= ALGS_MAX, MT_E_FORMAT,
               "a log has one to eight hash algorithms");
    for (out->count = 0; out->count < count; out->count++) {
        uint16_t *id = &out->ids[out->count];
        uint16_t *size = &out->sizes[out->count];
        MT_TRY(mt_read_u16le(r, id));
        MT_TRY(mt_read_u16le(r, size));
        bool is_true = (*id != ALG_SHA256 || *size == 32) && (*id != ALG_SHA384 || *size == 48);
        MT_REQUIRE(is_true && *size > 0 && *size <= DIGEST_MAX, MT_E_FORMAT,
                   "a log says a wrong size of a hash");
        for (size_t i = 0; i < out->count; i++) {
            MT_REQUIRE(out->ids[i] != *id, MT_E_FORMAT, "a log names a hash algorithm twice");
        }
    }
    return MT_OK;
}

/* The first record has the old form, so that old readers stop there, and says what follows. */
static MT_ERR read_head(struct mt_reader *r, struct algs *out)
{
    static const uint8_t name[16] = "Spec ID Event03";
    enum { CLASS_AND_VERSIONS = 8 };
    uint32_t index = 0;
    uint32_t type = 0;
    uint32_t size = 0;
    uint8_t vendor = 0;
    mt_bytes part;
    mt_bytes data;
    MT_TRY(mt_read_u32le(r, &index));
    MT_TRY(mt_read_u32le(r, &type));
    MT_TRY(mt_read_bytes(r, SHA1_LEN, &part));
    MT_TRY(mt_read_u32le(r, &size));
    MT_TRY(mt_read_bytes(r, size, &data));
    MT_REQUIRE(type == EV_NO_ACTION, MT_E_FORMAT, "a log begins with what it is");
    struct mt_reader in = mt_reader_over(data);
    MT_TRY(mt_read_bytes(&in, sizeof name, &part));
    MT_REQUIRE(mt_bytes_equal(part, MT_BYTES_OF(name)), MT_E_FORMAT,
               "a log of another form than the crypto-agile one");
    MT_TRY(mt_read_bytes(&in, CLASS_AND_VERSIONS, &part));
    MT_TRY(read_algs(&in, out));
    MT_TRY(mt_read_u8(&in, &vendor));
    MT_TRY(mt_read_bytes(&in, vendor, &part));
    return mt_read_end(&in);
}

static MT_ERR read_digests(struct mt_reader *r, const struct algs *algs, uint16_t wanted,
                           mt_bytes *out)
{
    uint32_t count = 0;
    MT_TRY(mt_read_u32le(r, &count));
    MT_REQUIRE(count <= algs->count, MT_E_FORMAT,
               "an event has more digests than there are hashes");
    *out = (mt_bytes){NULL, 0};
    for (uint32_t i = 0; i < count; i++) {
        uint16_t id = 0;
        size_t at = 0;
        mt_bytes digest;
        MT_TRY(mt_read_u16le(r, &id));
        while (at < algs->count && algs->ids[at] != id) {
            at++;
        }
        MT_REQUIRE(at < algs->count, MT_E_FORMAT, "an event has a digest of an unknown hash");
        MT_TRY(mt_read_bytes(r, algs->sizes[at], &digest));
        if (id == wanted) {
            MT_REQUIRE(out->len == 0, MT_E_FORMAT, "an event has two digests of one hash");
            *out = digest;
        }
    }
    return MT_OK;
}

/* A log in a table of fixed size is filled up with FF. */
static bool is_filler(mt_bytes rest)
{
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.ptr[i] != 0xff) {
            return false;
        }
    }
    return true;
}

static MT_ERR read_event(struct mt_reader *r, const struct algs *algs, uint16_t wanted,
                         struct mt_tcg_event *out)
{
    uint32_t size = 0;
    MT_TRY(mt_read_u32le(r, &out->index));
    MT_TRY(mt_read_u32le(r, &out->type));
    MT_TRY(read_digests(r, algs, wanted, &out->digest));
    MT_TRY(mt_read_u32le(r, &size));
    return mt_read_bytes(r, size, &out->data);
}

MT_ERR mt_tcg_log_parse(mt_bytes log, enum mt_tcg_bank bank,
                        mt_err (*each)(void *state, const struct mt_tcg_event *e), void *state)
{
    struct mt_reader r = mt_reader_over(log);
    struct algs algs = {.count = 0};
    const uint16_t wanted = bank == MT_TCG_PCRS_SHA256 ? ALG_SHA256 : ALG_SHA384;
    size_t events = 0;
    MT_TRY(read_head(&r, &algs));
    while (r.rest.len > 0 && !is_filler(r.rest)) {
        struct mt_tcg_event e;
        MT_REQUIRE(events++ < MT_TCG_EVENTS_MAX, MT_E_FORMAT, "a log has too many events");
        MT_TRY(read_event(&r, &algs, wanted, &e));
        MT_TRY(each(state, &e));
    }
    return MT_OK;
}

struct replay {
    enum mt_tcg_bank bank;
    struct mt_tcg_replay *out;
};

/* The locality from which firmware began sets the last byte of PCR 0, before anything is extended.
 */
static MT_ERR set_locality(const struct replay *p, mt_bytes data)
{
    static const uint8_t name[16] = "StartupLocality";
    bool is_it = data.len == sizeof name + 1 &&
                 mt_bytes_equal((mt_bytes){data.ptr, sizeof name}, MT_BYTES_OF(name));
    if (!is_it || p->bank != MT_TCG_PCRS_SHA256) {
        return MT_OK;
    }
    MT_REQUIRE((p->out->touched & 1) == 0, MT_E_FORMAT, "a log says where it began after it began");
    p->out->values[0][31] = data.ptr[sizeof name];
    p->out->touched |= 1;
    return MT_OK;
}

static mt_err extend(void *state, const struct mt_tcg_event *e)
{
    const struct replay *p = state;
    bool is_pcr = p->bank == MT_TCG_PCRS_SHA256;
    p->out->events++;
    if (e->type == EV_NO_ACTION) {
        return set_locality(p, e->data);
    }
    uint32_t at = is_pcr ? e->index : e->index == 0 ? UINT32_MAX : e->index - 1;
    MT_REQUIRE(at < (is_pcr ? PCRS : RTMRS), MT_E_FORMAT,
               "an event of a register that there is not");
    MT_REQUIRE(e->digest.len > 0, MT_E_FORMAT, "an event has no digest of the bank that is signed");
    const mt_bytes parts[] = {{p->out->values[at], e->digest.len}, e->digest};
    if (is_pcr) {
        mt_hash h;
        mt_sha256(parts, 2, &h);
        memcpy(p->out->values[at], h.b, sizeof h.b);
    } else {
        uint8_t h[MT_SHA384_LEN];
        mt_sha384(parts, 2, h);
        memcpy(p->out->values[at], h, sizeof h);
    }
    p->out->touched |= 1u << at;
    return MT_OK;
}

MT_ERR mt_tcg_log_replay(mt_bytes log, enum mt_tcg_bank bank, struct mt_tcg_replay *out)
{
    struct replay p = {bank, out};
    *out = (struct mt_tcg_replay){.events = 0};
    return mt_tcg_log_parse(log, bank, extend, &p);
}
