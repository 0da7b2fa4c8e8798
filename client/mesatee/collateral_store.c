/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mesatee/collateral.h"

/* A folder of collateral, put in place as a whole. */

enum { FILES = 11 };

struct file {
    const char *name;
    mt_bytes content;
};

static void name_files(const struct mt_collateral *c, bool is_lent, struct file out[FILES])
{
    static const char *const vek[2][2] = {{"vcek.der", "vcek.pem"}, {"vlek.der", "vlek.pem"}};
    bool is_pem = c->vek.len > 0 && c->vek.ptr[0] == '-';
    const struct file files[FILES] = {{"tcb_info.json", c->tcb_info},
                                      {"tcb_info.sig", c->tcb_info_signature},
                                      {"tcb_info_chain.pem", c->tcb_info_chain},
                                      {"qe_identity.json", c->qe_identity},
                                      {"qe_identity.sig", c->qe_identity_signature},
                                      {"qe_identity_chain.pem", c->qe_identity_chain},
                                      {"root_ca_crl.der", c->root_ca_crl},
                                      {"pck_crl.der", c->pck_crl},
                                      {"pck_chain.pem", c->pck_chain},
                                      {vek[is_lent][is_pem], c->vek},
                                      {"amd_crl.der", c->amd_crl}};
    memcpy(out, files, sizeof files);
}

/* Names that we may have written, at this or another time. */
static const char *const known[] = {"tcb_info.json",    "tcb_info.sig",    "tcb_info_chain.pem",
                                    "qe_identity.json", "qe_identity.sig", "qe_identity_chain.pem",
                                    "root_ca_crl.der",  "pck_crl.der",     "pck_chain.pem",
                                    "vcek.der",         "vcek.pem",        "vlek.der",
                                    "vlek.pem",         "amd_crl.der"};

static int is_foreign(const struct dirent *e)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(e->d_name, known[i]) == 0) {
            return 0;
        }
    }
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* What else is in a folder would be lost with it. */
static MT_ERR check_old(const char *folder, bool *is_there)
{
    struct dirent **foreign = NULL;
    int count = scandir(folder, &foreign, is_foreign, alphasort);
    *is_there = count >= 0 || errno != ENOENT;
    for (int i = 0; i < count; i++) {
        free(foreign[i]);
    }
    free(foreign);
    MT_REQUIRE(count >= 0 || !*is_there, MT_E_IO, "the folder for collateral cannot be read");
    MT_REQUIRE(count <= 0, MT_E_CONFLICT,
               "the folder holds other things than collateral, which would be lost: name a folder "
               "for collateral alone");
    return MT_OK;
}

static void remove_folder(const char *folder)
{
    char path[MT_PATH_MAX + 32];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, known[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return ok;
}

static MT_ERR fill(const char *folder, const struct mt_collateral *c, bool is_lent)
{
    struct file files[FILES];
    char path[MT_PATH_MAX];
    name_files(c, is_lent, files);
    for (size_t i = 0; i < FILES; i++) {
        int len = snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        MT_REQUIRE(len > 0 && (size_t)len < sizeof path, MT_E_ARG, "a path is too long");
        if (files[i].content.len > 0) {
            MT_TRY(mt_file_store(path, files[i].content));
        }
    }
    MT_REQUIRE(sync_folder(folder), MT_E_IO, "the folder for collateral cannot be written");
    return MT_OK;
}

MT_ERR mt_collateral_store(const char *folder, const struct mt_collateral *c, bool is_lent)
{
    char fresh[MT_PATH_MAX];
    bool is_there = false;
    MT_TRY(check_old(folder, &is_there));
    int len = snprintf(fresh, sizeof fresh, "%s.XXXXXX", folder);
    MT_REQUIRE(len > 0 && (size_t)len < sizeof fresh, MT_E_ARG, "a path is too long");
    MT_REQUIRE(mkdtemp(fresh) != NULL, MT_E_IO, "the folder for collateral cannot be written");
    mt_err e = fill(fresh, c, is_lent);
    /* The two folders change places in one step: whoever reads meets one of them, whole. */
    bool is_placed = !mt_failed(e) && renameat2(AT_FDCWD, fresh, AT_FDCWD, folder,
                                                is_there ? RENAME_EXCHANGE : RENAME_NOREPLACE) == 0;
    if (!is_placed || is_there) {
        remove_folder(fresh);
    }
    MT_TRY(e);
    MT_REQUIRE(is_placed, MT_E_IO, "the folder for collateral cannot be put in place");
    return MT_OK;
}
