/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node/config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum kind { TEXT, HASH, NUMBER };

struct setting {
    const char *name;
    enum kind kind;
    size_t at;
    const char *text_default;
    uint64_t number_default;
    uint64_t min;
    uint64_t max;
    const char *meaning;
};

#define AT(field_) offsetof(struct mt_config, field_)

static const struct setting settings[] = {
    {"listen", TEXT, AT(listen), "127.0.0.1:7700", 0, 0, 0,
     "address and port of the attested channel; port 0: any"},
    {"probes", TEXT, AT(probes), "", 0, 0, 0,
     "address and port of plain /livez and /readyz; empty: none"},
    {"metrics", TEXT, AT(metrics), "", 0, 0, 0,
     "path of the Unix socket for /metrics; empty: none"},
    {"state", TEXT, AT(state), "/var/lib/mesatee", 0, 0, 0,
     "directory of everything durable; made if absent"},
    {"keyfile", TEXT, AT(keyfile), "/etc/mesatee/keyfile", 0, 0, 0,
     "file of 32 bytes or more that opens a key slot"},
    {"root_key", TEXT, AT(root_key), "keyfile", 0, 0, 0,
     "what opens the disk: keyfile; or device, and then a keyfile is for recovery alone and may be "
     "absent"},
    {"user", TEXT, AT(user), "nobody", 0, 0, 0, "whom to become when started as root"},
    {"claim_file", TEXT, AT(claim_file), "", 0, 0, 0,
     "where to write the one-time claim while there is no administrator; empty: none"},
    {"device", TEXT, AT(device), "none", 0, 0, 0,
     "what shows evidence of the machine: none (level 2), tpm (level 3), auto (SEV-SNP, TDX, SGX, "
     "Azure)"},
    {"tpm", TEXT, AT(tpm), "device:/dev/tpmrm0", 0, 0, 0,
     "the TPM: device:PATH, or swtpm:path=SOCKET"},
    {"approvals", TEXT, AT(approvals), "", 0, 0, 0,
     "file of images that the operator approved (mesatee platform approve); empty: none"},
    {"collateral", TEXT, AT(collateral), "", 0, 0, 0,
     "folder of what the maker of the machine says of it (mesatee collateral get), to be shown "
     "with evidence; empty: none"},
    {"td_quote", TEXT, AT(td_quote), "", 0, 0, 0,
     "file of the quote that Azure's service made of this TD's report; empty: none"},
    {"peer", TEXT, AT(peer), "", 0, 0, 0,
     "address and port of another node that keeps the key to a slot (mesatee keyslot add --peer), "
     "asked when nothing else opens the disk; empty: none"},
    {"peer_policy", TEXT, AT(peer_policy), "", 0, 0, 0,
     "file of the appraisal policy that the peer has to satisfy"},
    {"administrator", HASH, AT(administrator), NULL, 0, 0, 0,
     "key hash of the first administrator (mesatee identity show): it counts while there is no "
     "other"},
    {"workers", NUMBER, AT(workers), NULL, 2, 1, 64, "threads for jobs"},
    {"connections_max", NUMBER, AT(connections_max), NULL, 10000, 1, 100000,
     "attested connections at once"},
    {"idle_timeout_s", NUMBER, AT(idle_timeout_s), NULL, 300, 1, 86400,
     "an idle connection is closed after this"},
    {"request_timeout_s", NUMBER, AT(request_timeout_s), NULL, 30, 1, 3600,
     "for a handshake, a head, a piece of a body"},
    {"drain_s", NUMBER, AT(drain_s), NULL, 20, 0, 3600,
     "how long SIGTERM waits for what is under way"},
    {"staging_quota_mib", NUMBER, AT(staging_quota_mib), NULL, 65536, 1, 1048576,
     "bodies on their way in, for one subject"},
    {"staging_total_mib", NUMBER, AT(staging_total_mib), NULL, 131072, 1, 1048576,
     "bodies on their way in, for all"},
    {"counter_minutes", NUMBER, AT(counter_minutes), NULL, 10, 1, 1440,
     "between two steps of the device's counter, if something was committed"},
    {"strangers_per_s", NUMBER, AT(strangers_per_s), NULL, 4, 1, 1000,
     "evidence of the device, for callers whom the node does not know; and hand-overs of keys"},
    {"shred_minutes", NUMBER, AT(shred_minutes), NULL, 60, 1, 10080,
     "deleted objects are beyond recovery after this"},
};

enum { SETTINGS = sizeof settings / sizeof *settings };

/* Texts that are one of a few words. */
static const struct choice {
    size_t at;
    const char *words[3];
    const char *all;
} choices[] = {
    {AT(root_key), {"keyfile", "device", NULL}, "keyfile, device"},
    {AT(device), {"none", "tpm", "auto"}, "none, tpm, auto"},
};

