/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several runs write, so that a person can tell it apart.
 *
 * In blocks: all of a run is kept in a file without a name, as records of a
 * stream's number, a length and bytes, messages of ours among them, and copied
 * out in one go.  The order between the two streams is that in which their bytes
 * were read, exact from one step to the next.
 *
 * With prefixes: lines leave as soon as they are whole; what is left without an
 * end of line when the run ends, or when a message has to come, gets one.
 */
#include "matrix_output.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "matrix_table.h"
#include "text.h"

#define CHUNK_BYTES (32 * 1024)
/* A line longer than this is cut. */
#define LINE_BYTES_MAX (64 * 1024)
#define TAIL_BYTES (8 * 1024)

/** struct output_run - one run's part of it */
struct output_run {
    struct console console;
    struct matrix_output *output;
    int spool_fd;
    struct buf lines[2]; /* the beginning of a line, without its prefix */
    struct buf tail;
};

/** struct record - the head of what a spool holds */
struct record {
    int stream;
    size_t size;
};

int matrix_output_parse_mode(const char *text, enum output_mode *ret_mode, struct err *err) {
    if (str_eq(text, "live"))
        *ret_mode = OUTPUT_LIVE;
    else if (str_eq(text, "block"))
        *ret_mode = OUTPUT_BLOCK;
    else if (str_eq(text, "prefix"))
        *ret_mode = OUTPUT_PREFIX;
    else
        return err_set(err, -EINVAL, "--output '%s' is not one of live, block, prefix", text);
    return 0;
}

static size_t index_of(const struct output_run *run) {
    return (size_t)(run - run->output->runs);
}

static void write_out(struct matrix_output *output, int stream, const char *data, size_t size) {
    int fd = stream == 1 ? output->out.fd : output->messages.fd;

    if (!output->is_broken[stream - 1] && fd_write_all(fd, data, size) < 0)
        output->is_broken[stream - 1] = true;
}

/* --- prefixes --------------------------------------------------------------- */

static void put_prefix(struct buf *buf, const struct matrix_output *output, size_t run,
                       int stream) {
    /* Those that are neither our good, bad and warning nor hard to read on either background. */
    static const char *const colors[] = {"\033[36m", "\033[35m", "\033[34m",
                                         "\033[96m", "\033[95m", "\033[94m"};
    bool color = stream == 1 ? output->out.color : output->messages.color;
    size_t width = 0, own = 0;

    for (size_t i = 0; i < output->matrix->n_runs; i++) {
        _cleanup_buf_ struct buf name = BUF_INIT;
        size_t columns = text_append_line(&name, matrix_table_name(output->matrix, i), SIZE_MAX);

        if (columns > width)
            width = columns;
        if (i == run)
            own = columns;
    }
    buf_puts(buf, color ? colors[run % N_ELEMENTS(colors)] : "");
    text_append_line(buf, matrix_table_name(output->matrix, run), SIZE_MAX);
    buf_printf(buf, "%*s |", (int)(width - own), "");
    console_style(buf, color, STYLE_PLAIN);
    buf_puts(buf, " ");
}

/* Writes the line that has been collected, with @size bytes more and an end. */
static void put_line(struct output_run *run, int stream, const char *data, size_t size) {
    struct buf *line = &run->lines[stream - 1];
    _cleanup_buf_ struct buf text = BUF_INIT;

    put_prefix(&text, run->output, index_of(run), stream);
    if (line->size > 0)
        buf_append(&text, line->data, line->size);
    buf_append(&text, data, size);
    buf_puts(&text, "\n");
    line->size = 0;
    if (!buf_failed(&text))
        write_out(run->output, stream, text.data, text.size);
}

static void put_lines(struct output_run *run, int stream, const char *data, size_t size) {
    struct buf *line = &run->lines[stream - 1];
    const char *end;

    for (; size > 0 && (end = memchr(data, '\n', size)); data = end + 1) {
        put_line(run, stream, data, (size_t)(end - data));
        size -= (size_t)(end - data) + 1;
    }
    buf_append(line, data, size);
    if (line->size > LINE_BYTES_MAX)
        put_line(run, stream, "", 0);
}

static void finish_lines(struct output_run *run) {
    for (int stream = 1; stream <= 2; stream++)
        if (run->lines[stream - 1].size > 0)
            put_line(run, stream, "", 0);
}

/* --- blocks ----------------------------------------------------------------- */

static void keep(struct output_run *run, int stream, const char *data, size_t size) {
    struct record record = {.stream = stream, .size = size};

    /* Where nothing can be kept, better early and out of order than never. */
    if (fd_write_all(run->spool_fd, &record, sizeof record) < 0 ||
        fd_write_all(run->spool_fd, data, size) < 0)
        write_out(run->output, stream, data, size);
}

