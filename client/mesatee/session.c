/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mesatee/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { REFUSED_BY_POLICY = 403, GONE = 410, FIRST_ERROR = 400 };

uint64_t mt_now_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

MT_ERR mt_session_load(struct mt_session *s)
{
    if (s->context != NULL) {
        return MT_OK;
    }
    MT_REQUIRE(s->home != NULL, MT_E_ARG, "there is no home to take a context from");
    return mt_context_load(s->home, s->context_name, &s->context);
}

/* By what the owner trusts now, which may not be what he trusted when the connection was made. */
static MT_ERR look_again(struct mt_session *s)
{
    if (s->home == NULL) {
        return MT_OK;
    }
    MT_TRY(mt_context_refresh(s->home, s->context));
    (void)mt_failed(mt_context_remember(s->home, s->context, s->client));
    return MT_OK;
}

MT_ERR mt_session_connect(struct mt_session *s)
{
    if (s->is_connected) {
        return MT_OK;
    }
    MT_TRY(mt_session_load(s));
    MT_TRY(s->client != NULL ? look_again(s) : MT_OK);
    s->context->may_go_back = s->may_go_back;
    mt_client_close(&s->client);
    MT_TRY(mt_context_connect(s->context, &s->client));
    s->is_connected = true;
    return MT_OK;
}

bool mt_session_is_stale(const struct mt_session *s)
{
    return s->is_connected &&
           mt_client_is_stale(s->client, s->renew_ms == 0 ? MT_RENEW_MS : s->renew_ms);
}

/* The session is over, and says by which rule. */
static MT_ERR turned(struct mt_session *s, mt_err e)
{
    const struct mt_check *why = s->client == NULL ? NULL : mt_client_failed(s->client);
    s->is_connected = false;
    return why == NULL ? e
                       : mt_session_explain(s, e, why->mend,
                                            "the verdict on the node has turned: %s: not so that "
                                            "%s",
                                            why->rule, why->meaning);
}

MT_ERR mt_session_reconnect(struct mt_session *s)
{
    s->is_connected = false;
    mt_err e = mt_session_connect(s);
    return mt_failed(e) ? turned(s, e) : MT_OK;
}

/* Without an answer there is no verdict: it takes the whole round of another connection. */
static MT_ERR renew(struct mt_session *s)
{
    mt_err e = look_again(s);
    e = mt_failed(e) ? e : mt_context_renew(s->context, s->client);
    if (mt_failed(e) && (e.fault->code == MT_E_CLOSED || e.fault->code == MT_E_BUSY)) {
        return mt_session_reconnect(s);
    }
    return mt_failed(e) ? turned(s, e) : MT_OK;
}

static void forget_complaint(struct mt_complaint *c)
{
    mt_buf_free(&c->answer);
    memset(c, 0, sizeof *c);
}

void mt_session_end(struct mt_session *s)
{
    if (s->is_connected && s->home != NULL) {
        /* What cannot be written now is seen again next time. */
        (void)mt_failed(mt_context_remember(s->home, s->context, s->client));
    }
    mt_client_close(&s->client);
    mt_context_free(&s->context);
    mt_json_free(&s->users);
    forget_complaint(&s->complaint);
    s->is_connected = false;
}

static void copy_field(const struct mt_json *j, const char *name, char *out, size_t room)
{
    mt_bytes text;
    if (!mt_failed(mt_json_text(j, name, &text))) {
        (void)snprintf(out, room, "%.*s", (int)text.len, (const char *)text.ptr);
    }
}

static MT_ERR node_refuses(void)
{
    MT_FAIL(MT_E_DENIED, "the node refused");
}

MT_ERR mt_session_refused(struct mt_session *s, const struct mt_answer *a)
{
    struct mt_complaint *c = &s->complaint;
    MT_DEFER(mt_json_free) struct mt_json *j = NULL;
    mt_err e = node_refuses();
    forget_complaint(c);
    c->fault = e.fault;
    c->status = a->status;
    c->exit =
        a->status == REFUSED_BY_POLICY || a->status == GONE ? MT_EXIT_REFUSED : MT_EXIT_FAILED;
    c->answer = mt_buf_of_max(a->body.len);
    MT_TRY(mt_buf_append(&c->answer, mt_buf_bytes(&a->body)));
    if (!mt_failed(mt_json_parse(mt_buf_bytes(&a->body), &j, NULL))) {
        copy_field(j, "check", c->what, sizeof c->what);
        copy_field(j, "detail", c->detail, sizeof c->detail);
        copy_field(j, "hint", c->mend, sizeof c->mend);
    }
    return e;
}

