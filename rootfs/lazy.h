/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries that only an incoming image needs are opened when it comes, so that
 * a run that has its image pays nothing for them.  For each there is a table of
 * the functions used (LAZY_x(X), an X-macro); from it come a struct of function
 * pointers with the types of the library's own header, and the list of names to
 * look up.
 */
#ifndef MAYFLY_LAZY_H
#define MAYFLY_LAZY_H

#include "engine/base/err.h"

#include <stddef.h>

/**
 * struct lazy_library - a library that is opened at its first use
 * @soname: what dlopen(3) is given
 * @package: the Debian package that has it
 * @names: @n functions
 * @table: @n places for their addresses, in the same order
 * @state: 0 not tried yet, 1 loaded, negative: could not
 */
struct lazy_library {
    const char *soname;
    const char *package;
    const char *const *names;
    void **table;
    size_t n;
    int state;
};

/**
 * lazy_load() - open a library, once in a process
 *
 * Context: any thread.
 * Return: 0, or -ENOENT with a text that names the library and its package.
 */
int lazy_load(struct lazy_library *library, struct err *err);

#define LAZY_MEMBER(function) __typeof__(function) *function;
#define LAZY_NAME(function) #function,

/** LAZY_DEFINE() - define struct @name's loader, a function of the same name. */
#define LAZY_DEFINE(name, TABLE, soname_, package_)                                                \
    static struct name name##_table;                                                               \
    static const char *const name##_names[] = {TABLE(LAZY_NAME)};                                  \
    static struct lazy_library name##_library = {                                                  \
        .soname = soname_,                                                                         \
        .package = package_,                                                                       \
        .names = name##_names,                                                                     \
        .table = (void **)&name##_table,                                                           \
        .n = sizeof name##_names / sizeof *name##_names,                                           \
    };                                                                                             \
    const struct name *name(struct err *err) {                                                     \
        return lazy_load(&name##_library, err) < 0 ? NULL : &name##_table;                         \
    }

#endif
