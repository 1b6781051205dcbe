/* SPDX-License-Identifier: Apache-2.0 */
/* libmayfly: functions in containers. */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "ground.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MSEC UINT64_C(1000000)

static int add(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    const int *numbers = argument;
    int sum = 0;

    for (size_t i = 0; i < n_argument / sizeof *numbers; i++)
        sum += numbers[i];
    memcpy(result, &sum, sizeof sum);
    *n_result = sizeof sum;
    return 0;
}

static int where(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    size_t room = *n_result;
    int n = snprintf(result, room, "pid1 %d, /bin/sh %d, %s %.*s", getppid() == 1,
                     access("/bin/busybox", X_OK) == 0, access("/etc/passwd", F_OK) ? "no" : "yes",
                     (int)n_argument, (const char *)argument);

    *n_result = (size_t)n;
    return ground_descriptors() == 6 ? 0 : 9; /* three, that of the directory, "." and ".." */
}

static int crash(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    (void)argument;
    (void)n_argument;
    (void)result;
    (void)n_result;
    raise(SIGSEGV);
    return 0;
}

static int fail(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    (void)argument;
    (void)n_argument;
    (void)result;
    *n_result = 1 << 30; /* more than there is room for */
    return 3;
}

static int hang(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    (void)argument;
    (void)n_argument;
    (void)result;
    (void)n_result;
    pause();
    return 0;
}

Test(library, a_function_runs_inside_and_answers) {
    static const int numbers[] = {1, 20, 300};
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_error error = {0};
    size_t n = 0;
    int sum = 0;
    char text[100] = "";

    ground_init(&ground);
    container = ground_start(&ground);
    cr_expect_eq(
        mayfly_call(container, add, numbers, sizeof numbers, &sum, sizeof sum, &n, NULL, &error), 0,
        "%s", error.message);
    cr_expect_eq(sum, 321);
    cr_expect_eq(n, sizeof sum);
    cr_expect_eq(mayfly_call(container, where, "and words", 9, text, sizeof text, &n, NULL, &error),
                 0, "%s", error.message);
    cr_expect_str_eq(text, "pid1 1, /bin/sh 1, no and words");
    mayfly_destroy(container);
    sum = 0;
    cr_expect_eq(mayfly_call_once(ground.plan, add, numbers, sizeof numbers, &sum, sizeof sum, &n,
                                  NULL, &error),
                 0, "%s", error.message);
    cr_expect_eq(sum, 321);
    ground_done(&ground);
}

Test(library, how_a_function_ends_is_a_result) {
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_error error = {0};
    struct mayfly_result result;
    const struct mayfly_command endless = {.function = hang, .timeout_nsec = 100 * MSEC};
    const struct mayfly_command nothing = {0};
    char answer[8];

    ground_init(&ground);
    container = ground_start(&ground);
    cr_expect_eq(mayfly_call(container, crash, NULL, 0, NULL, 0, NULL, NULL, &error), -EIO);
    cr_expect(strstr(error.message, "signal 11"), "%s", error.message);
    cr_expect_eq(mayfly_call(container, crash, NULL, 0, NULL, 0, NULL, &result, &error), 0);
    cr_expect_eq(result.end, MAYFLY_KILLED);
    cr_expect_eq(result.status, 139);
    mayfly_result_done(&result);
    cr_expect_eq(
        mayfly_call(container, fail, NULL, 0, answer, sizeof answer, NULL, &result, &error), 0);
    cr_expect_eq(result.status, 3);
    cr_expect_leq(result.n_answer, 8);
    mayfly_result_done(&result);
    result = ground_exec(container, &endless);
    cr_expect_eq(result.end, MAYFLY_TIMED_OUT);
    cr_expect_eq(result.status, 124);
    mayfly_result_done(&result);
    cr_expect_eq(mayfly_exec(container, &nothing, &result, &error), -EINVAL);
    /* The container is none the worse for it. */
    cr_expect_eq(mayfly_call(container, ground_nothing, NULL, 0, NULL, 0, NULL, NULL, &error), 0,
                 "%s", error.message);
    mayfly_destroy(container);
    ground_done(&ground);
}

static int devour(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    const size_t n_bytes = 1 << 20;

    (void)argument;
    (void)n_argument;
    (void)result;
    (void)n_result;
    for (;;) {
        void *p = malloc(n_bytes);

        if (!p)
            return 1;
        memset(p, 1, n_bytes); /* NOLINT(clang-analyzer-unix.Malloc): it is killed with all of it */
    }
}

