/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "server/inside.h"
#include "services/access/access.h"
#include "services/data/data.h"
#include "services/task/task.h"

/* Prints the route tables as compiled, one JSON object a line, for openapi_test.py. */

static const struct mt_service *const all[] = {&mt_system_service, &mt_access_service,
                                               &mt_data_service, &mt_task_service, NULL};

static const char *const methods[] = {
    [MT_GET] = "get", [MT_PUT] = "put", [MT_POST] = "post", [MT_DELETE] = "delete"};
static const char *const rights[] = {[MT_RIGHT_ADMIN] = "admin",
                                     [MT_RIGHT_USER] = "user",
                                     [MT_RIGHT_SEE] = "see",
                                     [MT_RIGHT_READ] = "read",
                                     [MT_RIGHT_OWNER] = "owner"};
static const char *const kinds[] = {[MT_KIND_NONE] = "",
                                    [MT_KIND_DATA] = "data",
                                    [MT_KIND_TASK] = "task",
                                    [MT_KIND_RESULT] = "result"};

static void print_route(const struct mt_service *s, const struct mt_route *r)
{
    (void)printf("{\"service\": \"%s\", \"method\": \"%s\", \"path\": \"%s\", \"action\": \"%s\", "
                 "\"right\": \"%s\", \"kind\": \"%s\", \"body_max\": %llu, \"write\": %s, "
                 "\"intent\": %s, \"query\": [",
                 s->name, methods[r->method], r->path, r->action, rights[r->right], kinds[r->kind],
                 (unsigned long long)r->body_max, r->is_write ? "true" : "false",
                 r->is_intent ? "true" : "false");
    for (size_t i = 0; r->query != NULL && r->query[i] != NULL; i++) {
        (void)printf("%s\"%s\"", i > 0 ? ", " : "", r->query[i]);
    }
    (void)printf("]}\n");
}

int main(void)
{
    for (size_t i = 0; all[i] != NULL; i++) {
        for (const struct mt_route *r = all[i]->routes; r->path != NULL; r++) {
            print_route(all[i], r);
        }
    }
    return 0;
}
