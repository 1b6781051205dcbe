/* SPDX-License-Identifier: Apache-2.0 */
/* A matrix as JSON: its runs' objects in a list, and over them what a script asks first. */
#include "matrix_json.h"

static enum outcome outcome_of(const struct matrix *matrix) {
    if (matrix->interrupted)
        return OUTCOME_INTERRUPTED;
    for (size_t i = 0; i < matrix->n_runs; i++)
        if (matrix->runs[i].result.exit_status != 0)
            return matrix->runs[i].result.outcome;
    return OUTCOME_OK;
}

void matrix_to_json(const struct matrix *matrix, struct json_writer *json) {
    uint64_t started_nsec = 0, ended_nsec = 0;

    for (size_t i = 0; i < matrix->n_runs; i++) {
        const struct result *result = &matrix->runs[i].result;
        uint64_t end_nsec = result->started_nsec + result->elapsed_nsec;

        if (result->started_nsec && (!started_nsec || result->started_nsec < started_nsec))
            started_nsec = result->started_nsec;
        if (end_nsec > ended_nsec)
            ended_nsec = end_nsec;
    }
    json_writer_open_object(json);
    json_writer_key(json, "version");
    json_writer_i64(json, 1);
    json_writer_key(json, "outcome");
    json_writer_string(json, outcome_name(outcome_of(matrix)));
    json_writer_key(json, "exit_status");
    json_writer_i64(json, matrix_exit_status(matrix));
    json_writer_key(json, "started");
    result_put_moment(json, started_nsec);
    json_writer_key(json, "elapsed_seconds");
    json_writer_seconds(json, ended_nsec - started_nsec);
    json_writer_key(json, "runs");
    json_writer_open_array(json);
    for (size_t i = 0; i < matrix->n_runs; i++)
        result_to_json(&matrix->runs[i].result, &matrix->runs[i].plan, json);
    json_writer_close_array(json);
    json_writer_close_object(json);
}
