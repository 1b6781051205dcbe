/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_MATRIX_OUTPUT_H
#define MAYFLY_MATRIX_OUTPUT_H

#include "console.h"
#include "engine/base/err.h"
#include "engine/matrix/matrix.h"

#include <stdbool.h>
#include <stddef.h>

enum output_mode {
    OUTPUT_AUTO,   /* OUTPUT_LIVE when one image runs at a time, else OUTPUT_BLOCK */
    OUTPUT_LIVE,   /* as it comes */
    OUTPUT_BLOCK,  /* each image's in one piece, when its run has ended */
    OUTPUT_PREFIX, /* each line as it comes, behind the image's name */
};

/** matrix_output_parse_mode() - "live", "block" or "prefix".  Return: 0 or -EINVAL with a text. */
int matrix_output_parse_mode(const char *text, enum output_mode *ret_mode, struct err *err);

/** struct matrix_output - where the output of a matrix's runs, and messages about them, go */
struct matrix_output {
    enum output_mode mode;
    const struct matrix *matrix;
    struct console out, messages;

    /* private */
    struct output_run *runs;
    bool is_broken[2]; /* nobody reads standard output, error any more */
};

/**
 * matrix_output_init() - make ready for the runs of @matrix, which is borrowed
 * @mode: not OUTPUT_AUTO
 *
 * Return: 0 or -errno with a text; matrix_output_done() is due either way.
 */
int matrix_output_init(struct matrix_output *output, const struct matrix *matrix,
                       enum output_mode mode, enum color_when color, enum verbosity verbosity,
                       struct err *err);

void matrix_output_done(struct matrix_output *output);

/** matrix_output_console() - for messages about a run, which keep their place in its output. */
struct console *matrix_output_console(struct matrix_output *output, size_t run);

/**
 * matrix_output_put() - bytes that a run has written
 * @stream: 1 or 2
 *
 * Return: whether more is wanted.
 */
bool matrix_output_put(struct matrix_output *output, size_t run, int stream, const char *data,
                       size_t size);

/**
 * matrix_output_mark() - a step has ended: matrix_output_tail() is to know what comes from here on
 *
 * The first step may be at work, and be heard, before it is said to have begun.
 */
void matrix_output_mark(struct matrix_output *output, size_t run);

/** matrix_output_tail() - the last whole lines, at most 8 KiB, since the mark; to free(3), or NULL.
 */
char *matrix_output_tail(const struct matrix_output *output, size_t run);

/** matrix_output_end() - the run has ended: show what has been kept of it. */
void matrix_output_end(struct matrix_output *output, size_t run);

#endif
