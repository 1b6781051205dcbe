/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_PLAN_SPEC_H
#define MAYFLY_PLAN_SPEC_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * plan_spec_split() - take a text apart at its colons
 * @text: "\:" in it stands for a colon and "\\" for a backslash; any other backslash is itself
 * @ret_fields: empty; receives the fields, at least one, with the escapes resolved
 *
 * Return: 0 or -ENOMEM.
 */
int plan_spec_split(const char *text, struct strv *ret_fields);

/** plan_spec_escape() - append a field so that plan_spec_split() gives it back. */
void plan_spec_escape(struct buf *buf, const char *field);

/**
 * plan_spec_target() - check and tidy the path of a mount in the container
 * @text: has to be absolute, without ".." and other than "/"
 * @ret_path: without "." and without slashes that say nothing
 *
 * Return: 0, -EINVAL with a text, -ENOMEM.
 */
int plan_spec_target(const char *text, char **ret_path, struct err *err);

/** plan_spec_target_ok() - whether a path is as plan_spec_target() leaves it. */
bool plan_spec_target_ok(const char *path);

/**
 * plan_spec_has_base_name() - whether a path ends in a name that a copy can have
 *
 * It does not when nothing is left of it, or when its last part is "." or "..".
 */
bool plan_spec_has_base_name(const char *path);

/** plan_spec_name_ok() - [A-Za-z0-9][A-Za-z0-9_.-]*, at most 63 characters. */
bool plan_spec_name_ok(const char *name);

/**
 * plan_spec_hostname_ok() - labels of letters, digits and inner hyphens with dots between them
 * Spec: RFC 1123, section 2.1; at most 64 bytes, as sethostname(2) takes.
 */
bool plan_spec_hostname_ok(const char *hostname);

/** plan_parse_size() - bytes: a number with an optional k, m, g or t (powers of 1024; also KiB, KB,
 * kb). */
int plan_parse_size(const char *text, uint64_t *ret_bytes);

/** plan_spec_duration() - the length of time that an option says.  Return: 0 or -EINVAL with a
 * text. */
int plan_spec_duration(const char *option, const char *value, uint64_t *ret_nsec, struct err *err);

#endif
