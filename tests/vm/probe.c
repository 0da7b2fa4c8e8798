/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/id.h"
#include "base/limits.h"
#include "crypto/context.h"
#include "platform/process.h"
#include "platform/tpm.h"

/*
 * In the place of mesateed in an image of its own: tells what the one service of the measured
 * machine sees and may do, a line `probe NAME VALUE` each. tests/vm/boot.py reads the console.
 */
enum { LINE_BYTES = 64 * 1024, FILE_BYTES = 4096, PROCESSES_MAX = 4096 };

static void tell(const char *name, mt_bytes value, bool is_text)
{
    static uint8_t room[LINE_BYTES];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_bytes(&w, MT_LITERAL("probe "));
    mt_write_bytes(&w, mt_bytes_of_text(name));
    mt_write_u8(&w, ' ');
    if (is_text) {
        mt_write_bytes(&w, value);
    } else {
        mt_hex_write(&w, value);
    }
    mt_write_u8(&w, '\n');
    mt_process_say(false, mt_write_done(&w));
}

static void tell_number(const char *name, uint64_t value)
{
    uint8_t room[32];
    struct mt_writer w = mt_writer_over((mt_span){room, sizeof room});
    mt_write_number(&w, value);
    tell(name, mt_write_done(&w), true);
}

/* The content in hexadecimal; "none" for what may not be read or is not there. */
static void tell_file(const char *name, const char *path)
{
    MT_DEFER(mt_buf_free) struct mt_buf content = mt_buf_of_max(FILE_BYTES);
    if (mt_failed(mt_process_read_file(path, FILE_BYTES, &content))) {
        tell(name, MT_LITERAL("none"), true);
    } else {
        tell(name, mt_buf_bytes(&content), false);
    }
}

static void tell_whether_it_opens(const char *name, const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    tell_number(name, fd >= 0);
    if (fd >= 0) {
        (void)close(fd);
    }
}

static MT_ERR tell_tpm(void)
{
    const uint8_t report_data[MT_REPORT_DATA_LEN] = {1, 2, 3};
    MT_DEFER(mt_device_evidence_free) struct mt_device_evidence e;
    MT_DEFER(mt_device_close) struct mt_device *d = NULL;
    MT_DEFER(mt_buf_free) struct mt_buf certificate = mt_buf_of_max(FILE_BYTES);
    MT_DEFER(mt_buf_free) struct mt_buf public_area = mt_buf_of_max(FILE_BYTES);
    uint64_t counter = 0;
    mt_device_evidence_init(&e);
    MT_TRY(mt_tpm_open("device:/dev/tpmrm0", &d));
    MT_TRY(mt_device_evidence(d, report_data, &e));
    tell("quote", mt_buf_bytes(&e.quote), false);
    tell("pcrs", mt_buf_bytes(&e.pcrs), false);
    tell("log", mt_buf_bytes(&e.event_log), false);
    MT_TRY(mt_device_endorsement(d, &certificate, &public_area));
    tell("endorsement", mt_buf_bytes(&certificate), false);
    MT_TRY(mt_device_count(d, true, &counter, NULL));
    tell_number("counter", counter);
    return MT_OK;
}

/* Processes that have a program: threads of the kernel have none. */
static void tell_processes(void)
{
    uint64_t count = 0;
    for (unsigned i = 1; i <= PROCESSES_MAX; i++) {
        MT_DEFER(mt_buf_free) struct mt_buf words = mt_buf_of_max(FILE_BYTES);
        char path[32];
        (void)snprintf(path, sizeof path, "/proc/%u/cmdline", i);
        count += !mt_failed(mt_process_read_file(path, FILE_BYTES, &words)) && words.len > 0;
    }
    tell_number("processes", count);
}

int main(void)
{
    tell_number("user", getuid());
    tell_processes();
    tell_file("tcp", "/proc/net/tcp");
    tell_file("udp", "/proc/net/udp");
    tell_file("unix", "/proc/net/unix");
    tell_file("lockdown", "/sys/kernel/security/lockdown");
    tell_file("modules_disabled", "/proc/sys/kernel/modules_disabled");
    tell_whether_it_opens("root", "/new", O_CREAT | O_WRONLY);
    tell_whether_it_opens("disk", "/dev/vdb", O_RDWR);
    tell_whether_it_opens("memory", "/dev/mem", O_RDONLY);
    tell_whether_it_opens("data", "/data/new", O_CREAT | O_WRONLY);
    mt_err e = mt_crypto_init(mt_process_entropy, NULL);
    if (!mt_failed(e)) {
        e = tell_tpm();
    }
    tell("tpm", mt_bytes_of_text(mt_failed(e) ? e.fault->what : "told"), true);
    return 0;
}
