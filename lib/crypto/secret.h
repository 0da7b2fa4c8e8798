/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_SECRET_H
#define MT_CRYPTO_SECRET_H

#include "base/bytes.h"

/*
 * Key material. All secrets of a process live in one locked slab between two guard pages, left out
 * of core dumps and wiped in forked children; each is wiped when released. There is no way to print
 * one, and no way to reach its bytes but mt_secret_span(). The slab is made by mt_secret_init()
 * (part of mt_crypto_init()); failing to lock it is a failure.
 */
struct mt_secret;

/* The caller owns `*out`, zeroed, and releases it with mt_secret_free(). 1 to MT_SECRET_BYTES_MAX
 * bytes; thread safe. */
MT_ERR mt_secret_new(size_t len, struct mt_secret **out);
MT_ERR mt_secret_random(size_t len, struct mt_secret **out);
MT_ERR mt_secret_copy(mt_bytes bytes, struct mt_secret **out);

/* Wipes and releases. Takes the address, so that the dangling name dies too. */
void mt_secret_free(struct mt_secret **s);

/* Borrows; valid until mt_secret_free(). */
mt_span mt_secret_span(struct mt_secret *s);
mt_bytes mt_secret_bytes(const struct mt_secret *s);

#endif
