/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_COPY_PATH_H
#define MAYFLY_COPY_PATH_H

#include "engine/base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/** struct copy_place - an entry of a directory; @name "." is the directory itself */
struct copy_place {
    int dir_fd;
    char name[NAME_MAX + 1];
};

/**
 * copy_own_name() - the name that a copy of a path has by itself
 *
 * "x" for "x", "a/x" and "x/"; "." for ".", "/" and "..".
 * Return: 0, -ENAMETOOLONG or -ENOMEM.
 */
int copy_own_name(const char *path, char ret_name[NAME_MAX + 1]);

/**
 * copy_source() - where a copy comes from
 * @source: a path from the working directory; one that ends in "/", "." or ".." stands for the
 *          directory and not for a link to it
 *
 * Return: 0 with a descriptor that the caller closes, or -errno with a text.
 */
int copy_source(const char *source, struct copy_place *ret_place, struct err *err);

/**
 * copy_target() - where a copy goes, as cp(1) has it
 * @target: a path from the working directory; an existing directory, or one that ends in "/", takes
 *          the source's name inside; NULL: the working directory
 * @source: whose last component is the name
 * @make: make directories that are missing
 *
 * Return: 0 with a descriptor that the caller closes, or -errno with a text.
 */
int copy_target(const char *target, const char *source, bool make, struct copy_place *ret_place,
                struct err *err);

#endif