static bool is_among(const struct choice *c, mt_bytes value)
{
    for (size_t i = 0; i < sizeof c->words / sizeof *c->words && c->words[i] != NULL; i++) {
        if (mt_bytes_equal(value, mt_bytes_of_text(c->words[i]))) {
            return true;
        }
    }
    return false;
}

static MT_ERR check_choice(const struct setting *s, mt_bytes value, struct mt_config_fault *fault)
{
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        if (choices[i].at == s->at && !is_among(&choices[i], value)) {
            (void)snprintf(fault->reason, sizeof fault->reason, "%s is one of: %s", s->name,
                           choices[i].all);
            MT_FAIL(MT_E_FORMAT, "a setting is none of its words");
        }
    }
    return MT_OK;
}

static void *field_of(struct mt_config *c, const struct setting *s)
{
    return (uint8_t *)c + s->at;
}

static const void *const_field_of(const struct mt_config *c, const struct setting *s)
{
    return (const uint8_t *)c + s->at;
}

static mt_bytes trim(mt_bytes b)
{
    while (b.len > 0 && (b.ptr[0] == ' ' || b.ptr[0] == '\t')) {
        b.ptr++;
        b.len--;
    }
    while (b.len > 0 &&
           (b.ptr[b.len - 1] == ' ' || b.ptr[b.len - 1] == '\t' || b.ptr[b.len - 1] == '\r')) {
        b.len--;
    }
    return b;
}

