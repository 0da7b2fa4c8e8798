/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/boot.h"

enum {
    HEAD_BYTES = 2048,
    SUPER_AT = 1024, /* of ext4; its fields count from here */
    MAGIC_AT = SUPER_AT + 0x38,
    LABEL_AT = SUPER_AT + 0x78,
    LABEL_BYTES = 16,
};

/* Where a disk may appear; which of them it is depends on the machine. */
static const char *const disks[] = {"/dev/vda", "/dev/vdb",     "/dev/vdc",
                                    "/dev/vdd", "/dev/nvme0n1", "/dev/nvme0n2"};

bool mt_boot_is_data(mt_bytes head)
{
    const mt_bytes label = MT_LITERAL(MT_BOOT_LABEL "\0\0\0\0"); /* filled up to 16 bytes */
    _Static_assert(sizeof(MT_BOOT_LABEL "\0\0\0\0") - 1 == LABEL_BYTES, "the whole field");
    return head.len >= LABEL_AT + LABEL_BYTES && head.ptr[MAGIC_AT] == 0x53 &&
           head.ptr[MAGIC_AT + 1] == 0xef &&
           mt_bytes_equal((mt_bytes){head.ptr + LABEL_AT, LABEL_BYTES}, label);
}

static bool is_data_disk(const char *path)
{
    uint8_t head[HEAD_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t n = read(fd, head, sizeof head);
    (void)close(fd);
    return n == (ssize_t)sizeof head && mt_boot_is_data((mt_bytes){head, sizeof head});
}

MT_ERR mt_boot_mount_data(void)
{
    const unsigned long flags = MS_NODEV | MS_NOSUID | MS_NOEXEC | MS_NOATIME;
    for (size_t i = 0; i < sizeof disks / sizeof *disks; i++) {
        if (!is_data_disk(disks[i])) {
            continue;
        }
        MT_REQUIRE(mount(disks[i], MT_BOOT_DATA, "ext4", flags, "errors=remount-ro") == 0, MT_E_IO,
                   "the data disk cannot be mounted");
        MT_REQUIRE(chown(MT_BOOT_DATA, MT_BOOT_USER, MT_BOOT_USER) == 0, MT_E_IO,
                   "the data disk cannot be given to the node");
        return MT_OK;
    }
    MT_FAIL(MT_E_NOTFOUND, "no disk has an ext4 file system with the label " MT_BOOT_LABEL);
}
