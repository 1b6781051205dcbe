/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SECCOMP_PROFILE_H
#define MAYFLY_SECCOMP_PROFILE_H

#include "engine/base/err.h"

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

/**
 * seccomp_profile_parse() - make a filter from a profile as Docker and Podman write them
 * @caps: what the container has, by which rules count or not
 * @ret_program: its filter is to be freed
 *
 * Names of calls that this machine does not have are passed over.
 * Context: jansson is loaded for it.
 * Spec: OCI runtime-spec, config-linux.md, "Seccomp", and what docker(1) adds: archMap, includes,
 * excludes, errno by name left aside.
 * Return: 0, -EBADMSG or -EINVAL with a text, -ENOENT without jansson.
 */
int seccomp_profile_parse(const char *text, size_t size, uint64_t caps,
                          struct sock_fprog *ret_program, struct err *err);

/** seccomp_profile_load() - the same, of a file. */
int seccomp_profile_load(const char *path, uint64_t caps, struct sock_fprog *ret_program,
                         struct err *err);

#endif
