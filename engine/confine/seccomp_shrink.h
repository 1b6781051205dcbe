/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SECCOMP_SHRINK_H
#define MAYFLY_SECCOMP_SHRINK_H

#include <linux/filter.h>

/**
 * seccomp_shrink() - a shorter program that decides the same
 * @program: its filter is on the heap, and replaced by the shorter one
 *
 * Pure.
 * Return: 0, -EOPNOTSUPP when the program is of a kind that is not understood, or does not become
 * shorter (it then stays as it was), -ENOMEM.
 */
int seccomp_shrink(struct sock_fprog *program);

#endif