static bool is_printable(mt_bytes b)
{
    for (size_t i = 0; i < b.len; i++) {
        if (b.ptr[i] < 0x20 || b.ptr[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

static MT_ERR set_number(const struct setting *s, mt_bytes value, struct mt_config *c,
                         struct mt_config_fault *fault)
{
    uint64_t n = 0;
    bool is_number = value.len > 0 && value.len <= 18;
    for (size_t i = 0; i < value.len && is_number; i++) {
        is_number = value.ptr[i] >= '0' && value.ptr[i] <= '9';
        n = n * 10 + (uint64_t)(value.ptr[i] - '0');
    }
    if (!is_number || n < s->min || n > s->max) {
        (void)snprintf(fault->reason, sizeof fault->reason,
                       "%s takes a whole number from %llu to %llu", s->name,
                       (unsigned long long)s->min, (unsigned long long)s->max);
        MT_FAIL(MT_E_FORMAT, "a setting is out of its range");
    }
    memcpy(field_of(c, s), &n, sizeof n);
    return MT_OK;
}

static MT_ERR set(const struct setting *s, mt_bytes value, struct mt_config *c,
                  struct mt_config_fault *fault)
{
    mt_hash h;
    switch (s->kind) {
    case NUMBER:
        return set_number(s, value, c, fault);
    case TEXT:
        if (value.len >= MT_CONFIG_TEXT_MAX || !is_printable(value)) {
            (void)snprintf(fault->reason, sizeof fault->reason,
                           "%s takes at most %d printable characters", s->name,
                           MT_CONFIG_TEXT_MAX - 1);
            MT_FAIL(MT_E_FORMAT, "a setting's text is refused");
        }
        MT_TRY(check_choice(s, value, fault));
        memset(field_of(c, s), 0, MT_CONFIG_TEXT_MAX);
        memcpy(field_of(c, s), value.ptr, value.len);
        return MT_OK;
    case HASH:
        if (mt_failed(mt_hex_parse(value, (mt_span){h.b, sizeof h.b}))) {
            (void)snprintf(fault->reason, sizeof fault->reason,
                           "%s takes 64 lower-case hexadecimal digits", s->name);
            MT_FAIL(MT_E_FORMAT, "a setting's hash is refused");
        }
        memcpy(field_of(c, s), &h, sizeof h);
        return MT_OK;
    }
    MT_FAIL(MT_E_INTERNAL, "a setting has no kind");
}

static void set_defaults(struct mt_config *c)
{
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *s = &settings[i];
        if (s->kind == TEXT) {
            memcpy(field_of(c, s), s->text_default, strlen(s->text_default));
        } else if (s->kind == NUMBER) {
            memcpy(field_of(c, s), &s->number_default, sizeof s->number_default);
        }
    }
}

static MT_ERR parse_line(mt_bytes line, bool *is_set, struct mt_config *c,
                         struct mt_config_fault *fault)
{
    size_t equals = 0;
    while (equals < line.len && line.ptr[equals] != '=') {
        equals++;
    }
    if (equals == line.len) {
        (void)snprintf(fault->reason, sizeof fault->reason, "a line is: name = value");
        MT_FAIL(MT_E_FORMAT, "a line has no '='");
    }
    mt_bytes name = trim((mt_bytes){line.ptr, equals});
    mt_bytes value = trim((mt_bytes){line.ptr + equals + 1, line.len - equals - 1});
    for (size_t i = 0; i < SETTINGS; i++) {
        if (!mt_bytes_equal(name, mt_bytes_of_text(settings[i].name))) {
            continue;
        }
        if (is_set[i]) {
            (void)snprintf(fault->reason, sizeof fault->reason, "%s is set twice",
                           settings[i].name);
            MT_FAIL(MT_E_FORMAT, "a setting is there twice");
        }
        is_set[i] = true;
        return set(&settings[i], value, c, fault);
    }
    (void)snprintf(fault->reason, sizeof fault->reason,
                   "there is no setting of this name; mesateed --help lists them");
    MT_FAIL(MT_E_FORMAT, "an unknown setting");
}

MT_ERR mt_config_parse(mt_bytes text, struct mt_config *out, struct mt_config_fault *fault)
{
    struct mt_config c;
    bool is_set[SETTINGS] = {false};
    *fault = (struct mt_config_fault){.line = 0};
    set_defaults(&c);
    while (text.len > 0) {
        size_t len = 0;
        fault->line++;
        while (len < text.len && text.ptr[len] != '\n') {
            len++;
        }
        size_t end = 0;
        while (end < len && text.ptr[end] != '#') {
            end++;
        }
        mt_bytes line = trim((mt_bytes){text.ptr, end});
        if (line.len > 0) {
            MT_TRY(parse_line(line, is_set, &c, fault));
        }
        size_t eaten = len < text.len ? len + 1 : len;
        text = (mt_bytes){text.ptr + eaten, text.len - eaten};
    }
    if (mt_config_is_device_root(&c) && strcmp(c.device, "none") == 0) {
        fault->line = 0;
        (void)snprintf(fault->reason, sizeof fault->reason,
                       "root_key = device needs a device: tpm, or auto");
        MT_FAIL(MT_E_FORMAT, "there is no device for the root key");
    }
    if ((c.peer[0] == '\0') != (c.peer_policy[0] == '\0')) {
        fault->line = 0;
        (void)snprintf(fault->reason, sizeof fault->reason,
                       "peer and peer_policy are set together: no peer is believed without");
        MT_FAIL(MT_E_FORMAT, "there is no policy for the peer");
    }
    if ((c.collateral[0] != '\0' || c.td_quote[0] != '\0') && strcmp(c.device, "auto") != 0) {
        fault->line = 0;
        (void)snprintf(fault->reason, sizeof fault->reason,
                       "%s needs device = auto: no maker says anything of others",
                       c.collateral[0] != '\0' ? "collateral" : "td_quote");
        MT_FAIL(MT_E_FORMAT, "there is no device for the collateral");
    }
    *out = c;
    return MT_OK;
}

bool mt_config_is_device_root(const struct mt_config *c)
{
    return strcmp(c->root_key, "device") == 0;
}

static void write_value(struct mt_writer *w, const struct mt_config *c, const struct setting *s)
{
    uint64_t n = 0;
    switch (s->kind) {
    case TEXT:
        mt_write_bytes(w, mt_bytes_of_text(const_field_of(c, s)));
        return;
    case HASH:
        mt_hex_write(w, mt_hash_bytes(const_field_of(c, s)));
        return;
    case NUMBER:
        memcpy(&n, const_field_of(c, s), sizeof n);
        mt_write_number(w, n);
        return;
    }
}

void mt_config_write(struct mt_writer *w, const struct mt_config *c)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        mt_write_bytes(w, mt_bytes_of_text(settings[i].name));
        mt_write_bytes(w, MT_LITERAL(" = "));
        write_value(w, c, &settings[i]);
        mt_write_bytes(w, MT_LITERAL("\n"));
    }
}

void mt_config_describe(struct mt_writer *w)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *s = &settings[i];
        char line[256];
        int len = 0;
        if (s->kind == NUMBER) {
            len = snprintf(line, sizeof line, "  %-18s %s (%llu to %llu; default %llu)\n", s->name,
                           s->meaning, (unsigned long long)s->min, (unsigned long long)s->max,
                           (unsigned long long)s->number_default);
        } else {
            len = snprintf(line, sizeof line, "  %-18s %s%s%s%s\n", s->name, s->meaning,
                           s->kind == TEXT && s->text_default[0] != '\0' ? " (default " : "",
                           s->kind == TEXT ? s->text_default : "",
                           s->kind == TEXT && s->text_default[0] != '\0' ? ")" : "");
        }
        mt_write_bytes(w, (mt_bytes){(const uint8_t *)line, len > 0 ? (size_t)len : 0});
    }
}
