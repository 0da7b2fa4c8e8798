/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

const char *mt_code_name(enum mt_code code)
{
    switch (code) {
    case MT_E_FORMAT:
        return "format";
    case MT_E_ARG:
        return "arg";
    case MT_E_DENIED:
        return "denied";
    case MT_E_NOTFOUND:
        return "notfound";
    case MT_E_CONFLICT:
        return "conflict";
    case MT_E_CANCELLED:
        return "cancelled";
    case MT_E_STALE:
        return "stale";
    case MT_E_LIMIT:
        return "limit";
    case MT_E_PROOF:
        return "proof";
    case MT_E_BUSY:
        return "busy";
    case MT_E_NOMEM:
        return "nomem";
    case MT_E_CLOSED:
        return "closed";
    case MT_E_UNKNOWN:
        return "unknown";
    case MT_E_INTERNAL:
        return "internal";
    case MT_E_IO:
        return "io";
    }
    return "internal";
}
