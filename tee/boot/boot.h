/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_BOOT_BOOT_H
#define MT_BOOT_BOOT_H

#include "base/bytes.h"

/*
 * The first program of the measured machine: it is /init of an initramfs that holds it, mesateed,
 * the C library and kernel modules, and nothing else. No shell, no login; mesateed is its one
 * child. What it is told comes from the kernel's command line, which is measured, and from the data
 * disk, which is the host's.
 */
enum { MT_BOOT_USER = 990, MT_BOOT_LINE_MAX = 4096 };

#define MT_BOOT_DATA  "/data"
#define MT_BOOT_LABEL "mesatee-data" /* of the data disk's file system */

/* disk.c: ext4 by its magic, and of our label. `head` is the first 2048 bytes of the device. */
bool mt_boot_is_data(mt_bytes head);
/* Finds the data disk, mounts it at MT_BOOT_DATA and gives its top folder to MT_BOOT_USER. */
MT_ERR mt_boot_mount_data(void);

/* network.c: the value of `name` among the words of a command line; false if it is not there. */
bool mt_boot_word(const char *line, const char *name, char *out, size_t room);
/* 10.0.2.15/24, as two numbers in network order. */
bool mt_boot_address(const char *text, uint32_t *address, uint32_t *mask);
/* lo and the one network interface, as `mesatee.address` and `mesatee.gateway` say. */
MT_ERR mt_boot_network(const char *line);

#endif