Test(library, a_function_that_runs_out_of_memory_is_a_result) {
    struct ground ground;
    struct mayfly_container *container = NULL;
    struct mayfly_error error = {0};
    struct mayfly_result result;
    int r;

    ground_init(&ground);
    ground_option(&ground, "memory", "48m");
    r = mayfly_start(ground.plan, &container, &error);
    if (r < 0 && geteuid() != 0) {
        /* Nobody has delegated a control group to this user. */
        cr_expect(strstr(error.message, "memory"), "%s", error.message);
        ground_done(&ground);
        return;
    }
    cr_assert_eq(r, 0, "%s", error.message);
    cr_assert_eq(mayfly_call(container, devour, NULL, 0, NULL, 0, NULL, &result, &error), 0, "%s",
                 error.message);
    cr_expect_eq(result.end, MAYFLY_KILLED);
    cr_expect_eq(result.signal, SIGKILL);
    mayfly_result_done(&result);
    /* The container is none the worse for it, nor is the caller. */
    cr_expect_eq(mayfly_call(container, ground_nothing, NULL, 0, NULL, 0, NULL, NULL, &error), 0,
                 "%s", error.message);
    mayfly_destroy(container);
    ground_done(&ground);
}

/* How many children there are, those that nobody else looks after included; dead ones are taken. */
static int count_children(void) {
    int n = 0;

    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    /* Who still lives is none of a program's that has ended. */
    while (waitpid(-1, NULL, 0) > 0)
        n++;
    return n;
}

Test(library, a_thousand_calls_leave_nothing) {
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_error error = {0};
    struct mallinfo2 before, after;
    int n_descriptors, n_fresh = geteuid() == 0 ? 1000 : 100; /* the caller's side is the same */

    ground_init(&ground);
    /* Processes whose parents have gone become this one's, and can be counted. */
    cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    /* What the C library keeps for itself is there after the first few. */
    for (int i = 0; i < 10; i++)
        cr_assert_eq(
            mayfly_call_once(ground.plan, ground_nothing, NULL, 0, NULL, 0, NULL, NULL, &error), 0,
            "%s", error.message);
    n_descriptors = ground_descriptors();
    before = mallinfo2();
    for (int i = 0; i < n_fresh; i++)
        cr_assert_eq(
            mayfly_call_once(ground.plan, ground_nothing, NULL, 0, NULL, 0, NULL, NULL, &error), 0,
            "%s", error.message);
    container = ground_start(&ground);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(mayfly_call(container, ground_nothing, NULL, 0, NULL, 0, NULL, NULL, &error),
                     0, "%s", error.message);
    mayfly_destroy(container);
    after = mallinfo2();
    cr_expect_eq(after.uordblks, before.uordblks, "%zu, %zu", before.uordblks, after.uordblks);
    cr_expect_eq(ground_descriptors(), n_descriptors);
    cr_expect_eq(count_children(), 0);
    cr_expect_eq(scratch_count(&ground.scratch, "runs"), 0);
    cr_expect_eq(scratch_count(&ground.scratch, "tmp"), 0);
    ground_done(&ground);
}

static void *call_often(void *argument) {
    const struct ground *ground = argument;
    intptr_t n_failed = 0;

    for (int i = 0; i < 10; i++) {
        static const int numbers[] = {1, 2};
        int sum = 0;

        if (mayfly_call_once(ground->plan, add, numbers, sizeof numbers, &sum, sizeof sum, NULL,
                             NULL, NULL) < 0 ||
            sum != 3)
            n_failed++;
    }
    return (void *)n_failed; /* NOLINT(performance-no-int-to-ptr) */
}

/* A thread that keeps the allocator's locks busy, as some thread of a caller's will. */
static void *allocate(void *argument) {
    volatile bool *stop = argument;

    while (!*stop) {
        void *p = malloc(100000);

        memset(p, 1, 100);
        free(p);
    }
    return NULL;
}

Test(library, threads_have_containers_of_their_own) {
    volatile bool is_over = false;
    struct ground ground;
    pthread_t callers[4], allocator;

    ground_init(&ground);
    cr_assert_eq(pthread_create(&allocator, NULL, allocate, (void *)&is_over), 0);
    for (size_t i = 0; i < N_ELEMENTS(callers); i++)
        cr_assert_eq(pthread_create(&callers[i], NULL, call_often, &ground), 0);
    for (size_t i = 0; i < N_ELEMENTS(callers); i++) {
        void *n_failed;

        pthread_join(callers[i], &n_failed);
        cr_expect_null(n_failed);
    }
    is_over = true;
    pthread_join(allocator, NULL);
    ground_done(&ground);
}
