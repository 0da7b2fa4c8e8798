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

#define MT_SCHEMA_FIELDS(required_, properties_)                                                   \
    "\"type\":\"object\",\"additionalProperties\":false,\"required\":[" required_                  \
    "],\"properties\":{" properties_ "}}"
#define MT_SCHEMA_OBJECT(required_, properties_) "{" MT_SCHEMA_FIELDS(required_, properties_)
#define MT_SCHEMA_LIST(least_, most_, items_)                                                      \
    "{\"type\":\"array\",\"minItems\":" least_ ",\"maxItems\":" most_ ",\"items\":" items_ "}"

#define MT_SCHEMA_NAME "{\"type\":\"string\",\"pattern\":\"^[a-z0-9_-]{1,64}$\"}"
#define MT_SCHEMA_TEXT "{\"type\":\"string\",\"minLength\":1,\"maxLength\":128}"
#define MT_SCHEMA_CELL "{\"type\":\"string\",\"pattern\":\"^[a-z0-9_-]{1,64}[.].\"}"
#define MT_SCHEMA_TRUE "{\"const\":true}"

/* What an input of psi and of private-join-and-compute has. */
#define MT_SCHEMA_CANONICAL      "{\"enum\":[\"none\",\"trim\",\"lower-ascii\",\"trim-lower-ascii\"]}"
#define MT_SCHEMA_INPUT_REQUIRED "\"name\",\"key\",\"canonical\",\"duplicates\""
#define MT_SCHEMA_INPUT_FIELDS                                                                     \
    "\"name\":" MT_SCHEMA_NAME ",\"key\":" MT_SCHEMA_TEXT ",\"canonical\":" MT_SCHEMA_CANONICAL    \
    ",\"duplicates\":{\"enum\":[\"refuse\",\"aggregate\"]}"

/* An output column: its name, and one thing to show. */
#define MT_SCHEMA_SHOW(what_, as_what_)                                                            \
    MT_SCHEMA_OBJECT("\"" what_ "\",\"as\"", "\"" what_ "\":" as_what_ ",\"as\":" MT_SCHEMA_TEXT)
#define MT_SCHEMA_SHOW_KEY     MT_SCHEMA_SHOW("key", MT_SCHEMA_TRUE)
#define MT_SCHEMA_SHOW_COUNT   MT_SCHEMA_SHOW("count", MT_SCHEMA_TRUE)
#define MT_SCHEMA_SHOW_GROUP   MT_SCHEMA_SHOW("group", MT_SCHEMA_TRUE)
#define MT_SCHEMA_SHOW_SUM     MT_SCHEMA_SHOW("sum", MT_SCHEMA_CELL)
#define MT_SCHEMA_SHOW_AVERAGE MT_SCHEMA_SHOW("average", MT_SCHEMA_CELL)
#define MT_SCHEMA_SHOW_MIN     MT_SCHEMA_SHOW("min", MT_SCHEMA_CELL)
#define MT_SCHEMA_SHOW_MAX     MT_SCHEMA_SHOW("max", MT_SCHEMA_CELL)

#define MT_SCHEMA_OUTPUT(columns_)                                                                 \
    MT_SCHEMA_OBJECT("\"name\",\"columns\"", "\"name\":" MT_SCHEMA_NAME ",\"columns\":" columns_)

/* echo */
#define MT_SCHEMA_ECHO MT_SCHEMA_BEGIN "\"type\":\"object\",\"additionalProperties\":false}"

/* psi */
#define MT_SCHEMA_PSI_INPUT   MT_SCHEMA_OBJECT(MT_SCHEMA_INPUT_REQUIRED, MT_SCHEMA_INPUT_FIELDS)
#define MT_SCHEMA_PSI_SHOW    "{\"oneOf\":[" MT_SCHEMA_SHOW_KEY "," MT_SCHEMA_SHOW_COUNT "]}"
#define MT_SCHEMA_PSI_OUTPUT  MT_SCHEMA_OUTPUT(MT_SCHEMA_LIST("1", "1", MT_SCHEMA_PSI_SHOW))
#define MT_SCHEMA_PSI_INPUTS  MT_SCHEMA_LIST("2", "16", MT_SCHEMA_PSI_INPUT)
#define MT_SCHEMA_PSI_OUTPUTS MT_SCHEMA_LIST("1", "16", MT_SCHEMA_PSI_OUTPUT)
#define MT_SCHEMA_PSI_FIELDS                                                                       \
    "\"inputs\":" MT_SCHEMA_PSI_INPUTS ",\"outputs\":" MT_SCHEMA_PSI_OUTPUTS
