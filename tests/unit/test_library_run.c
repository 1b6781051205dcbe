/* SPDX-License-Identifier: Apache-2.0 */
/* libmayfly: whole runs, as the one-liner does them. */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "ground.h"
#include "tools/container_options.h"
#include "tools/create_options.h"
#include "tools/run_options.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void add(const struct ground *ground, const char *name, const char *word) {
    const char *const words[] = {word, NULL};
    struct mayfly_error error = {0};

    cr_assert_eq(mayfly_plan_action(ground->plan, name, words, &error), 0, "%s", error.message);
}

static void perform(const struct ground *ground, const struct mayfly_stream streams[3],
                    struct mayfly_report *report) {
    struct mayfly_error error = {0};

    cr_assert_eq(mayfly_perform(ground->plan, streams, report, &error), 0, "%s", error.message);
}

Test(library, a_run_does_its_actions_in_order) {
    static const char *const argv[] = {"/bin/cat", "made", NULL};
    const struct mayfly_stream streams[3] = {
        {.kind = MAYFLY_DATA, .data = "hello\n", .n_bytes = 6},
        {.kind = MAYFLY_DATA},
        {.kind = MAYFLY_DATA},
    };
    _cleanup_free_ char *text = NULL;
    char spec[400];
    struct ground ground;
    struct mayfly_report report;
    struct mayfly_error error = {0};

    ground_init(&ground);
    scratch_write(&ground.scratch, "in", "went in\n", 8);
    add(&ground, "workdir", "/work");
    add(&ground, "shellcmd", "tr a-z A-Z >made; echo said >&2");
    cr_assert_eq(mayfly_plan_action(ground.plan, "exec", argv, &error), 0, "%s", error.message);
    snprintf(spec, sizeof spec, "%s/in:came", ground.scratch.path);
    add(&ground, "upload", spec);
    add(&ground, "shellcmd", "cat came >>made; pwd");
    snprintf(spec, sizeof spec, "made:%s/out", ground.scratch.path);
    add(&ground, "download", spec);
    perform(&ground, streams, &report);
    cr_expect_eq(report.result.status, 0);
    cr_expect_eq(report.result.end, MAYFLY_EXITED);
    cr_expect_str_eq(report.result.output, "HELLO\n/work\n");
    cr_expect_str_eq(report.result.errors, "said\n");
    cr_assert_eq(report.n_actions, 6);
    cr_expect_eq(report.actions[5].index, 5);
    cr_expect_gt(report.result.elapsed_nsec, report.actions[1].elapsed_nsec);
    cr_assert_eq(fd_read_file(ground.scratch.fd, "out", 100, &text, NULL), 0);
    cr_expect_str_eq(text, "HELLO\nwent in\n");
    mayfly_report_done(&report);
    cr_expect_eq(scratch_count(&ground.scratch, "runs"), 0);
    ground_done(&ground);
}

Test(library, how_a_run_ends_is_a_report) {
    struct ground ground;
    struct mayfly_report report;
    struct mayfly_error error = {0};

    ground_init(&ground);
    add(&ground, "shellcmd", ":");
    add(&ground, "shellcmd", "exit 7");
    add(&ground, "shellcmd", "echo never");
    perform(&ground, NULL, &report);
    cr_expect_eq(report.result.status, 7);
    cr_assert_eq(report.n_actions, 2);
    cr_expect_eq(report.actions[1].status, 7);
    mayfly_report_done(&report);
    ground_done(&ground);

    ground_init(&ground);
    ground_option(&ground, "timeout", "100ms");
    add(&ground, "shellcmd", "while :; do :; done");
    perform(&ground, NULL, &report);
    cr_expect_eq(report.result.end, MAYFLY_TIMED_OUT);
    cr_expect_eq(report.result.status, 124);
    mayfly_report_done(&report);
    ground_done(&ground);

    ground_init(&ground);
    add(&ground, "shellcmd", "kill -USR1 $$");
    perform(&ground, NULL, &report);
    cr_expect_eq(report.result.end, MAYFLY_KILLED);
    cr_expect_eq(report.result.signal, SIGUSR1);
    mayfly_report_done(&report);
    add(&ground, "download", "/nothing");
    cr_expect_eq(mayfly_plan_option(ground.plan, "volume", "/nowhere/at/all:/x", &error), 0);
    cr_expect_lt(mayfly_perform(ground.plan, NULL, &report, &error), 0);
    cr_expect(strstr(error.message, "/nowhere/at/all"), "%s", error.message);
    mayfly_report_done(&report);
    cr_expect_eq(scratch_count(&ground.scratch, "runs"), 0);
    ground_done(&ground);
}

Test(library, what_a_run_has_done_is_remembered) {
    const struct mayfly_stream streams[3] = {[1] = {.kind = MAYFLY_DATA}};
    struct ground ground;
    struct mayfly_report report;

    ground_init(&ground);
    ground_import(&ground, "base:1");
    ground_option(&ground, "remember", NULL);
    add(&ground, "shellcmd", "echo once >/made; cat /proc/sys/kernel/random/uuid");
    add(&ground, "commit", "made:1");
    ground_option(&ground, "no-remember", NULL);
    add(&ground, "shellcmd", "cat /made");
    for (int i = 0; i < 2; i++) {
        static char first[100];

        perform(&ground, streams, &report);
        cr_expect_eq(report.result.status, 0);
        cr_assert_eq(report.n_actions, 3);
        cr_expect_eq(report.actions[0].remembered, i > 0);
        cr_expect_not(report.actions[2].remembered);
        cr_expect(strstr(report.result.output, "once\n"));
        /* What it has written comes once more. */
        if (i == 0)
            snprintf(first, sizeof first, "%s", report.result.output);
        cr_expect_str_eq(report.result.output, first);
        mayfly_report_done(&report);
    }
    ground_done(&ground);
}

