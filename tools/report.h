/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_REPORT_H
#define MAYFLY_REPORT_H

#include "engine/base/buf.h"
#include "engine/base/err.h"

/**
 * report_check() - find out before a run whether its report could be written after it
 * @option: the option that names the file, for messages
 *
 * Makes nothing.
 * Return: 0 or -errno with a text that names the file.
 */
int report_check(const char *option, const char *path, struct err *err);

/**
 * report_write() - write a run's report
 * @option: as of report_check()
 * @path: a regular file, or none yet, is replaced as a whole; anything else (a pipe, a device) is
 *        written to
 * @text: of which an allocation may have failed
 *
 * Return: 0 or -errno with a text that names the file.
 */
int report_write(const char *option, const char *path, const struct buf *text, struct err *err);

#endif
