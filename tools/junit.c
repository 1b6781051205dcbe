/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JUnit's XML.  There is no standard, only what readers agree on: testsuites >
 * testsuite > testcase > failure | error | skipped, counts and times as attributes
 * of the suites.  A case's name has to be the same each time, since readers
 * compare runs by it: the action's place and words.
 */
#include "junit.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "step_line.h"
#include "text.h"

#include <inttypes.h>
#include <time.h>

#define REPLACEMENT "\xef\xbf\xbd"
#define NAME_COLUMNS 200

/* What follows a control sequence that begins at @p (ECMA-48, section 5.4), or @p. */
static const char *skip_sequence(const char *p) {
    const char *end;

    if (p[0] != 0x1b || p[1] != '[')
        return p;
    end = p + 2;
    while (*end >= 0x20 && *end <= 0x3f)
        end++;
    return *end >= 0x40 && *end <= 0x7e ? end + 1 : p;
}

static bool is_xml(uint32_t code) {
    return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code <= 0xd7ff) ||
           (code >= 0xe000 && code <= 0xfffd) || code >= 0x10000;
}

/* As an attribute's value or as an element's text; a carriage return would be read as a new line.
 */
static void put_escaped(struct buf *buf, const char *text) {
    uint32_t code = 0;

    for (size_t n; *text; text += n) {
        const char *after = skip_sequence(text);

        n = (size_t)(after - text);
        if (n > 0)
            continue;
        n = text_decode(text, &code);
        if (n == 0 || !is_xml(code)) {
            buf_puts(buf, REPLACEMENT);
            n = n ? n : 1;
        } else if (code == '&') {
            buf_puts(buf, "&amp;");
        } else if (code == '<') {
            buf_puts(buf, "&lt;");
        } else if (code == '>') {
            buf_puts(buf, "&gt;");
        } else if (code == '"') {
            buf_puts(buf, "&quot;");
        } else if (code == '\n' || code == '\t' || code == '\r') {
            buf_printf(buf, "&#%u;", code);
        } else {
            buf_append(buf, text, n);
        }
    }
}

static void put_seconds(struct buf *buf, uint64_t nsec) {
    buf_printf(buf, "%" PRIu64 ".%03" PRIu64, nsec / NSEC_PER_SEC,
               nsec % NSEC_PER_SEC / NSEC_PER_MSEC);
}

/** struct counts - a suite's figures */
struct counts {
    size_t tests, failures, errors, skipped;
    uint64_t elapsed_nsec;
};

/* Whether the run has an error that is none of an action's. */
static bool has_own_error(const struct matrix_run *run) {
    const struct result *result = &run->result;

    return result->exit_status != 0 &&
           (result->n_actions == 0 || result->actions[result->n_actions - 1].outcome == OUTCOME_OK);
}

static const struct action_result *find_action(const struct matrix_run *run, size_t index) {
    for (size_t i = 0; i < run->result.n_actions; i++)
        if (run->result.actions[i].index == index)
            return &run->result.actions[i];
    return NULL;
}

static bool is_failure(enum outcome outcome) {
    return outcome == OUTCOME_FAILED || outcome == OUTCOME_TIMEOUT;
}

static void count(struct counts *counts, const struct matrix_run *run) {
    for (size_t i = 0; i < run->plan.n_actions; i++) {
        const struct action_result *action = find_action(run, i);

        if (run->plan.actions[i].kind == ACTION_WORKDIR &&
            (!action || action->outcome == OUTCOME_OK))
            continue;
        counts->tests++;
        counts->skipped += !action;
        counts->failures += action && is_failure(action->outcome);
        counts->errors += action && action->outcome != OUTCOME_OK && !is_failure(action->outcome);
    }
    if (has_own_error(run)) {
        counts->tests++;
        counts->errors++;
    }
    counts->elapsed_nsec += run->result.elapsed_nsec;
}

static void put_counts(struct buf *buf, const struct counts *counts) {
    buf_printf(buf, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"",
               counts->tests, counts->failures, counts->errors, counts->skipped);
    put_seconds(buf, counts->elapsed_nsec);
    buf_puts(buf, "\"");
}

