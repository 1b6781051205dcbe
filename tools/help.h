/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_HELP_H
#define MAYFLY_HELP_H

#include "engine/base/buf.h"
#include "options.h"

#include <stdbool.h>
#include <stddef.h>

/** help_options() - append a table's options by group, aligned, in 80 columns. */
void help_options(struct buf *buf, const struct option_spec *specs, size_t n_specs, bool color);

/** help_full() - append what --help shows. */
void help_full(struct buf *buf, bool color);

/** help_usage() - append the few lines for someone who gave no words at all. */
void help_usage(struct buf *buf);

/** help_doctor() - append what "mayfly doctor --help" shows. */
void help_doctor(struct buf *buf, const struct option_spec *specs, size_t n_specs, bool color);

/** help_command_text() - append how a command is called and what it does. */
void help_command_text(struct buf *buf, const char *name, const char *words, const char *about);

/** help_version() - append the program's name and version. */
void help_version(struct buf *buf);

#endif
