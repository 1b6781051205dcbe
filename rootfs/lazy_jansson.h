/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LAZY_JANSSON_H
#define MAYFLY_LAZY_JANSSON_H

#include "lazy.h"

#include <jansson.h>

#define LAZY_JANSSON(X)                                                                            \
    X(json_loadb)                                                                                  \
    X(json_array)                                                                                  \
    X(json_array_append_new)                                                                       \
    X(json_dumps)                                                                                  \
    X(json_object)                                                                                 \
    X(json_object_del)                                                                             \
    X(json_object_set_new)                                                                         \
    X(json_string)                                                                                 \
    X(json_delete)                                                                                 \
    X(json_object_get)                                                                             \
    X(json_object_iter)                                                                            \
    X(json_object_iter_key)                                                                        \
    X(json_object_iter_next)                                                                       \
    X(json_object_iter_value)                                                                      \
    X(json_array_size)                                                                             \
    X(json_array_get)                                                                              \
    X(json_string_value)                                                                           \
    X(json_integer_value)

struct lazy_jansson {
    LAZY_JANSSON(LAZY_MEMBER)
};

/** lazy_jansson() - jansson's functions, loaded; NULL with a text when it is not there. */
const struct lazy_jansson *lazy_jansson(struct err *err);

#endif
