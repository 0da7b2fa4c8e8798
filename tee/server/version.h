/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_SERVER_VERSION_H
#define MT_SERVER_VERSION_H

/* One place: meson.build reads it from here. */
#define MT_VERSION "0.1.0"

#endif