static void show_kept(struct output_run *run) {
    char bytes[CHUNK_BYTES];
    struct record record;

    if (lseek(run->spool_fd, 0, SEEK_SET) < 0)
        return;
    while (read(run->spool_fd, &record, sizeof record) == (ssize_t)sizeof record) {
        while (record.size > 0) {
            ssize_t n =
                read(run->spool_fd, bytes, record.size < sizeof bytes ? record.size : sizeof bytes);

            if (n <= 0)
                return;
            write_out(run->output, record.stream, bytes, (size_t)n);
            record.size -= (size_t)n;
        }
    }
}

/* --- all of it -------------------------------------------------------------- */

/* A message about a run. */
static int divert(void *context, const struct buf *text) {
    struct output_run *run = context;

    if (run->output->mode == OUTPUT_BLOCK) {
        keep(run, 2, text->data, text->size);
        return 0;
    }
    if (run->output->mode == OUTPUT_LIVE)
        return console_write(&run->output->messages, text);
    finish_lines(run);
    put_lines(run, 2, text->data, text->size);
    return 0;
}

int matrix_output_init(struct matrix_output *output, const struct matrix *matrix,
                       enum output_mode mode, enum color_when color, enum verbosity verbosity,
                       struct err *err) {
    *output = (struct matrix_output){
        .mode = mode, .matrix = matrix, .runs = calloc(matrix->n_runs + 1, sizeof *output->runs)};
    console_init(&output->out, STDOUT_FILENO, color, verbosity);
    console_init(&output->messages, STDERR_FILENO, color, verbosity);
    if (!output->runs)
        return err_nomem(err);
    for (size_t i = 0; i < matrix->n_runs; i++)
        output->runs[i].spool_fd = -1;
    for (size_t i = 0; i < matrix->n_runs; i++) {
        struct output_run *run = &output->runs[i];

        run->output = output;
        run->console = output->messages;
        run->console.divert = divert;
        run->console.context = run;
        /* Behind a prefix nothing is aligned to the terminal's width. */
        if (mode == OUTPUT_PREFIX)
            run->console.columns = 0;
        if (mode == OUTPUT_BLOCK) {
            run->spool_fd = fd_open_nameless("output");
            if (run->spool_fd < 0)
                return err_set(err, run->spool_fd, "cannot keep an image's output: %s",
                               strerror(-run->spool_fd));
        }
    }
    return 0;
}

void matrix_output_done(struct matrix_output *output) {
    for (size_t i = 0; output->runs && i < output->matrix->n_runs; i++) {
        struct output_run *run = &output->runs[i];

        if (run->spool_fd >= 0)
            close(run->spool_fd);
        buf_done(&run->lines[0]);
        buf_done(&run->lines[1]);
        buf_done(&run->tail);
    }
    free(output->runs);
    output->runs = NULL;
}

struct console *matrix_output_console(struct matrix_output *output, size_t run) {
    return &output->runs[run].console;
}

static void add_to_tail(struct buf *tail, const char *data, size_t size) {
    size_t over;

    if (size > TAIL_BYTES) {
        data += size - TAIL_BYTES;
        size = TAIL_BYTES;
    }
    over = tail->size + size > TAIL_BYTES ? tail->size + size - TAIL_BYTES : 0;
    if (over > 0 && tail->data) {
        memmove(tail->data, tail->data + over, tail->size - over);
        tail->size -= over;
    }
    buf_append(tail, data, size);
}

bool matrix_output_put(struct matrix_output *output, size_t run, int stream, const char *data,
                       size_t size) {
    struct output_run *r = &output->runs[run];

    add_to_tail(&r->tail, data, size);
    switch (output->mode) {
    case OUTPUT_BLOCK:
        keep(r, stream, data, size);
        break;
    case OUTPUT_PREFIX:
        put_lines(r, stream, data, size);
        break;
    default:
        write_out(output, stream, data, size);
    }
    return !output->is_broken[stream - 1];
}

void matrix_output_mark(struct matrix_output *output, size_t run) {
    output->runs[run].tail.size = 0;
}

char *matrix_output_tail(const struct matrix_output *output, size_t run) {
    const struct buf *tail = &output->runs[run].tail;
    const char *start = tail->data, *line;

    if (tail->size == 0)
        return NULL;
    line = tail->size < TAIL_BYTES ? NULL : memchr(start, '\n', tail->size);
    if (line && line + 1 < start + tail->size)
        start = line + 1;
    return strndup(start, tail->size - (size_t)(start - tail->data));
}

void matrix_output_end(struct matrix_output *output, size_t run) {
    struct output_run *r = &output->runs[run];

    if (output->mode == OUTPUT_PREFIX)
        finish_lines(r);
    if (output->mode == OUTPUT_BLOCK)
        show_kept(r);
    if (r->spool_fd >= 0)
        close(take_fd(r->spool_fd));
}
