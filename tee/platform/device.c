/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/device.h"

#include <stddef.h>

#include "base/limits.h"
#include "crypto/context.h"

void mt_device_evidence_init(struct mt_device_evidence *e)
{
    *e = (struct mt_device_evidence){
        .kind = MT_EVIDENCE_NONE,
        .quote = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX),
        .signature = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX),
        .pcrs = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX),
        .event_log = mt_buf_of_max(MT_EVIDENCE_BYTES_MAX),
        .ak_public = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX),
        .vek = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX),
        .runtime = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX),
        .tpm_quote = mt_buf_of_max(MT_DEVICE_QUOTE_BYTES_MAX),
    };
}

void mt_device_evidence_free(struct mt_device_evidence *e)
{
    mt_buf_free(&e->quote);
    mt_buf_free(&e->signature);
    mt_buf_free(&e->pcrs);
    mt_buf_free(&e->event_log);
    mt_buf_free(&e->ak_public);
    mt_buf_free(&e->vek);
    mt_buf_free(&e->runtime);
    mt_buf_free(&e->tpm_quote);
}

MT_ERR mt_device_evidence(struct mt_device *d, const uint8_t report_data[MT_REPORT_DATA_LEN],
                          struct mt_device_evidence *out)
{
    return d->ops->evidence(d, report_data, out);
}

MT_ERR mt_device_check(struct mt_device *d)
{
    MT_DEFER(mt_device_evidence_free) struct mt_device_evidence e;
    uint8_t asked[MT_REPORT_DATA_LEN];
    mt_device_evidence_init(&e);
    MT_TRY(mt_random((mt_span){asked, sizeof asked}));
    return mt_device_evidence(d, asked, &e);
}

bool mt_device_derives(const struct mt_device *d)
{
    return d->ops->derive != NULL;
}

bool mt_device_seals(const struct mt_device *d)
{
    return d->ops->seal != NULL && d->ops->unseal != NULL;
}

bool mt_device_keeps(const struct mt_device *d)
{
    return mt_device_derives(d) || mt_device_seals(d);
}

bool mt_device_counts(const struct mt_device *d)
{
    return d->ops->count != NULL;
}

bool mt_device_enrols(const struct mt_device *d)
{
    return d->ops->endorsement != NULL && d->ops->activate != NULL;
}

bool mt_device_measures_process(const struct mt_device *d)
{
    return d->kind == MT_EVIDENCE_SGX;
}

MT_ERR mt_device_level(struct mt_device *d, struct mt_buf *out)
{
    MT_REQUIRE(mt_device_derives(d), MT_E_ARG, "the device derives no keys");
    return d->ops->level != NULL ? d->ops->level(d, out) : MT_OK;
}

MT_ERR mt_device_derive(struct mt_device *d, mt_bytes context, mt_bytes level, mt_span out)
{
    MT_REQUIRE(mt_device_derives(d), MT_E_ARG, "the device derives no keys");
    return d->ops->derive(d, context, level, out);
}

MT_ERR mt_device_seal(struct mt_device *d, mt_bytes secret, bool is_next, struct mt_buf *out)
{
    MT_REQUIRE(mt_device_seals(d), MT_E_ARG, "the device seals nothing");
    return d->ops->seal(d, secret, is_next, out);
}

MT_ERR mt_device_unseal(struct mt_device *d, mt_bytes sealed, mt_span secret)
{
    MT_REQUIRE(mt_device_seals(d), MT_E_ARG, "the device seals nothing");
    return d->ops->unseal(d, sealed, secret);
}

MT_ERR mt_device_retire(struct mt_device *d, mt_bytes kept)
{
    return d->ops->retire != NULL ? d->ops->retire(d, kept) : MT_OK;
}

MT_ERR mt_device_is_current(struct mt_device *d, mt_bytes kept, bool *out)
{
    if (d->ops->is_current != NULL) {
        return d->ops->is_current(d, kept, out);
    }
    *out = true;
    return MT_OK;
}

MT_ERR mt_device_count(struct mt_device *d, bool is_step, uint64_t *out, mt_hash *whose)
{
    mt_hash unused;
    MT_REQUIRE(mt_device_counts(d), MT_E_ARG, "the device has no counter");
    return d->ops->count(d, is_step, out, whose != NULL ? whose : &unused);
}

MT_ERR mt_device_endorsement(struct mt_device *d, struct mt_buf *certificate,
                             struct mt_buf *public_area)
{
    MT_REQUIRE(mt_device_enrols(d), MT_E_ARG, "the device is known by its maker, not by enrolment");
    return d->ops->endorsement(d, certificate, public_area);
}

MT_ERR mt_device_activate(struct mt_device *d, mt_bytes blob, mt_bytes secret, mt_span out,
                          size_t *got)
{
    MT_REQUIRE(mt_device_enrols(d), MT_E_ARG, "the device is known by its maker, not by enrolment");
    return d->ops->activate(d, blob, secret, out, got);
}

void mt_device_close(struct mt_device **d)
{
    if (*d != NULL) {
        (*d)->ops->close(*d);
        *d = NULL;
    }
}
