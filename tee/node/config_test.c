/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "node/config.h"
#include "unit/runner.h"

static struct mt_config config;
static struct mt_config_fault fault;

static bool takes(const char *text)
{
    return !mt_failed(mt_config_parse(mt_bytes_of_text(text), &config, &fault));
}

/* Refused at this line, for a reason that says this. */
static bool refuses(const char *text, uint32_t line, const char *reason)
{
    struct mt_config untouched;
    memset(&config, 0x5a, sizeof config);
    memcpy(&untouched, &config, sizeof config);
    mt_err e = mt_config_parse(mt_bytes_of_text(text), &config, &fault);
    return mt_failed(e) && e.fault->code == MT_E_FORMAT && fault.line == line &&
           strstr(fault.reason, reason) != NULL &&
           mt_bytes_equal(MT_BYTES_OF(config), MT_BYTES_OF(untouched));
}

static const struct {
    const char *name;
    uint64_t min;
    uint64_t max;
    const uint64_t *field;
} numbers[] = {
    {"workers", 1, 64, &config.workers},
    {"connections_max", 1, 100000, &config.connections_max},
    {"idle_timeout_s", 1, 86400, &config.idle_timeout_s},
    {"request_timeout_s", 1, 3600, &config.request_timeout_s},
    {"drain_s", 0, 3600, &config.drain_s},
    {"staging_quota_mib", 1, 1048576, &config.staging_quota_mib},
    {"staging_total_mib", 1, 1048576, &config.staging_total_mib},
    {"shred_minutes", 1, 10080, &config.shred_minutes},
};

static const char *line_of(const char *name, uint64_t value)
{
    static char text[256];
    (void)snprintf(text, sizeof text, "%s = %llu\n", name, (unsigned long long)value);
    return text;
}

static void every_number_has_its_range_and_nothing_beyond(void)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char range[128];
        char text[256];
        (void)snprintf(range, sizeof range, "%s takes a whole number from %llu to %llu",
                       numbers[i].name, (unsigned long long)numbers[i].min,
                       (unsigned long long)numbers[i].max);
        MT_ASSERT(takes(line_of(numbers[i].name, numbers[i].min)));
        MT_ASSERT(*numbers[i].field == numbers[i].min);
        MT_ASSERT(takes(line_of(numbers[i].name, numbers[i].max)));
        MT_ASSERT(*numbers[i].field == numbers[i].max);
        MT_ASSERT(refuses(line_of(numbers[i].name, numbers[i].max + 1), 1, range));
        if (numbers[i].min > 0) {
            MT_ASSERT(refuses(line_of(numbers[i].name, numbers[i].min - 1), 1, range));
        }
        static const char *const wrong[] = {"",
                                            "-1",
                                            "+1",
                                            "1.5",
                                            "0x10",
                                            "1e3",
                                            "one",
                                            "1 2",
                                            "18446744073709551617",
                                            "1000000000000000000000"};
        for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++) {
            (void)snprintf(text, sizeof text, "# one\n\n%s = %s\n", numbers[i].name, wrong[j]);
            MT_ASSERT(refuses(text, 3, range));
        }
    }
}

static const char *const texts[] = {"listen",  "probes", "metrics",   "state",
                                    "keyfile", "user",   "claim_file"};

static void every_text_is_printable_and_at_most_255_bytes(void)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[512];
        int at = snprintf(text, sizeof text, "%s = ", texts[i]);
        memset(text + at, 'a', 256);
        text[at + 255] = '\0';
        MT_ASSERT(takes(text));
        text[at + 255] = 'a';
        text[at + 256] = '\0';
        MT_ASSERT(refuses(text, 1, "printable"));
        (void)snprintf(text, sizeof text, "%s = a\tb", texts[i]);
        MT_ASSERT(refuses(text, 1, "printable"));
        (void)snprintf(text, sizeof text, "%s = a\xc3\xa4", texts[i]);
        MT_ASSERT(refuses(text, 1, "printable"));
    }
}

