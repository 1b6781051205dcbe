/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dlopen(3) at first use.  A library stays open for the rest of the process;
 * a failure is remembered, so that asking again costs nothing.
 */
#ifndef MAYFLY_STATIC /* else lazy_static.c */

#include "lazy.h"

#include "image.h"
#include "lazy_archive.h"
#include "lazy_crypto.h"
#include "lazy_curl.h"
#include "lazy_isal.h"
#include "lazy_jansson.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

static int open_library(struct lazy_library *library) {
    void *handle = dlopen(library->soname, RTLD_NOW | RTLD_LOCAL);

    if (!handle)
        return -ENOENT;
    for (size_t i = 0; i < library->n; i++) {
        library->table[i] = dlsym(handle, library->names[i]);
        if (!library->table[i])
            return -ENOENT;
    }
    return 1;
}

int lazy_load(struct lazy_library *library, struct err *err) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    int state = __atomic_load_n(&library->state, __ATOMIC_ACQUIRE);

    if (state == 0) {
        pthread_mutex_lock(&mutex);
        if (library->state == 0)
            __atomic_store_n(&library->state, open_library(library), __ATOMIC_RELEASE);
        state = library->state;
        pthread_mutex_unlock(&mutex);
    }
    if (state < 0)
        return err_set(err, state, "%s is needed for this image; install it: apt-get install %s",
                       library->soname, library->package);
    return 0;
}

LAZY_DEFINE(lazy_archive, LAZY_ARCHIVE, "libarchive.so.13", "libarchive13")
LAZY_DEFINE(lazy_crypto, LAZY_CRYPTO, "libcrypto.so.3", "libssl3")
LAZY_DEFINE(lazy_curl, LAZY_CURL, "libcurl.so.4", "libcurl4")
LAZY_DEFINE(lazy_isal, LAZY_ISAL, "libisal.so.2", "libisal2")
LAZY_DEFINE(lazy_jansson, LAZY_JANSSON, "libjansson.so.4", "libjansson4")

int image_libraries(struct err *err) {
    return lazy_archive(err) && lazy_crypto(err) && lazy_jansson(err) ? 0 : -ENOENT;
}

#endif
