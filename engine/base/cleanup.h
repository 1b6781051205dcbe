/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership of what has no name: memory, descriptors, directory streams.  A
 * variable marked with one of these is released when it leaves its scope,
 * unless take_ptr() or take_fd() has handed it over.
 */
#ifndef MAYFLY_CLEANUP_H
#define MAYFLY_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_p(void *p) {
    int saved = errno;

    free(*(void **)p);
    errno = saved;
}

static inline void cleanup_close_p(int *fd) {
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    errno = saved;
}

static inline void cleanup_fclose_p(FILE **file) {
    if (*file)
        fclose(*file);
}

static inline void cleanup_closedir_p(DIR **dir) {
    if (*dir)
        closedir(*dir);
}

static inline void *cleanup_take_ptr(void *p) {
    void *value = *(void **)p;

    *(void **)p = NULL;
    return value;
}

static inline int cleanup_take_fd(int *fd) {
    int value = *fd;

    *fd = -1;
    return value;
}

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(cleanup_free_p)
#define _cleanup_close_ _cleanup_(cleanup_close_p)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose_p)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir_p)

/** take_ptr() - hand a pointer over: its value, the variable then NULL. */
#ifdef MAYFLY_CPPCHECK /* which does not parse the cast before "->" */
#define take_ptr(p) cleanup_take_ptr(&(p))
#else
#define take_ptr(p) ((__typeof__(p))cleanup_take_ptr(&(p)))
#endif
/** take_fd() - hand a descriptor over: its value, the variable then -1. */
#define take_fd(fd) cleanup_take_fd(&(fd))

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

#endif
