/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "mesatee/mesatee.h"

/*
 * again HOME SECONDS FILE: a program that keeps its connection. For each line of its input it
 * fetches the data set `base` into the file, over the context in use, and says how that ended and
 * why: "0 ", "2 the verdict ..."
 */
int main(int argc, char **argv)
{
    struct mesatee *m = NULL;
    char line[16];
    unsigned seconds = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    if (argc != 4 || mesatee_open(argv[1], NULL, &m) != MESATEE_DONE ||
        mesatee_renew_every(m, 0) != MESATEE_USAGE ||
        mesatee_renew_every(m, seconds) != MESATEE_DONE) {
        return MESATEE_USAGE;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        int rc = mesatee_data_get(m, "base", 0, argv[3]);
        (void)printf("%d %s\n", rc, mesatee_why(m));
        (void)fflush(stdout);
    }
    mesatee_close(m);
    return 0;
}
