/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_COMPUTE_COLUMNS_SCHEMA_H
#define MT_COMPUTE_COLUMNS_SCHEMA_H

/*
 * The functions' arguments as JSON Schema (draft 2020-12). A text is a promise that approvals bind:
 * it changes with the function's version alone. What a schema cannot say (references, distinct
 * names, the task's own names) the parser in args.c does.
 */
#define MT_SCHEMA_BEGIN "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
#define MT_SCHEMA_NAME  "{\"type\":\"string\",\"pattern\":\"^[a-z0-9_-]{1,64}$\"}"
#define MT_SCHEMA_TEXT  "{\"type\":\"string\",\"minLength\":1,\"maxLength\":128}"
#define MT_SCHEMA_TRUE  "{\"const\":true}"

/* Fields that an input of psi and of private-join-and-compute has. */
#define MT_SCHEMA_INPUT                                                                            \
    "\"name\":" MT_SCHEMA_NAME ",\"key\":" MT_SCHEMA_TEXT                                          \
    ",\"canonical\":{\"enum\":[\"none\",\"trim\",\"lower-ascii\",\"trim-lower-ascii\"]},"          \
    "\"duplicates\":{\"enum\":[\"refuse\",\"aggregate\"]}"

#define MT_SCHEMA_OBJECT(required_, properties_)                                                   \
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[" required_                 \
    "],\"properties\":{" properties_ "}}"

#define MT_SCHEMA_LIST(least_, most_, items_)                                                      \
    "{\"type\":\"array\",\"minItems\":" least_ ",\"maxItems\":" most_ ",\"items\":" items_ "}"

/* An output column: its name, and one thing to show. */
#define MT_SCHEMA_SHOW(what_, as_what_)                                                            \
    MT_SCHEMA_OBJECT("\"" what_ "\",\"as\"", "\"" what_ "\":" as_what_ ",\"as\":" MT_SCHEMA_TEXT)

#define MT_SCHEMA_COLUMN                                                                           \
    MT_SCHEMA_OBJECT("\"name\",\"type\"",                                                          \
                     "\"name\":" MT_SCHEMA_TEXT ",\"type\":{\"enum\":[\"integer\",\"decimal\"]},"  \
                     "\"scale\":{\"type\":\"integer\",\"minimum\":0,"                              \
                     "\"maximum\":38}")

#define MT_SCHEMA_ECHO MT_SCHEMA_BEGIN "\"type\":\"object\",\"additionalProperties\":false}"

#define MT_SCHEMA_PSI                                                                                                              \
    MT_SCHEMA_BEGIN                                                                                                                \
    "\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"inputs\",\"outputs\"],"                                    \
    "\"properties\":{\"inputs\":" MT_SCHEMA_LIST(                                                                                  \
        "2", "16",                                                                                                                 \
        MT_SCHEMA_OBJECT(                                                                                                          \
            "\"name\",\"key\",\"canonical\",\"duplicates\"",                                                                       \
            MT_SCHEMA_INPUT)) ",\"outputs\":" MT_SCHEMA_LIST("1", "16",                                                            \
                                                             MT_SCHEMA_OBJECT(                                                     \
                                                                 "\"name\",\"columns\"",                                           \
                                                                 "\"name\":" MT_SCHEMA_NAME                                        \
                                                                 ",\"columns\":" MT_SCHEMA_LIST(                                   \
                                                                     "1", "1",                                                     \
                                                                     "{\"oneOf\":"                                                 \
                                                                     "[" MT_SCHEMA_SHOW("key", MT_SCHEMA_TRUE) "," MT_SCHEMA_SHOW( \
                                                                         "count",                                                  \
                                                                         MT_SCHEMA_TRUE) "]}"))) "}}"

#define MT_SCHEMA_JOIN                                                                                                                                                                                                                                                                  \
    MT_SCHEMA_BEGIN                                                                                                                                                                                                                                                                     \
    "\"type\":\"object\",\"additionalProperties\":false,"                                                                                                                                                                                                                               \
    "\"required\":[\"inputs\",\"join\",\"minimum_group_size\",\"outputs\"],"                                                                                                                                                                                                            \
    "\"properties\":{\"inputs\":" MT_SCHEMA_LIST("2", "16", MT_SCHEMA_OBJECT("\"name\",\"key\",\"canonical\",\"duplicates\"", MT_SCHEMA_INPUT ",\"columns\":" MT_SCHEMA_LIST("1", "64", MT_SCHEMA_COLUMN))) ",\"join\":{\"enum\":[\"inner\",\"left\"]},\"group_by\":" MT_SCHEMA_OBJECT( \
        "\"input\",\"column\"",                                                                                                                                                                                                                                                         \
        "\"input\":" MT_SCHEMA_NAME                                                                                                                                                                                                                                                     \
        ",\"column\":" MT_SCHEMA_TEXT) ",\"minimum_group_size\":{\"type\":\"integer\","                                                                                                                                                                                                 \
                                       "\"minimum\":1,"                                                                                                                                                                                                                                 \
                                       "\"maximum\":9007199254740991},"                                                                                                                                                                                                                 \
                                       "\"outputs\":" MT_SCHEMA_LIST(                                                                                                                                                                                                                   \
                                           "1", "16",                                                                                                                                                                                                                                   \
                                           MT_SCHEMA_OBJECT(                                                                                                                                                                                                                            \
                                               "\"name\",\"columns\"",                                                                                                                                                                                                                  \
                                               "\"name\":" MT_SCHEMA_NAME                                                                                                                                                                                                               \
                                               ",\"columns\":" MT_SCHEMA_LIST(                                                                                                                                                                                                          \
                                                   "1", "64",                                                                                                                                                                                                                           \
                                                   "{\"oneOf\":[" MT_SCHEMA_SHOW("group", MT_SCHEMA_TRUE) "," MT_SCHEMA_SHOW("count", MT_SCHEMA_TRUE) "," MT_SCHEMA_SHOW(                                                                                                               \
                                                       "sum",                                                                                                                                                                                                                           \
                                                       MT_SCHEMA_TEXT) "," MT_SCHEMA_SHOW("averag"                                                                                                                                                                                      \
                                                                                          "e",                                                                                                                                                                                          \
                                                                                          MT_SCHEMA_TEXT) "," MT_SCHEMA_SHOW("min",                                                                                                                                                     \
                                                                                                                             MT_SCHEMA_TEXT) "," MT_SCHEMA_SHOW("max",                                                                                                                  \
                                                                                                                                                                MT_SCHEMA_TEXT) "]}"))) "}}"

#endif
