/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CGROUP_FILE_H
#define MAYFLY_CGROUP_FILE_H

#include <stdint.h>
#include <sys/types.h>

/*
 * The files of a control group: @dir_fd is its directory.  All of them return 0 or -errno, -ENOENT
 * where the kernel or the host's set-up has no such file.
 */

/** CGROUP_FILE_MAX - "max" where a number is read: no limit. */
#define CGROUP_FILE_MAX UINT64_MAX

/** cgroup_file_write() - write a word to one of a group's files. */
int cgroup_file_write(int dir_fd, const char *name, const char *text);

/** cgroup_file_write_u64() - write a number. */
int cgroup_file_write_u64(int dir_fd, const char *name, uint64_t value);

/** cgroup_file_read() - the whole text; to free(3). */
int cgroup_file_read(int dir_fd, const char *name, char **ret_text);

/** cgroup_file_read_u64() - a number, CGROUP_FILE_MAX for "max". */
int cgroup_file_read_u64(int dir_fd, const char *name, uint64_t *ret_value);

/**
 * cgroup_file_read_key() - the number after @key in a file of "KEY NUMBER" lines
 *
 * Return: -ENODATA when there is no such line.
 */
int cgroup_file_read_key(int dir_fd, const char *name, const char *key, uint64_t *ret_value);

/**
 * cgroup_file_await() - wait until a line of cgroup.events says what it should
 * @deadline_nsec: CLOCK_MONOTONIC
 *
 * Return: -ETIMEDOUT when it did not until then; -ENOENT in version 1, which has no events.
 */
int cgroup_file_await(int dir_fd, const char *key, uint64_t value, uint64_t deadline_nsec);

/** cgroup_text_key() - the same from a text that was read. */
int cgroup_text_key(const char *text, const char *key, uint64_t *ret_value);

#endif
