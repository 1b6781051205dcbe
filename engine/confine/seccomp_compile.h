/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From tables of system calls to programs for the kernel, by libseccomp.  That
 * takes milliseconds, so the programs that ordinary containers run under are
 * made when mayfly is built (tools/dev/filters.c); what is compiled at a run is
 * a filter for other capabilities, or one that somebody brought.
 */
#ifndef MAYFLY_SECCOMP_COMPILE_H
#define MAYFLY_SECCOMP_COMPILE_H

#include "engine/base/err.h"

#include <linux/filter.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * seccomp_compile() - make a filter from the table
 * @confine: with the calls and conditions of the default profile; without, all calls are let
 *           through that @emulate does not concern
 * @caps: the capabilities that the container has, a set of bits
 * @emulate: for a container with a single id: changes of owner succeed, calls about users are
 *           answered by PID 1
 * @ret_program: its filter is to be freed
 *
 * For the native architecture and those of the same machine (x86_64 with x86 and x32, arm64 with
 * arm); calls from another one kill their thread.
 * Return: 0 or -errno with a text.
 */
int seccomp_compile(bool confine, uint64_t caps, bool emulate, struct sock_fprog *ret_program,
                    struct err *err);

/**
 * seccomp_add_architectures() - add those that this machine also runs to a new filter
 * Return: 0 or -errno.
 */
int seccomp_add_architectures(scmp_filter_ctx filter);

/**
 * seccomp_export() - a libseccomp filter as a program
 * @ret_program: its filter is to be freed
 *
 * Return: 0 or -errno.
 */
int seccomp_export(scmp_filter_ctx filter, struct sock_fprog *ret_program);

/** seccomp_filter_free() - for _cleanup_seccomp_filter_. */
void seccomp_filter_free(scmp_filter_ctx *filter);

#define _cleanup_seccomp_filter_ __attribute__((cleanup(seccomp_filter_free)))

#endif
