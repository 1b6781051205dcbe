/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table behind the default filter; see seccomp_compile.h for what is made
 * of it.  Names are those of libseccomp, several in a text with spaces between.
 */
#ifndef MAYFLY_SECCOMP_TABLE_H
#define MAYFLY_SECCOMP_TABLE_H

#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct seccomp_allowed - calls that are let through
 * @caps: a container without one of these capabilities (a set of bits) gets EPERM instead; 0: none
 */
struct seccomp_allowed {
    const char *names;
    uint64_t caps;
};

/**
 * struct seccomp_conditional - a call, looked at with its arguments
 * @action: when all of the @n_args conditions hold
 * @excluded_by: does not count for a container that has one of these capabilities
 */
struct seccomp_conditional {
    const char *name;
    uint32_t action;
    unsigned n_args;
    struct scmp_arg_cmp args[2];
    uint64_t excluded_by;
};

extern const struct seccomp_allowed seccomp_allowed[];
extern const size_t n_seccomp_allowed;
extern const struct seccomp_conditional seccomp_conditional[];
extern const size_t n_seccomp_conditional;

/** seccomp_refused - calls that get EPERM in every container. */
extern const char seccomp_refused[];

/** seccomp_succeed - where there is one id only: calls that return 0 and do nothing. */
extern const char seccomp_succeed[];

/** seccomp_ask - where there is one id only: calls that PID 1 answers. */
extern const char seccomp_ask[];

/**
 * seccomp_terminal_requests - requests of ioctl(2) that type into a terminal
 *
 * The kernel looks at the low 32 bits of a request alone (CVE-2019-10063).
 */
extern const uint32_t seccomp_terminal_requests[];
extern const size_t n_seccomp_terminal_requests;

#endif
