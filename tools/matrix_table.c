/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closing table of a matrix.  It is laid out with less and less in it until
 * it fits the terminal: words as headings, numbers as headings, no times.  What
 * is still too wide then is left to the terminal.
 */
#include "matrix_table.h"

#include "console.h"
#include "engine/base/cleanup.h"
#include "text.h"

#define GAP "  "
#define NAME_COLUMNS 32
#define HEADING_COLUMNS 24

enum detail {
    DETAIL_WORDS,
    DETAIL_NUMBERS,
    DETAIL_OUTCOMES,
};

/** struct cell - a text of known width */
struct cell {
    struct buf text;
    size_t columns;
    enum style style;
};

/** struct table - cells row by row, the headings being the first row */
struct table {
    struct cell *cells;
    size_t *widths;
    size_t n_rows;
    size_t n_columns;
};

const char *matrix_table_name(const struct matrix *matrix, size_t run) {
    for (size_t i = 0; i < matrix->n_runs; i++) {
        _cleanup_buf_ struct buf ignored = BUF_INIT;

        if (text_append_line(&ignored, matrix->runs[i].plan.image, SIZE_MAX) > NAME_COLUMNS)
            return matrix->runs[run].label;
    }
    return matrix->runs[run].plan.image;
}

static void table_done(struct table *table) {
    for (size_t i = 0; table->cells && i < table->n_rows * table->n_columns; i++)
        buf_done(&table->cells[i].text);
    free(table->cells);
    free(table->widths);
}

static int table_init(struct table *table, size_t n_rows, size_t n_columns) {
    *table = (struct table){
        .cells = calloc(n_rows * n_columns, sizeof *table->cells),
        .widths = calloc(n_columns, sizeof *table->widths),
        .n_rows = n_rows,
        .n_columns = n_columns,
    };
    return table->cells && table->widths ? 0 : -ENOMEM;
}

static struct cell *cell_at(const struct table *table, size_t row, size_t column) {
    return &table->cells[row * table->n_columns + column];
}

/* Notes the width of a cell that has its text. */
static void settle(struct table *table, size_t row, size_t column, size_t columns,
                   enum style style) {
    struct cell *cell = cell_at(table, row, column);

    cell->columns = columns;
    cell->style = style;
    if (columns > table->widths[column])
        table->widths[column] = columns;
}

static void put_result(struct table *table, size_t row, size_t column,
                       const struct action_result *action, enum detail detail) {
    struct buf *text = &cell_at(table, row, column)->text;

    step_line_outcome(text, action);
    if (detail != DETAIL_OUTCOMES && action->outcome != OUTCOME_SKIPPED) {
        buf_puts(text, " ");
        step_line_duration(text, action->elapsed_nsec);
    }
    settle(table, row, column, text->size,
           action->outcome == OUTCOME_OK        ? STYLE_GOOD
           : action->outcome == OUTCOME_SKIPPED ? STYLE_DIM
                                                : STYLE_BAD);
}

static const struct action_result *find_action(const struct result *result, size_t index) {
    for (size_t i = 0; i < result->n_actions; i++)
        if (result->actions[i].index == index)
            return &result->actions[i];
    return NULL;
}

static void put_row(struct table *table, const struct matrix *matrix, size_t run,
                    enum detail detail) {
    const struct result *result = &matrix->runs[run].result;
    const struct plan *plan = matrix->plan;
    size_t row = run + 1, column = 1;

    settle(
        table, row, 0,
        text_append_line(&cell_at(table, row, 0)->text, matrix_table_name(matrix, run), SIZE_MAX),
        STYLE_PLAIN);
    for (size_t i = 0; i < plan->n_actions; i++) {
        const struct action_result *action = find_action(result, i);

        if (plan->actions[i].kind == ACTION_WORKDIR)
            continue;
        if (action) {
            put_result(table, row, column, action, detail);
        } else {
            buf_puts(&cell_at(table, row, column)->text, "-");
            settle(table, row, column, 1, STYLE_DIM);
        }
        column++;
    }
    put_result(table, row, column,
               &(struct action_result){.outcome = result->outcome,
                                       .status = result->exit_status,
                                       .elapsed_nsec = result->elapsed_nsec},
               detail);
}

static void put_headings(struct table *table, const struct plan *plan, enum detail detail) {
    size_t column = 0;

    buf_puts(&cell_at(table, 0, column)->text, "IMAGE");
    settle(table, 0, column++, strlen("IMAGE"), STYLE_BOLD);
    for (size_t i = 0; i < plan->n_actions; i++) {
        struct buf *text = &cell_at(table, 0, column)->text;

        if (plan->actions[i].kind == ACTION_WORKDIR)
            continue;
        if (detail != DETAIL_WORDS)
            buf_printf(text, "[%zu]", i + 1);
        settle(table, 0, column++,
               detail == DETAIL_WORDS ? step_line_action(text, &plan->actions[i], HEADING_COLUMNS)
                                      : text->size,
               STYLE_BOLD);
    }
    buf_puts(&cell_at(table, 0, column)->text, "RUN");
    settle(table, 0, column, strlen("RUN"), STYLE_BOLD);
}

static int fill(struct table *table, const struct matrix *matrix, enum detail detail) {
    size_t n_columns = 2;

    for (size_t i = 0; i < matrix->plan->n_actions; i++)
        n_columns += matrix->plan->actions[i].kind != ACTION_WORKDIR;
    if (table_init(table, matrix->n_runs + 1, n_columns) < 0)
        return -ENOMEM;
    put_headings(table, matrix->plan, detail);
    for (size_t i = 0; i < matrix->n_runs; i++)
        put_row(table, matrix, i, detail);
    return 0;
}

static size_t width_of(const struct table *table) {
    size_t width = (table->n_columns - 1) * strlen(GAP);

    for (size_t i = 0; i < table->n_columns; i++)
        width += table->widths[i];
    return width;
}

static void print(struct buf *buf, const struct table *table, bool color) {
    for (size_t row = 0; row < table->n_rows; row++)
        for (size_t column = 0; column < table->n_columns; column++) {
            const struct cell *cell = cell_at(table, row, column);
            size_t padding = table->widths[column] - cell->columns;

            buf->failed |= cell->text.failed;
            console_styled(buf, color, cell->style, cell->text.data ? cell->text.data : "");
            if (column + 1 < table->n_columns)
                buf_printf(buf, "%*s" GAP, (int)padding, "");
            else
                buf_puts(buf, "\n");
        }
}

void matrix_table_format(struct buf *buf, const struct matrix *matrix,
                         const struct step_line_style *style) {
    for (enum detail detail = DETAIL_WORDS; detail <= DETAIL_OUTCOMES; detail++) {
        _cleanup_(table_done) struct table table = {0};

        if (fill(&table, matrix, detail) < 0) {
            buf->failed = 1;
            return;
        }
        if (style->columns > 0 && width_of(&table) > style->columns && detail != DETAIL_OUTCOMES)
            continue;
        print(buf, &table, style->color);
        return;
    }
}
