/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_ATTRIBUTE_H
#define MAYFLY_ATTRIBUTE_H

#include <stddef.h>

/**
 * attribute_write() - ask the security module for something, by a file in /proc/thread-self/attr
 * @name: of the file: "exec", "apparmor/current"
 * @text: @n bytes, written at once
 *
 * Bare system calls.
 * Context: any, /proc mounted; one thread.
 * Spec: proc_pid_attr(5).
 * Return: 0, -EXDEV when something else lies there, or another -errno.
 */
int attribute_write(const char *name, const char *text, size_t n);

#endif
