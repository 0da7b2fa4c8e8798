/* Two owners find out whom they both know, and nothing else: two_owners HOME DIR, where HOME has
 * the contexts "alice" and "bob", and DIR alice.csv and bob.csv, each with a column "email". */
#include <mesatee.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const proposal =
    "{\"function\": {\"name\": \"psi\", \"version\": 1}, \"arguments\": {\"inputs\": ["
    "{\"name\": \"a\", \"key\": \"email\", \"canonical\": \"none\", \"duplicates\": \"refuse\"},"
    "{\"name\": \"b\", \"key\": \"email\", \"canonical\": \"none\", \"duplicates\": \"refuse\"}],"
    "\"outputs\": [{\"name\": \"both\", \"columns\": [{\"key\": true, \"as\": \"email\"}]}]},"
    "\"inputs\": [{\"name\": \"a\", \"data\": \"t\"}, {\"name\": \"b\", \"data\": \"bob/t\"}],"
    "\"outputs\": [{\"name\": \"both\", \"receivers\": [\"alice\", \"bob\"]}]}";

static void must(const struct mesatee *m, int result)
{
    if (result != MESATEE_DONE) {
        fprintf(stderr, "%s\n  mend: %s\n", m ? mesatee_why(m) : "", m ? mesatee_mend(m) : "");
        (void)fflush(stdout);
        _Exit(result);
    }
}

int main(int argc, char **argv)
{
    const char *const names[] = {"alice", "bob"};
    struct mesatee *m[2] = {NULL, NULL};
    char task[33], run[33], path[4096];
    struct mesatee_receipt receipt;
    if (argc != 3) {
        return MESATEE_USAGE;
    }
    for (int i = 0; i < 2; i++) { /* nothing leaves before each has verified the node */
        int opened = mesatee_open(argv[1], names[i], &m[i]);
        must(m[i], opened);
        must(m[i], mesatee_verify(m[i]));
        snprintf(path, sizeof path, "%s/%s.csv", argv[2], names[i]);
        must(m[i], mesatee_data_put(m[i], "t", path));
    }
    must(m[1], mesatee_data_grant(m[1], "t", mesatee_subject(m[0]), "psi"));
    must(m[0], mesatee_task_create(m[0], proposal, task));
    for (int i = 0; i < 2; i++) { /* each reads what it signs, and signs exactly that */
        struct mesatee_task *t = NULL;
        must(m[i], mesatee_task_show(m[i], task, &t));
        printf("%s signs:\n%s", names[i], t->prose);
        must(m[i], mesatee_task_approve(m[i], task, t->digest));
        mesatee_task_free(t);
    }
    must(m[0], mesatee_task_run(m[0], task, run));
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/both-for-%s.csv", argv[2], names[i]);
        must(m[i], mesatee_task_result(m[i], task, run, "both", path));
        snprintf(path, sizeof path, "%s/%s.receipt", argv[2], names[i]);
        must(m[i], mesatee_receipt_get(m[i], task, run, path));
        must(m[i], mesatee_receipt_verify(m[i], path, &receipt)); /* needs no node any more */
        mesatee_close(m[i]);
    }
    printf("run %s of digest %s\n", receipt.run, receipt.digest);
    return 0;
}