/* A write whose answer was lost is sent once more under its number. What was streamed is not: it
 * may be long, and its source is used up. */
static MT_ERR repeat(struct mt_session *s, const struct mt_call *call, struct mt_answer *out)
{
    MT_DEFER(mt_client_close) struct mt_client *broken = s->client;
    if (s->home != NULL) {
        (void)mt_failed(mt_context_remember(s->home, s->context, broken));
    }
    s->client = NULL;
    s->is_connected = false;
    MT_TRY(mt_session_connect(s));
    mt_client_resume(s->client, broken);
    mt_buf_free(&out->body);
    return mt_client_call(s->client, call, out);
}

static bool is_outcome_unknown(const struct mt_session *s, mt_err e)
{
    return mt_failed(e) && e.fault->code == MT_E_CLOSED && s->client != NULL &&
           mt_client_is_pending(s->client);
}

MT_ERR mt_session_call(struct mt_session *s, const struct mt_call *call, struct mt_answer *out)
{
    *out = (struct mt_answer){.body = mt_buf_of_max(0)};
    MT_TRY(mt_session_connect(s));
    MT_TRY(mt_session_is_stale(s) ? renew(s) : MT_OK);
    mt_err e = mt_client_call(s->client, call, out);
    bool is_unknown = is_outcome_unknown(s, e);
    if (is_unknown && call->source == NULL) {
        e = repeat(s, call, out);
    }
    if (mt_failed(e)) {
        s->is_connected = false; /* where the next answer would begin is not known any more */
        return is_unknown
                   ? mt_session_explain(s, e, "look whether it is there before you repeat it",
                                        "the connection broke before the answer came: "
                                        "whether it was done is not known")
                   : e;
    }
    return out->status < FIRST_ERROR ? MT_OK : mt_session_refused(s, out);
}

MT_ERR mt_session_request(struct mt_session *s, const struct mt_call *call, struct mt_json **out)
{
    struct mt_answer a;
    mt_err e = mt_session_call(s, call, &a);
    e = mt_failed(e) ? e : mt_json_parse(mt_buf_bytes(&a.body), out, NULL);
    mt_buf_free(&a.body);
    return e;
}

MT_ERR mt_session_explain(struct mt_session *s, mt_err e, const char *mend, const char *what, ...)
{
    struct mt_complaint *c = &s->complaint;
    va_list words;
    forget_complaint(c);
    c->fault = e.fault;
    c->exit = mt_exit_of(e);
    (void)snprintf(c->mend, sizeof c->mend, "%s", mend);
    va_start(words, what);
    (void)vsnprintf(c->what, sizeof c->what, what, words);
    va_end(words);
    return e;
}

enum mt_exit mt_session_exit(const struct mt_session *s, mt_err e)
{
    bool is_explained = mt_failed(e) && s->complaint.fault == e.fault;
    return is_explained ? s->complaint.exit : mt_exit_of(e);
}

enum mt_exit mt_exit_of(mt_err e)
{
    if (!mt_failed(e)) {
        return MT_EXIT_DONE;
    }
    switch (e.fault->code) {
    case MT_E_PROOF:
        return MT_EXIT_NOT_GENUINE;
    case MT_E_DENIED:
    case MT_E_STALE:
        return MT_EXIT_REFUSED;
    case MT_E_ARG:
        return MT_EXIT_USAGE;
    case MT_E_IO:
    case MT_E_NOTFOUND:
        return MT_EXIT_IO;
    case MT_E_CLOSED:
        return MT_EXIT_UNREACHABLE;
    case MT_E_FORMAT:
    case MT_E_INTERNAL:
    case MT_E_LIMIT:
    case MT_E_NOMEM:
    case MT_E_BUSY:
    case MT_E_CONFLICT:
    case MT_E_UNKNOWN:
    case MT_E_CANCELLED:
        return MT_EXIT_FAILED;
    }
    return MT_EXIT_FAILED;
}