static int take_once(void *context, const void *data, size_t n_bytes) {
    int *n = context;

    (void)data;
    (void)n_bytes;
    return ++*n > 1;
}

Test(library, the_output_of_a_run_may_be_refused) {
    int n = 0;
    const struct mayfly_stream streams[3] = {
        [1] = {.kind = MAYFLY_CALLBACK, .take = take_once, .context = &n}};
    int n_descriptors;
    struct ground ground;
    struct mayfly_report report;

    ground_init(&ground);
    n_descriptors = ground_descriptors();
    add(&ground, "shellcmd", "yes");
    perform(&ground, streams, &report);
    cr_expect_eq(report.result.end, MAYFLY_REFUSED);
    cr_expect_eq(n, 2);
    mayfly_report_done(&report);
    cr_expect_eq(ground_descriptors(), n_descriptors);
    cr_expect(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    cr_expect_eq(scratch_count(&ground.scratch, "runs"), 0);
    ground_done(&ground);
}

Test(library, an_owner_that_dies_takes_its_run_along) {
    struct ground ground;
    int fds[2];
    char byte;
    pid_t pid;

    ground_init(&ground);
    add(&ground, "shellcmd", "echo; while :; do :; done");
    cr_assert_eq(pipe(fds), 0);
    /* So that the run's process can be waited for. */
    cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid = fork();
    if (pid == 0) {
        const struct mayfly_stream streams[3] = {[1] = {.kind = MAYFLY_FD, .fd = fds[1]}};
        struct mayfly_report report;

        _exit(mayfly_perform(ground.plan, streams, &report, NULL) != 0);
    }
    close(fds[1]);
    cr_assert_eq(read(fds[0], &byte, 1), 1);
    kill(pid, SIGKILL);
    /* Its end: nobody else holds its output. */
    cr_expect_eq(read(fds[0], &byte, 1), 0);
    close(fds[0]);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    cr_expect_eq(scratch_count(&ground.scratch, "runs"), 0);
    ground_done(&ground);
}

Test(library, actions_and_options_of_runs_are_checked) {
    static const char *const none[] = {NULL}, *const two[] = {"a", "b", NULL};
    static const char *const one[] = {"true", NULL};
    struct mayfly_container *container = NULL;
    struct mayfly_error error = {0};
    struct mayfly_report report;
    struct ground ground;

    ground_init(&ground);
    cr_expect_eq(mayfly_plan_action(ground.plan, "fly", one, &error), -ENOENT);
    cr_expect(strstr(error.message, "'fly'"), "%s", error.message);
    cr_expect_eq(mayfly_plan_action(ground.plan, "shellcmd", none, &error), -EINVAL);
    cr_expect_eq(mayfly_plan_action(ground.plan, "workdir", two, &error), -EINVAL);
    cr_expect_eq(mayfly_plan_option(ground.plan, "timeout", "soon", &error), -EINVAL);
    cr_expect(strstr(error.message, "--timeout 'soon'"), "%s", error.message);
    cr_assert_eq(mayfly_plan_action(ground.plan, "shellcmd", one, &error), 0, "%s", error.message);
    cr_expect_eq(mayfly_start(ground.plan, &container, &error), -EINVAL);
    cr_expect(strstr(error.message, "mayfly_perform()"), "%s", error.message);
    cr_expect_eq(mayfly_run(ground.plan, NULL, &container, &error), -EINVAL);
    cr_assert_eq(mayfly_plan_option(ground.plan, "restart", "always", &error), 0);
    cr_expect_eq(mayfly_perform(ground.plan, NULL, &report, &error), -EINVAL);
    cr_expect(strstr(error.message, "mayfly_run()"), "%s", error.message);
    ground_done(&ground);
}

/* --- the command line's words ------------------------------------------------------ */

/* What is a call of its own here, or about what only a command line has. */
static bool is_no_option(const char *name) {
    static const char *const others[] = {
        "image", /* mayfly_plan_new() */
        "file",  /* words in a file */
        "watch",      "jobs",        "keep-going", "output",
        "json",       "junit", /* a program's own */
        "quiet",      "debug",       "color",      "help",
        "version",                   /* it prints nothing */
        "on-failure", "detach-keys", /* of a person at a terminal */
        "detach",     "init",        /* always so */
        "replace",                   /* mayfly_attach() and mayfly_remove() */
        "cidfile",                   /* mayfly_name() */
        "env-file",   "mount",       "network",    "no-healthcheck", /* other words for the rest */
    };

    for (size_t i = 0; i < N_ELEMENTS(others); i++)
        if (str_eq(others[i], name))
            return true;
    return false;
}

static void expect_known(struct mayfly_plan *plan, const char *name) {
    const char *const words[] = {"x", NULL};
    struct mayfly_error error = {0};

    if (is_no_option(name))
        return;
    cr_expect(mayfly_plan_option(plan, name, "x", &error) != -ENOENT ||
                  mayfly_plan_action(plan, name, words, &error) != -ENOENT,
              "the library does not know --%s", name);
}

Test(library, every_option_of_the_command_line_has_its_call) {
    struct option_spec specs[OPTIONS_MAX];
    struct mayfly_plan *plan = NULL;
    struct mayfly_error error = {0};
    size_t n = run_options_specs(specs);

    cr_assert_eq(mayfly_plan_new("busybox", &plan, &error), 0, "%s", error.message);
    cr_assert_gt(n, 50);
    for (size_t i = 0; i < n; i++)
        expect_known(plan, specs[i].name);
    for (size_t i = 0; i < n_create_options_specs; i++)
        expect_known(plan, create_options_specs[i].name);
    mayfly_plan_free(plan);
}
