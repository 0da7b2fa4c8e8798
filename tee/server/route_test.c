/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/assert.h"
#include "server/inside.h"
#include "unit/runner.h"

static const struct mt_route first_routes[] = {
    {.method = MT_GET, .path = "/v1/things", .action = "list"},
    {.method = MT_POST, .path = "/v1/things", .action = "make"},
    {.method = MT_GET, .path = "/v1/things/{thing}", .action = "show"},
    {.method = MT_DELETE, .path = "/v1/things/{thing}/parts/{part}", .action = "remove"},
    {.path = NULL},
};
static const struct mt_route second_routes[] = {
    {.method = MT_PUT, .path = "/v1/others/{a}/{b}/{c}", .action = "three"},
    {.method = MT_GET, .path = "/v1/others/{a}/{b}/{c}/{d}", .action = "four"},
    {.path = NULL},
};
static const struct mt_service first = {"first", NULL, first_routes, NULL};
static const struct mt_service second = {"second", NULL, second_routes, NULL};
static const struct mt_service *const services[] = {&first, &second, NULL};

static const char *action_of(enum mt_http_method method, const char *path)
{
    struct mt_match m = {.route = NULL};
    mt_err e = mt_route_find(services, method, mt_bytes_of_text(path), &m);
    if (mt_failed(e)) {
        MT_ASSERT(m.route == NULL);
        return e.fault->code == MT_E_NOTFOUND ? "no path" : "no method";
    }
    return m.route->action;
}

static bool gives(enum mt_http_method method, const char *path, const char *action)
{
    return strcmp(action_of(method, path), action) == 0;
}

static void a_path_is_matched_whole_segment_by_segment(void)
{
    MT_ASSERT(gives(MT_HTTP_GET, "/v1/things", "list"));
    MT_ASSERT(gives(MT_HTTP_GET, "/v1/things/x", "show"));
    MT_ASSERT(gives(MT_HTTP_DELETE, "/v1/things/x/parts/y", "remove"));
    static const char *const wrong[] = {"",
                                        "/",
                                        "/v1",
                                        "/v1/",
                                        "/v1/thing",
                                        "/v1/thingss",
                                        "/v1/things/",
                                        "v1/things",
                                        "/v1/things/x/",
                                        "/v1/things/x/parts",
                                        "/v1/things/x/parts/",
                                        "/v1/things/x/part/y",
                                        "/v1/things/x/parts/y/z",
                                        "/v2/things"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        MT_ASSERT(gives(MT_HTTP_GET, wrong[i], "no path"));
    }
}

static void an_argument_is_one_to_64_harmless_bytes(void)
{
    char path[128] = "/v1/things/";
    memset(path + 11, 'a', 65);
    MT_ASSERT(gives(MT_HTTP_GET, path, "no path"));
    path[11 + 64] = '\0';
    MT_ASSERT(gives(MT_HTTP_GET, path, "show"));
    MT_ASSERT(gives(MT_HTTP_GET, "/v1/things/A-z_0.9", "show"));
    static const char *const wrong[] = {"/v1/things/a b", "/v1/things/a:b", "/v1/things/a;b",
                                        "/v1/things/a~b", "/v1/things/a@b", "/v1/things/\xc3\xa4"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        MT_ASSERT(gives(MT_HTTP_GET, wrong[i], "no path"));
    }
}

static void what_stands_for_a_placeholder_is_given_in_order(void)
{
    struct mt_match m;
    mt_err e = mt_route_find(services, MT_HTTP_PUT, MT_LITERAL("/v1/others/x/yy/zzz"), &m);
    MT_ASSERT(!mt_failed(e));
    MT_ASSERT(m.service == &second);
    MT_ASSERT(mt_bytes_equal(m.arguments[0], MT_LITERAL("x")));
    MT_ASSERT(mt_bytes_equal(m.arguments[1], MT_LITERAL("yy")));
    MT_ASSERT(mt_bytes_equal(m.arguments[2], MT_LITERAL("zzz")));
}

static void there_are_at_most_three_placeholders(void)
{
    MT_ASSERT(gives(MT_HTTP_GET, "/v1/others/a/b/c/d", "no path"));
}

static void another_method_is_told_from_another_path(void)
{
    MT_ASSERT(gives(MT_HTTP_PUT, "/v1/things", "no method"));
    MT_ASSERT(gives(MT_HTTP_DELETE, "/v1/things", "no method"));
    MT_ASSERT(gives(MT_HTTP_POST, "/v1/things/x/parts/y", "no method"));
    MT_ASSERT(gives(MT_HTTP_POST, "/v1/things", "make"));
    MT_ASSERT(gives(MT_HTTP_POST, "/v1/nowhere", "no path"));
}

static void a_path_names_the_methods_that_it_takes(void)
{
    MT_ASSERT(mt_route_methods(services, MT_LITERAL("/v1/things")) ==
              (1U << MT_GET | 1U << MT_POST));
    MT_ASSERT(mt_route_methods(services, MT_LITERAL("/v1/others/a/b/c")) == 1U << MT_PUT);
    MT_ASSERT(mt_route_methods(services, MT_LITERAL("/v1/nowhere")) == 0);
}

static void a_head_goes_where_a_get_goes(void)
{
    MT_ASSERT(gives(MT_HTTP_HEAD, "/v1/things", "list"));
    MT_ASSERT(gives(MT_HTTP_HEAD, "/v1/others/a/b/c", "no method"));
}

int main(void)
{
    const struct mt_test tests[] = {
        MT_TEST(a_path_is_matched_whole_segment_by_segment),
        MT_TEST(an_argument_is_one_to_64_harmless_bytes),
        MT_TEST(what_stands_for_a_placeholder_is_given_in_order),
        MT_TEST(there_are_at_most_three_placeholders),
        MT_TEST(another_method_is_told_from_another_path),
        MT_TEST(a_path_names_the_methods_that_it_takes),
        MT_TEST(a_head_goes_where_a_get_goes),
    };
    return mt_test_run(tests, sizeof tests / sizeof *tests);
}
