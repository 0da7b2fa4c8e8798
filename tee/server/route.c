/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/inside.h"

static enum mt_method method_of(enum mt_http_method m)
{
    switch (m) {
    case MT_HTTP_GET:
    case MT_HTTP_HEAD:
        return MT_GET;
    case MT_HTTP_PUT:
        return MT_PUT;
    case MT_HTTP_POST:
        return MT_POST;
    case MT_HTTP_DELETE:
        return MT_DELETE;
    }
    return MT_GET;
}

static bool is_argument_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

/* One segment of the pattern against one of the path: a literal, or a placeholder for 1 to 64
 * harmless bytes. */
static bool take_segment(const char **pattern, mt_bytes *path, struct mt_match *m, size_t *n)
{
    const char *p = *pattern;
    size_t len = 0;
    if (*p == '{') {
        while (*p != '}') {
            p++;
        }
        while (len < path->len && is_argument_byte(path->ptr[len])) {
            len++;
        }
        if (len == 0 || len > MT_NAME_BYTES_MAX || *n == MT_PATH_ARGUMENTS_MAX) {
            return false;
        }
        m->arguments[(*n)++] = (mt_bytes){path->ptr, len};
        p++;
    } else {
        while (*p != '\0' && *p != '/' && len < path->len && path->ptr[len] == (uint8_t)*p) {
            p++;
            len++;
        }
    }
    *pattern = p;
    path->ptr += len;
    path->len -= len;
    return (*p == '\0' && path->len == 0) || (*p == '/' && path->len > 0 && path->ptr[0] == '/');
}

static bool is_match(const char *pattern, mt_bytes path, struct mt_match *m)
{
    size_t n = 0;
    for (;;) {
        if (*pattern != '/' || path.len == 0 || path.ptr[0] != '/') {
            return false;
        }
        pattern++;
        path.ptr++;
        path.len--;
        if (!take_segment(&pattern, &path, m, &n)) {
            return false;
        }
        if (*pattern == '\0') {
            return true;
        }
    }
}

unsigned mt_route_methods(const struct mt_service *const *services, mt_bytes path)
{
    unsigned methods = 0;
    for (; *services != NULL; services++) {
        for (const struct mt_route *r = (*services)->routes; r->path != NULL; r++) {
            struct mt_match m = {.route = r};
            methods |= is_match(r->path, path, &m) ? 1U << r->method : 0;
        }
    }
    return methods;
}

MT_ERR mt_route_find(const struct mt_service *const *services, enum mt_http_method method,
                     mt_bytes path, struct mt_match *out)
{
    const struct mt_service *const *all = services;
    for (; *services != NULL; services++) {
        for (const struct mt_route *r = (*services)->routes; r->path != NULL; r++) {
            struct mt_match m = {.service = *services, .route = r};
            if (r->method == method_of(method) && is_match(r->path, path, &m)) {
                *out = m;
                return MT_OK;
            }
        }
    }
    MT_REQUIRE(mt_route_methods(all, path) == 0, MT_E_ARG, "this path takes other methods");
    MT_FAIL(MT_E_NOTFOUND, "there is no such path");
}