static void open_case(struct buf *buf, const struct matrix_run *run, const char *name,
                      uint64_t elapsed_nsec) {
    buf_puts(buf, "    <testcase name=\"");
    put_escaped(buf, name);
    buf_puts(buf, "\" classname=\"");
    put_escaped(buf, run->plan.image);
    buf_puts(buf, "\" time=\"");
    put_seconds(buf, elapsed_nsec);
    buf_puts(buf, "\"");
}

/* The case's only child, and its end. */
static void close_case(struct buf *buf, const char *element, const char *type, const char *message,
                       const char *text) {
    buf_printf(buf, ">\n      <%s type=\"%s\" message=\"", element, type);
    put_escaped(buf, message);
    buf_puts(buf, "\">");
    put_escaped(buf, text);
    buf_printf(buf, "</%s>\n    </testcase>\n", element);
}

static void put_action(struct buf *buf, const struct matrix_run *run, size_t index,
                       const char *tail) {
    const struct action_result *action = find_action(run, index);
    const char *message = run->result.error.message;
    _cleanup_buf_ struct buf name = BUF_INIT, outcome = BUF_INIT;

    buf_printf(&name, "[%zu/%zu] ", index + 1, run->plan.n_actions);
    step_line_action(&name, &run->plan.actions[index], NAME_COLUMNS);
    if (action)
        step_line_outcome(&outcome, action);
    if (buf_failed(&name) || buf_failed(&outcome)) {
        buf->failed = 1;
        return;
    }
    open_case(buf, run, name.data, action ? action->elapsed_nsec : 0);
    if (!action)
        buf_puts(buf, "><skipped/></testcase>\n");
    else if (action->outcome == OUTCOME_OK)
        buf_puts(buf, "/>\n");
    else
        close_case(buf, is_failure(action->outcome) ? "failure" : "error",
                   outcome_name(action->outcome),
                   action->outcome == OUTCOME_ERROR && *message ? message : outcome.data,
                   tail ? tail : "");
}

static void put_moment(struct buf *buf, uint64_t nsec) {
    time_t seconds = (time_t)(nsec / NSEC_PER_SEC);
    char date[32];
    struct tm tm;

    if (nsec > 0 && gmtime_r(&seconds, &tm) &&
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) > 0)
        buf_printf(buf, " timestamp=\"%s\"", date);
}

static void put_suite(struct buf *buf, const struct matrix_run *run, const char *tail) {
    const char *message = run->result.error.message;
    struct counts counts = {0};

    count(&counts, run);
    buf_puts(buf, "  <testsuite name=\"");
    put_escaped(buf, run->plan.image);
    buf_puts(buf, "\"");
    put_counts(buf, &counts);
    put_moment(buf, run->result.started_nsec);
    buf_puts(buf, ">\n");
    if (has_own_error(run)) {
        open_case(buf, run, "container", run->result.elapsed_nsec);
        close_case(buf, "error", outcome_name(run->result.outcome),
                   *message ? message : outcome_name(run->result.outcome), "");
    }
    for (size_t i = 0; i < run->plan.n_actions; i++) {
        const struct action_result *action = find_action(run, i);

        if (run->plan.actions[i].kind != ACTION_WORKDIR ||
            (action && action->outcome != OUTCOME_OK))
            put_action(buf, run, i, tail);
    }
    buf_puts(buf, "  </testsuite>\n");
}

void junit_format(struct buf *buf, const struct matrix *matrix, char *const *tails) {
    struct counts counts = {0};

    for (size_t i = 0; i < matrix->n_runs; i++)
        count(&counts, &matrix->runs[i]);
    buf_puts(buf, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mayfly\"");
    put_counts(buf, &counts);
    buf_puts(buf, ">\n");
    for (size_t i = 0; i < matrix->n_runs; i++)
        put_suite(buf, &matrix->runs[i], tails[i]);
    buf_puts(buf, "</testsuites>\n");
}
