/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "mesatee/context.h"
#include "mesatee/entropy.h"

/*
 * ask HOME METHOD TARGET [BODY]: one request over the attested channel of the context in use, as
 * written: what a client of somebody else's making could send. Prints the status and the body, ends
 * with 0 if there was an answer.
 */
static bool method_of(const char *text, enum mt_http_method *out)
{
    static const struct {
        const char *name;
        enum mt_http_method method;
    } known[] = {{"GET", MT_HTTP_GET}, {"POST", MT_HTTP_POST}, {"DELETE", MT_HTTP_DELETE}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(text, known[i].name) == 0) {
            *out = known[i].method;
            return true;
        }
    }
    return false;
}

static MT_ERR ask(const char *where, const struct mt_call *call)
{
    struct mt_home home;
    struct mt_answer a;
    MT_DEFER(mt_context_free) struct mt_context *context = NULL;
    MT_DEFER(mt_client_close) struct mt_client *client = NULL;
    MT_TRY(mt_entropy_open());
    MT_TRY(mt_home_open(where, &home));
    MT_TRY(mt_context_load(&home, NULL, &context));
    MT_TRY(mt_context_connect(context, &client));
    mt_err e = mt_client_call(client, call, &a);
    if (!mt_failed(e)) {
        (void)printf("%u\n", a.status);
        (void)fwrite(a.body.ptr, 1, a.body.len, stdout);
    }
    mt_buf_free(&a.body);
    return e;
}

int main(int argc, char **argv)
{
    struct mt_call call = {.method = MT_HTTP_GET};
    if ((argc != 4 && argc != 5) || !method_of(argv[2], &call.method)) {
        (void)fputs("usage: ask HOME METHOD TARGET [BODY]\n", stderr);
        return 64;
    }
    call.target = argv[3];
    call.body = mt_bytes_of_text(argc == 5 ? argv[4] : "");
    mt_err e = ask(argv[1], &call);
    mt_entropy_close();
    if (mt_failed(e)) {
        (void)fprintf(stderr, "ask: %s\n", e.fault->what);
    }
    return mt_failed(e) ? 1 : 0;
}
