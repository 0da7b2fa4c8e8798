/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Linked into programs for tests in the place of AMD's roots: those of azure_maker, out of the
 * folder that the program starts in. All else of such a program is the real one. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "attest/snp.h"
#include "base/assert.h"

enum { PEM_MAX = 8192 };
static uint8_t ark[PEM_MAX];
static uint8_t ask[PEM_MAX];
static struct mt_snp_roots roots;

static mt_bytes read_pem(const char *path, uint8_t room[PEM_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, room, PEM_MAX);
    (void)close(fd);
    return (mt_bytes){room, len > 0 ? (size_t)len : 0};
}

/* Before main(), while the program may still read them. */
__attribute__((constructor)) static void read_roots(void)
{
    const mt_bytes signer = read_pem("ask.pem", ask);
    roots.lines[MT_SNP_MILAN] =
        (struct mt_snp_line_roots){read_pem("ark.pem", ark), signer, signer};
}

const struct mt_snp_roots *mt_snp_roots_amd(void)
{
    return &roots;
}
