/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_ROWS_H
#define MAYFLY_ROWS_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "value.h"

#include <stdbool.h>
#include <stddef.h>

/** struct rows_column - a column of a list: its heading, and the key of what stands in it */
struct rows_column {
    const char *heading;
    const char *key;
};

/**
 * rows_table() - append objects as a table
 * @rows: a list of objects whose values of the columns' keys are texts or numbers
 * @has_heading: with the headings above it
 */
void rows_table(struct buf *buf, const struct rows_column *columns, size_t n_columns,
                const struct value *rows, bool has_heading);

/** rows_json() - append a value as JSON, and the end of the line. */
void rows_json(struct buf *buf, const struct value *value);

/**
 * rows_check_format() - whether a format is json, table, or has something of a template
 *
 * Return: 0 or -EINVAL with a text.
 */
int rows_check_format(const char *format, struct err *err);

/**
 * rows_format() - append each object of a list as 'ps --format' and its kin have it
 * @format: "json": the list as JSON; or a template for each object (template.h); behind "table "
 *          with headings above it and tabs as columns
 * @columns: of which the headings are; other keys are headings themselves, in capitals
 *
 * Return: 0 or -EINVAL with a text.
 */
int rows_format(struct buf *buf, const char *format, const struct rows_column *columns,
                size_t n_columns, const struct value *rows, struct err *err);

#endif
