/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LAZY_CURL_H
#define MAYFLY_LAZY_CURL_H

#include "lazy.h"

/* The header's type checks are macros, which function pointers cannot pass through. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#define LAZY_CURL(X)                                                                               \
    X(curl_easy_cleanup)                                                                           \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_header)                                                                            \
    X(curl_easy_init)                                                                              \
    X(curl_easy_pause)                                                                             \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_strerror)                                                                          \
    X(curl_multi_add_handle)                                                                       \
    X(curl_multi_cleanup)                                                                          \
    X(curl_multi_info_read)                                                                        \
    X(curl_multi_init)                                                                             \
    X(curl_multi_perform)                                                                          \
    X(curl_multi_poll)                                                                             \
    X(curl_multi_remove_handle)                                                                    \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)

struct lazy_curl {
    LAZY_CURL(LAZY_MEMBER)
};

/** lazy_curl() - libcurl's functions, loaded; NULL with a text when it is not there. */
const struct lazy_curl *lazy_curl(struct err *err);

#endif
