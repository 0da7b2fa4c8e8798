/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "mesatee/seen.h"
#include "mesatee/tasks.h"

/* A task in sentences. Every value is read out of the bytes that are signed. */

static void say(struct mt_writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct mt_writer *w, const char *format, ...)
{
    char room[512];
    va_list words;
    va_start(words, format);
    int len = vsnprintf(room, sizeof room, format, words);
    va_end(words);
    size_t fits = len < 0 ? 0 : (size_t)len < sizeof room ? (size_t)len : sizeof room - 1;
    mt_write_bytes(w, (mt_bytes){(const uint8_t *)room, fits});
}

static void say_time(struct mt_writer *w, uint64_t ms)
{
    const time_t s = (time_t)(ms / 1000);
    struct tm t;
    char text[64];
    if (ms == 0) {
        say(w, "at once");
    } else if (gmtime_r(&s, &t) != NULL &&
               strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &t) > 0) {
        say(w, "%s", text);
    } else {
        say(w, "%llu ms after 1970", (unsigned long long)ms);
    }
}

static void say_subject(struct mt_session *s, struct mt_writer *w, const mt_hash *subject)
{
    char who[80];
    mt_session_name(s, subject, who);
    say(w, "%s", who);
}

static void say_inputs(struct mt_session *s, struct mt_writer *w, const struct mt_task *t)
{
    for (size_t i = 0; i < t->inputs_count; i++) {
        const struct mt_task_input *in = &t->inputs[i];
        say(w, "Input     ");
        mt_seen_write(w, in->name);
        say(w, ": version %llu of data ", (unsigned long long)in->version);
        mt_hex_write(w, mt_id_bytes(&in->data));
        say(w, ", %llu bytes,\n          owned by ", (unsigned long long)in->size_bytes);
        say_subject(s, w, &in->owner);
        say(w, " (");
        mt_hex_write(w, mt_hash_bytes(&in->owner));
        say(w, "),\n          commitment ");
        mt_hex_write(w, mt_hash_bytes(&in->commitment));
        say(w, "\n");
    }
}

static void say_outputs(struct mt_session *s, struct mt_writer *w, const struct mt_task *t)
{
    for (size_t i = 0; i < t->outputs_count; i++) {
        const struct mt_task_output *out = &t->outputs[i];
        say(w, "Output    ");
        mt_seen_write(w, out->name);
        say(w, ", readable by these and nobody else:\n");
        for (size_t k = 0; k < out->receivers_count; k++) {
            say(w, "          ");
            say_subject(s, w, &out->receivers[k]);
            say(w, " (");
            mt_hex_write(w, mt_hash_bytes(&out->receivers[k]));
            say(w, ")\n");
        }
    }
}

void mt_tasks_prose(struct mt_session *s, const struct mt_tasks_view *v, struct mt_writer *w)
{
    const struct mt_task *t = &v->task;
    say(w, "Function  ");
    mt_seen_write(w, t->function);
    say(w, ", version %llu, digest ", (unsigned long long)t->function_version);
    mt_hex_write(w, mt_hash_bytes(&t->function_digest));
    say(w, "\nArguments ");
    mt_seen_write(w, t->arguments);
    say(w, "\n");
    say_inputs(s, w, t);
    say_outputs(s, w, t);
    say(w, "Limits    %llu ms, %llu bytes of memory; level %llu at least; at most %llu runs\n",
        (unsigned long long)t->time_ms, (unsigned long long)t->memory_bytes,
        (unsigned long long)t->minimum_level, (unsigned long long)t->runs);
    say(w, "Time      from ");
    say_time(w, t->not_before_ms);
    say(w, " to ");
    say_time(w, t->not_after_ms);
    say(w, "\nCluster   ");
    mt_hex_write(w, mt_hash_bytes(&t->cluster));
    say(w, "\nPolicy    ");
    mt_hex_write(w, mt_hash_bytes(&t->policy));
    say(w, "%s",
        mt_hash_equal(&t->policy, &s->context->policy->hash) ? " (yours)\n" : " (NOT yours)\n");
}