static void an_administrator_is_a_whole_hash(void)
{
    static const char hash[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    char text[256];
    (void)snprintf(text, sizeof text, "administrator = %s", hash);
    MT_ASSERT(takes(text));
    MT_ASSERT(config.administrator.b[1] == 0x11);
    (void)snprintf(text, sizeof text, "administrator = %.62s", hash);
    MT_ASSERT(refuses(text, 1, "64 lower-case hexadecimal digits"));
    (void)snprintf(text, sizeof text, "administrator = %s00", hash);
    MT_ASSERT(refuses(text, 1, "64 lower-case hexadecimal digits"));
    (void)snprintf(text, sizeof text, "administrator = A%s", hash + 1);
    MT_ASSERT(refuses(text, 1, "64 lower-case hexadecimal digits"));
    MT_ASSERT(refuses("administrator =", 1, "64 lower-case hexadecimal digits"));
}

static void what_is_not_understood_is_refused_with_its_line(void)
{
    MT_ASSERT(refuses("listen = 127.0.0.1:1\nverify = no\n", 2, "no setting of this name"));
    MT_ASSERT(refuses("\n\n# x\nLISTEN = 127.0.0.1:1\n", 4, "no setting of this name"));
    MT_ASSERT(refuses("listen\n", 1, "name = value"));
    MT_ASSERT(refuses("device = soft\n", 1, "device is one of: none, tpm, auto"));
    MT_ASSERT(refuses("root_key = soft\n", 1, "root_key is one of: keyfile, device"));
    MT_ASSERT(refuses("root_key =\n", 1, "root_key is one of: keyfile, device"));
    MT_ASSERT(refuses("= 3\n", 1, "no setting of this name"));
    MT_ASSERT(refuses("workers = 3\nuser = x\nworkers = 3\n", 3, "workers is set twice"));
}

static void a_root_key_of_the_device_needs_a_device(void)
{
    MT_ASSERT(takes("") && !mt_config_is_device_root(&config));
    MT_ASSERT(takes("root_key = keyfile\n") && !mt_config_is_device_root(&config));
    MT_ASSERT(takes("root_key = device\ndevice = tpm\n") && mt_config_is_device_root(&config));
    MT_ASSERT(takes("device = auto\nroot_key = device\n") && mt_config_is_device_root(&config));
    MT_ASSERT(refuses("root_key = device\n", 0, "needs a device"));
    MT_ASSERT(refuses("device = none\nroot_key = device\n", 0, "needs a device"));
    MT_ASSERT(takes("collateral = /a\ndevice = auto\n"));
    MT_ASSERT(refuses("collateral = /a\n", 0, "collateral needs device = auto"));
    MT_ASSERT(refuses("collateral = /a\ndevice = tpm\n", 0, "collateral needs device = auto"));
    MT_ASSERT(takes("td_quote = /a\ndevice = auto\n"));
    MT_ASSERT(refuses("td_quote = /a\ndevice = tpm\n", 0, "td_quote needs device = auto"));
}

static void a_peer_needs_a_policy(void)
{
    MT_ASSERT(takes("peer = 127.0.0.1:7700\npeer_policy = /a\n"));
    MT_ASSERT(refuses("peer = 127.0.0.1:7700\n", 0, "peer and peer_policy are set together"));
    MT_ASSERT(refuses("peer_policy = /a\n", 0, "peer and peer_policy are set together"));
}

static void blanks_and_comments_mean_nothing(void)
{
    MT_ASSERT(takes(" \t workers\t=  7  # of eight\r\n#drain_s = x\n\n   \n"));
    MT_ASSERT(config.workers == 7);
    MT_ASSERT(takes(""));
    MT_ASSERT(config.workers == 2);
    MT_ASSERT(strcmp(config.user, "nobody") == 0);
    MT_ASSERT(takes("workers = 9")); /* without an end of line */
    MT_ASSERT(config.workers == 9);
}

/* What is measured is every setting, and reads back as the same. */
static void what_is_written_reads_back(void)
{
    uint8_t room[2][4096];
    mt_bytes first;
    mt_bytes second;
    struct mt_writer w = mt_writer_over((mt_span){room[0], sizeof room[0]});
    MT_ASSERT(takes("workers = 5\nlisten = [::1]:7\nclaim_file = /c\nadministrator = "
                    "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"));
    mt_config_write(&w, &config);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &first)));
    MT_ASSERT(!mt_failed(mt_config_parse(first, &config, &fault)));
    w = mt_writer_over((mt_span){room[1], sizeof room[1]});
    mt_config_write(&w, &config);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &second)));
    MT_ASSERT(mt_bytes_equal(first, second));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        MT_ASSERT(memmem(first.ptr, first.len, numbers[i].name, strlen(numbers[i].name)) != NULL);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        MT_ASSERT(memmem(first.ptr, first.len, texts[i], strlen(texts[i])) != NULL);
    }
}

static void the_help_names_every_setting_with_its_range(void)
{
    uint8_t room[8192];
    mt_bytes help;
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_config_describe(&w);
    MT_ASSERT(!mt_failed(mt_write_end(&w, &help)));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char range[64];
        (void)snprintf(range, sizeof range, "(%llu to %llu; default ",
                       (unsigned long long)numbers[i].min, (unsigned long long)numbers[i].max);
        const uint8_t *at = memmem(help.ptr, help.len, numbers[i].name, strlen(numbers[i].name));
        MT_ASSERT(at != NULL);
        const uint8_t *end = memchr(at, '\n', (size_t)(help.ptr + help.len - at));
        MT_ASSERT(memmem(at, (size_t)(end - at), range, strlen(range)) != NULL);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        MT_ASSERT(memmem(help.ptr, help.len, texts[i], strlen(texts[i])) != NULL);
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(every_number_has_its_range_and_nothing_beyond),
        MT_TEST(every_text_is_printable_and_at_most_255_bytes),
        MT_TEST(an_administrator_is_a_whole_hash),
        MT_TEST(what_is_not_understood_is_refused_with_its_line),
        MT_TEST(a_root_key_of_the_device_needs_a_device),
        MT_TEST(a_peer_needs_a_policy),
        MT_TEST(blanks_and_comments_mean_nothing),
        MT_TEST(what_is_written_reads_back),
        MT_TEST(the_help_names_every_setting_with_its_range),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