#define MT_SCHEMA_PSI                                                                              \
    MT_SCHEMA_BEGIN MT_SCHEMA_FIELDS("\"inputs\",\"outputs\"", MT_SCHEMA_PSI_FIELDS)

/* private-join-and-compute. A decimal column has a scale, an integer has none. */
#define MT_SCHEMA_INTEGER                                                                          \
    MT_SCHEMA_OBJECT("\"name\",\"type\"",                                                          \
                     "\"name\":" MT_SCHEMA_TEXT ",\"type\":{\"const\":\"integer\"}")
#define MT_SCHEMA_SCALE "{\"type\":\"integer\",\"minimum\":0,\"maximum\":38}"
#define MT_SCHEMA_DECIMAL                                                                          \
    MT_SCHEMA_OBJECT("\"name\",\"type\",\"scale\"",                                                \
                     "\"name\":" MT_SCHEMA_TEXT                                                    \
                     ",\"type\":{\"const\":\"decimal\"},\"scale\":" MT_SCHEMA_SCALE)
#define MT_SCHEMA_COLUMN  "{\"oneOf\":[" MT_SCHEMA_INTEGER "," MT_SCHEMA_DECIMAL "]}"
#define MT_SCHEMA_COLUMNS MT_SCHEMA_LIST("1", "64", MT_SCHEMA_COLUMN)
#define MT_SCHEMA_JOIN_INPUT                                                                       \
    MT_SCHEMA_OBJECT(MT_SCHEMA_INPUT_REQUIRED,                                                     \
                     MT_SCHEMA_INPUT_FIELDS ",\"columns\":" MT_SCHEMA_COLUMNS)
#define MT_SCHEMA_JOIN_SHOW                                                                        \
    "{\"oneOf\":[" MT_SCHEMA_SHOW_GROUP "," MT_SCHEMA_SHOW_COUNT "," MT_SCHEMA_SHOW_SUM            \
    "," MT_SCHEMA_SHOW_AVERAGE "," MT_SCHEMA_SHOW_MIN "," MT_SCHEMA_SHOW_MAX "]}"
#define MT_SCHEMA_JOIN_OUTPUT MT_SCHEMA_OUTPUT(MT_SCHEMA_LIST("1", "64", MT_SCHEMA_JOIN_SHOW))
#define MT_SCHEMA_GROUP_BY                                                                         \
    MT_SCHEMA_OBJECT("\"input\",\"column\"",                                                       \
                     "\"input\":" MT_SCHEMA_NAME ",\"column\":" MT_SCHEMA_TEXT)
#define MT_SCHEMA_MINIMUM      "{\"type\":\"integer\",\"minimum\":1,\"maximum\":9007199254740991}"
#define MT_SCHEMA_JOIN_INPUTS  MT_SCHEMA_LIST("2", "16", MT_SCHEMA_JOIN_INPUT)
#define MT_SCHEMA_JOIN_OUTPUTS MT_SCHEMA_LIST("1", "16", MT_SCHEMA_JOIN_OUTPUT)
#define MT_SCHEMA_JOIN_FIELDS                                                                      \
    "\"inputs\":" MT_SCHEMA_JOIN_INPUTS ",\"join\":{\"enum\":[\"inner\",\"left\"]}"                \
    ",\"group_by\":" MT_SCHEMA_GROUP_BY ",\"minimum_group_size\":" MT_SCHEMA_MINIMUM               \
    ",\"outputs\":" MT_SCHEMA_JOIN_OUTPUTS
#define MT_SCHEMA_JOIN                                                                             \
    MT_SCHEMA_BEGIN MT_SCHEMA_FIELDS("\"inputs\",\"join\",\"minimum_group_size\",\"outputs\"",     \
                                     MT_SCHEMA_JOIN_FIELDS)

#endif
