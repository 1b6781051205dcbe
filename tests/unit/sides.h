/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of copies have: two directories, and a process for the other side. */
#ifndef MAYFLY_TEST_SIDES_H
#define MAYFLY_TEST_SIDES_H

#include "engine/copy/copy.h"
#include "scratch.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/** sides_scratch - has "from" and "to"; sides_pair - the socket between both sides, ours first */
extern struct scratch sides_scratch;
extern int sides_pair[2];

/** sides_setup(), sides_teardown() - before and after each test. */
void sides_setup(void);
void sides_teardown(void);

/**
 * sides_start() - start a process that does its side of a copy with sides_pair[1]
 * @expected: what @side has to return for the process to end with 0
 */
pid_t sides_start(int (*side)(struct copy *copy, struct err *err), int expected);

/** sides_expect_good_end() - wait for that process, which has to end with 0. */
void sides_expect_good_end(pid_t pid);

/** sides_copy() - copy from/@source to to/@target, to end with @expected on both sides. */
void sides_copy(struct copy *copy, const char *source, const char *target, int expected,
                struct err *err);

/** sides_copy_plainly() - the same with nothing special about it, to succeed. */
void sides_copy_plainly(const char *source, const char *target);

/** sides_make_tree() - from/t, with something of each kind in it. */
void sides_make_tree(void);

/** sides_lowest_free() - the lowest descriptor that is free, by which leaks show. */
int sides_lowest_free(void);

/** sides_open_in() - open a directory below the scratch one. */
int sides_open_in(const char *path);

/** sides_expect_content() - a file has to hold that. */
void sides_expect_content(const char *path, const char *expected);

/** sides_look() - lstat(2). */
struct stat sides_look(const char *path);

bool sides_exists(const char *path);

/** sides_count() - how many entries a directory has: temporary names would show up. */
int sides_count(const char *path);

/** sides_send_it() - a sender of sides_from_name in sides_from_fd. */
extern int sides_from_fd;
extern const char *sides_from_name;
int sides_send_it(struct copy *copy, struct err *err);

#endif
