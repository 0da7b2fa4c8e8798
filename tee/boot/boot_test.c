/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/boot.h"

#include <string.h>

#include "base/assert.h"
#include "unit/runner.h"

enum { HEAD = 2048, MAGIC = 1024 + 0x38, LABEL = 1024 + 0x78 };

static void make_head(uint8_t head[HEAD], const char *label)
{
    memset(head, 0, HEAD);
    head[MAGIC] = 0x53;
    head[MAGIC + 1] = 0xef;
    memcpy(head + LABEL, label, strnlen(label, 16));
}

static bool is_data(const uint8_t *head, size_t len)
{
    return mt_boot_is_data((mt_bytes){head, len});
}

static void the_data_disk_is_known_by_kind_and_label(void)
{
    uint8_t head[HEAD];
    make_head(head, MT_BOOT_LABEL);
    MT_ASSERT(is_data(head, HEAD));
    MT_ASSERT(!is_data(head, LABEL + 15));
    head[MAGIC] ^= 1;
    MT_ASSERT(!is_data(head, HEAD));
}

static void a_label_that_begins_like_ours_is_another(void)
{
    static const char *const others[] = {"", "mesatee", "mesatee-datA", MT_BOOT_LABEL "2"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        uint8_t head[HEAD];
        make_head(head, others[i]);
        MT_ASSERT(!is_data(head, HEAD));
    }
}

static bool finds(const char *line, const char *want)
{
    char out[16] = "";
    bool found = mt_boot_word(line, "mesatee.address", out, sizeof out);
    return want == NULL ? !found : found && strcmp(out, want) == 0;
}

static void a_word_of_the_command_line_is_found_whole(void)
{
    MT_ASSERT(finds("mesatee.address=1/2", "1/2"));
    MT_ASSERT(finds("quiet mesatee.address=1 panic=-1\n", "1"));
    MT_ASSERT(finds("mesatee.addresses=1 mesatee.address=2\n", "2"));
    MT_ASSERT(finds("xmesatee.address=1 mesatee.address", NULL));
    MT_ASSERT(finds("mesatee.address= 1", NULL));
    MT_ASSERT(finds("mesatee.address=0123456789abcdef", NULL)); /* no room */
    MT_ASSERT(finds("mesatee.address=0123456789abcde", "0123456789abcde"));
    MT_ASSERT(finds("", NULL));
}

static void the_first_of_two_words_counts(void)
{
    MT_ASSERT(finds("mesatee.address=1 mesatee.address=2", "1"));
}

static void an_address_has_its_network(void)
{
    uint32_t address = 0;
    uint32_t mask = 0;
    MT_ASSERT(mt_boot_address("10.0.2.15/24", &address, &mask));
    MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(address), MT_LITERAL("\x0a\x00\x02\x0f")));
    MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(mask), MT_LITERAL("\xff\xff\xff\x00")));
    MT_ASSERT(mt_boot_address("192.168.1.1/32", &address, &mask));
    MT_ASSERT(mask == UINT32_MAX);
    MT_ASSERT(mt_boot_address("192.168.1.1/1", &address, &mask));
    MT_ASSERT(mt_bytes_equal(MT_BYTES_OF(mask), MT_LITERAL("\x80\x00\x00\x00")));
}

static void what_is_no_address_is_refused(void)
{
    static const char *const others[] = {"",
                                         "/",
                                         "10.0.2.15",
                                         "10.0.2.15/",
                                         "10.0.2/24",
                                         "10.0.2.15/0",
                                         "10.0.2.15/33",
                                         "10.0.2.15/024",
                                         "10.0.2.15/x",
                                         "10.0.2.15/-1",
                                         "10.0.2.256/24",
                                         "fe80::1/64"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        uint32_t address = 0;
        uint32_t mask = 0;
        MT_ASSERT(!mt_boot_address(others[i], &address, &mask));
    }
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(the_data_disk_is_known_by_kind_and_label),
        MT_TEST(a_label_that_begins_like_ours_is_another),
        MT_TEST(a_word_of_the_command_line_is_found_whole),
        MT_TEST(the_first_of_two_words_counts),
        MT_TEST(an_address_has_its_network),
        MT_TEST(what_is_no_address_is_refused),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
