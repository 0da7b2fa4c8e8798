/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_BASE_ERR_H
#define MT_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Errors.
 *
 * A function declared MT_ERR can fail. Its result is one pointer wide, cannot
 * be ignored, and is neither an int nor a bool: `if (mt_quote_verify(...))`
 * does not compile, so a failed proof can never read as a success.
 *
 * The value points to a constant record of where and why the error was born.
 * Nothing is allocated, nothing is thread-local, nothing has to be freed.
 */
enum mt_code {
    MT_E_INTERNAL = 1, /* a bug of ours */
    MT_E_LIMIT,        /* a bound from limits.h was reached */
    MT_E_NOMEM,        /* no memory left in the budget of this request */
    MT_E_ARG,          /* the caller asked for something meaningless */
    MT_E_FORMAT,       /* a peer, the disk or the host sent malformed bytes */
    MT_E_PROOF,        /* a signature, tag, quote or hash did not verify */
    MT_E_DENIED,       /* the proof is good and the answer is no */
    MT_E_STALE,        /* expired, or rolled back */
    MT_E_NOTFOUND,
    MT_E_BUSY,
    MT_E_IO,
    MT_E_CLOSED,
    MT_E_CONFLICT,  /* true when asked, no longer: a version, a name, a state has moved on */
    MT_E_UNKNOWN,   /* outcome unknown: repeat with the same request number */
    MT_E_CANCELLED, /* by its owner */
};

/* "format", "denied" and so on: what APIs and receipts say. */
const char *mt_code_name(enum mt_code code);

struct mt_fault {
    enum mt_code code;
    int line;
    const char *file;
    const char *what; /* one clause, no secrets, no peer-controlled text */
};

typedef struct mt_err {
    const struct mt_fault *fault; /* NULL is success */
} mt_err;

#define MT_ERR __attribute__((warn_unused_result)) mt_err
#define MT_OK  ((mt_err){NULL})

static inline bool mt_failed(mt_err e)
{
    return e.fault != NULL;
}

/* Name a fault at the place where it is born. */
#define MT_FAIL(code_, what_)                                                                      \
    do {                                                                                           \
        static const struct mt_fault fault_ = {(code_), __LINE__, __FILE__, (what_)};              \
        return (mt_err){&fault_};                                                                  \
    } while (0)

/* Return from this function unless `cond_` holds. */
#define MT_REQUIRE(cond_, code_, what_)                                                            \
    do {                                                                                           \
        if (!(cond_)) {                                                                            \
            MT_FAIL(code_, what_);                                                                 \
        }                                                                                          \
    } while (0)

/* Pass a failure of `call_` to our own caller, untouched. */
#define MT_TRY(call_)                                                                              \
    do {                                                                                           \
        mt_err err_ = (call_);                                                                     \
        if (mt_failed(err_)) {                                                                     \
            return err_;                                                                           \
        }                                                                                          \
    } while (0)

/* Release a resource when its name leaves scope, on every path. */
#define MT_DEFER(release_) __attribute__((cleanup(release_)))

#endif
