/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a run's steps. */
#include "engine/base/cleanup.h"
#include "tools/step_line.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#define _cleanup_plan_ _cleanup_(plan_done)

static void add_shell(struct plan *plan, const char *command) {
    const char *argv[] = {command, NULL};

    cr_assert_eq(plan_add_action(plan, ACTION_SHELL, argv, NULL, NULL), 0);
}

static void expect_line(const struct plan *plan, const struct action_result *result,
                        struct step_line_style style, const char *expected) {
    _cleanup_buf_ struct buf line = BUF_INIT;

    step_line_format(&line, plan, result, &style);
    cr_expect_str_eq(line.data, expected);
}

/* --- parts -------------------------------------------------------------------- */

Test(step_line, duration) {
    static const struct {
        uint64_t nsec;
        const char *text;
    } cases[] = {
        {0, "0.000 s"},
        {999999, "0.000 s"},
        {UINT64_C(4200000), "0.004 s"},
        {UINT64_C(1204) * NSEC_PER_MSEC, "1.204 s"},
        {UINT64_C(59999) * NSEC_PER_MSEC, "59.999 s"},
        {60 * NSEC_PER_SEC, "1 min 00.0 s"},
        {UINT64_C(123550) * NSEC_PER_MSEC, "2 min 03.5 s"},
        {3600 * NSEC_PER_SEC, "1 h 00 min 00 s"},
        {UINT64_C(100000) * NSEC_PER_SEC, "27 h 46 min 40 s"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_buf_ struct buf text = BUF_INIT;

        step_line_duration(&text, cases[i].nsec);
        cr_expect_str_eq(text.data, cases[i].text);
    }
}

Test(step_line, outcome) {
    static const struct {
        enum outcome outcome;
        int status;
        const char *text;
    } cases[] = {
        {OUTCOME_OK, 0, "ok"},
        {OUTCOME_FAILED, 1, "exit 1"},
        {OUTCOME_FAILED, 37, "exit 37"},
        {OUTCOME_FAILED, 128, "exit 128"},
        {OUTCOME_FAILED, 128 + SIGSEGV, "killed by SIGSEGV"},
        {OUTCOME_FAILED, 128 + SIGKILL, "killed by SIGKILL"},
        {OUTCOME_FAILED, 128 + 33, "killed by signal 33"},
        {OUTCOME_FAILED, 255, "exit 255"},
        {OUTCOME_TIMEOUT, 124, "timed out"},
        {OUTCOME_INTERRUPTED, 130, "interrupted"},
        {OUTCOME_ERROR, 125, "error"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct action_result result = {.outcome = cases[i].outcome, .status = cases[i].status};
        _cleanup_buf_ struct buf text = BUF_INIT;

        step_line_outcome(&text, &result);
        cr_expect_str_eq(text.data, cases[i].text);
    }
}

/* --- whole lines -------------------------------------------------------------- */

Test(step_line, in_a_pipe) {
    _cleanup_plan_ struct plan plan;
    const char *exec[] = {"ls", "a b", NULL};
    struct action_result result = {.elapsed_nsec = UINT64_C(1204) * NSEC_PER_MSEC};

    plan_init(&plan);
    add_shell(&plan, "make check");
    cr_assert_eq(plan_add_action(&plan, ACTION_EXEC, exec, NULL, NULL), 0);
    cr_assert_eq(plan_add_action(&plan, ACTION_DOWNLOAD, NULL, "out:/x", NULL), 0);
    expect_line(&plan, &result, (struct step_line_style){0},
                "mayfly: [1/3] -S make check  ok  1.204 s\n");
    result = (struct action_result){.index = 1, .outcome = OUTCOME_FAILED, .status = 2};
    expect_line(&plan, &result, (struct step_line_style){0},
                "mayfly: [2/3] -X ls 'a b'  exit 2  0.000 s\n");
    result = (struct action_result){.index = 2};
    expect_line(&plan, &result, (struct step_line_style){0},
                "mayfly: [3/3] -D out:/x  ok  0.000 s\n");
}

Test(step_line, never_more_than_one_line) {
    _cleanup_plan_ struct plan plan;

    plan_init(&plan);
    add_shell(&plan, "\n  set -e\n\tmake\r\n   make  check \n");
    add_shell(&plan, "echo \033[31mred\033[0m \a\x7f \xc2\x9b"
                     "2J \xff");
    expect_line(&plan, &(struct action_result){0}, (struct step_line_style){0},
                "mayfly: [1/2] -S set -e make make check  ok  0.000 s\n");
    expect_line(&plan, &(struct action_result){.index = 1}, (struct step_line_style){0},
                "mayfly: [2/2] -S echo ?[31mred?[0m ?? ?2J ?  ok  0.000 s\n");
}

Test(step_line, long_commands_are_cut) {
    _cleanup_plan_ struct plan plan;
    _cleanup_buf_ struct buf line = BUF_INIT;

    plan_init(&plan);
    add_shell(&plan, "12345678901234567890123456789012345678901234567890"
                     "1234567890123456789");
    add_shell(&plan, "12345678901234567890123456789012345678901234567890"
                     "12345678901234567890");
    expect_line(&plan, &(struct action_result){0}, (struct step_line_style){0},
                "mayfly: [1/2] -S 12345678901234567890123456789012345678901234567890"
                "1234567890123456789  ok  0.000 s\n");
    expect_line(&plan, &(struct action_result){.index = 1}, (struct step_line_style){0},
                "mayfly: [2/2] -S 12345678901234567890123456789012345678901234567890"
                "1234567890123456...  ok  0.000 s\n");
    step_line_format(&line, &plan, &(struct action_result){0},
                     &(struct step_line_style){.columns = 60});
    cr_expect_eq(line.size, 61, "a terminal's line is filled: %zu", line.size);
}

Test(step_line, stays_readable_on_a_terminal_that_is_too_narrow) {
    _cleanup_plan_ struct plan plan;

    plan_init(&plan);
    add_shell(&plan, "make all check install");
    expect_line(&plan, &(struct action_result){0}, (struct step_line_style){.columns = 5},
                "mayfly: [1/1] -S make...  ok  0.000 s\n");
}

Test(step_line, outcomes_are_aligned_on_a_terminal) {
    _cleanup_plan_ struct plan plan;
    struct step_line_style style = {.columns = 80};

    plan_init(&plan);
    add_shell(&plan, "pwd");
    add_shell(&plan, "make check");
    cr_assert_eq(plan_add_action(&plan, ACTION_WORKDIR, NULL, "/a/long/directory", NULL), 0);
    expect_line(&plan, &(struct action_result){0}, style,
                "mayfly: [1/3] -S pwd         ok  0.000 s\n");
    expect_line(&plan, &(struct action_result){.index = 1}, style,
                "mayfly: [2/3] -S make check  ok  0.000 s\n");
    /* What looks wide is counted wide: two columns each. */
    add_shell(&plan, "\xe6\xb0\xb4\xe6\xb0\xb4");
    expect_line(&plan, &(struct action_result){.index = 3}, style,
                "mayfly: [4/4] -S \xe6\xb0\xb4\xe6\xb0\xb4        ok  0.000 s\n");
}

Test(step_line, colors) {
    _cleanup_plan_ struct plan plan;
    struct step_line_style style = {.color = true};

    plan_init(&plan);
    add_shell(&plan, "x");
    expect_line(&plan, &(struct action_result){0}, style,
                "mayfly: \033[2m[1/1] \033[0m-S x  \033[32mok\033[0m  \033[2m0.000 s\033[0m\n");
    expect_line(&plan, &(struct action_result){.outcome = OUTCOME_TIMEOUT}, style,
                "mayfly: \033[2m[1/1] \033[0m-S x  \033[31mtimed out\033[0m  "
                "\033[2m0.000 s\033[0m\n");
}

Test(step_line, started) {
    _cleanup_plan_ struct plan plan;
    _cleanup_buf_ struct buf line = BUF_INIT;

    plan_init(&plan);
    add_shell(&plan, "x\ny");
    step_line_started(&line, &plan, 0);
    cr_expect_str_eq(line.data, "[1/1] -S x y begins");
}
