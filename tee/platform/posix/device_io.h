/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_PLATFORM_POSIX_DEVICE_IO_H
#define MT_PLATFORM_POSIX_DEVICE_IO_H

#include "platform/device_io.h"

/* The kernel of this process. Never freed. */
struct mt_device_io *mt_device_io_posix(void);

#endif
