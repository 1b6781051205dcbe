/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_MATRIX_TABLE_H
#define MAYFLY_MATRIX_TABLE_H

#include "engine/base/buf.h"
#include "engine/matrix/matrix.h"
#include "step_line.h"

/** matrix_table_name() - what a run's image is called where there is little room: the reference,
 * or if one of the matrix's is long, the label; borrowed. */
const char *matrix_table_name(const struct matrix *matrix, size_t run);

/**
 * matrix_table_format() - append a table of images and steps, how each went and how long it took
 *
 * A line for each image, a column for each action that is more than a change of directory, and one
 * for the whole run.  Headings are the actions' words; where the terminal has no room for them,
 * their numbers, and at last the times are left out.
 */
void matrix_table_format(struct buf *buf, const struct matrix *matrix,
                         const struct step_line_style *style);

#endif
