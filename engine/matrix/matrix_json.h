/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_MATRIX_JSON_H
#define MAYFLY_MATRIX_JSON_H

#include "engine/base/json_writer.h"
#include "matrix.h"

/**
 * matrix_to_json() - write how all runs went
 *
 * One object: version (1), outcome (of the first run that failed, else ok), exit_status, started
 * (of the first), elapsed_seconds (from there to the last one's end) and runs, a list of objects as
 * result_to_json() writes them, in the order of the images; a run that was not begun is "skipped".
 */
void matrix_to_json(const struct matrix *matrix, struct json_writer *json);

#endif
