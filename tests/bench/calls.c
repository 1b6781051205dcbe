/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a function call costs in a fresh container and in one that runs, each in turn with the
 * program that makes the least of a container: calls ROUNDS IMAGE LIMIT ARG...
 *
 * Prints a table in Markdown, of medians.
 */
#include <inttypes.h>
#include <mayfly.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum kind { LIMIT, FRESH, RUNNING, N_KINDS };

static uint64_t now_usec(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int nothing(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    (void)argument;
    (void)n_argument;
    (void)result;
    *n_result = 0;
    return 0;
}

static int run_limit(char **argv) {
    pid_t pid;
    int status = 0;

    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0)
        return -1;
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static int measure(const struct mayfly_plan *plan, struct mayfly_container *container, char **limit,
                   size_t rounds, uint64_t *times[N_KINDS], struct mayfly_error *error) {
    for (size_t i = 0; i < rounds; i++)
        for (int kind = 0; kind < N_KINDS; kind++) {
            uint64_t began = now_usec();
            int r = kind == LIMIT ? run_limit(limit)
                    : kind == FRESH
                        ? mayfly_call_once(plan, nothing, NULL, 0, NULL, 0, NULL, NULL, error)
                        : mayfly_call(container, nothing, NULL, 0, NULL, 0, NULL, NULL, error);

            if (r < 0)
                return r;
            times[kind][i] = now_usec() - began;
        }
    return 0;
}

int main(int argc, char **argv) {
    static const char *const names[] = {
        [LIMIT] = "limit.c",
        [FRESH] = "`mayfly_call_once()` of an empty function",
        [RUNNING] = "`mayfly_call()` in a container that runs",
    };
    struct mayfly_error error = {.code = 0, .message = "limit.c failed"};
    struct mayfly_container *container = NULL;
    struct mayfly_plan *plan = NULL;
    uint64_t *times[N_KINDS];
    double medians[N_KINDS];
    size_t rounds, middle;
    int r;

    if (argc < 4)
        return 2;
    rounds = strtoul(argv[1], NULL, 10);
    middle = rounds / 2;
    for (int kind = 0; kind < N_KINDS; kind++)
        times[kind] = calloc(rounds, sizeof **times);
    r = mayfly_plan_new(argv[2], &plan, &error);
    if (r == 0)
        r = mayfly_plan_option(plan, "net", "none", &error);
    if (r == 0)
        r = mayfly_start(plan, &container, &error);
    if (r == 0)
        r = measure(plan, container, argv + 3, rounds, times, &error);
    mayfly_destroy(container);
    mayfly_plan_free(plan);
    if (r < 0) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    printf(
        "\n| a function in a container | median ms | ratio to limit.c |\n| --- | ---: | ---: |\n");
    for (int kind = 0; kind < N_KINDS; kind++) {
        qsort(times[kind], rounds, sizeof **times, compare);
        medians[kind] = (double)times[kind][middle];
        printf("| %s | %.2f | %.2f |\n", names[kind], medians[kind] / 1000,
               medians[kind] / medians[LIMIT]);
        free(times[kind]);
    }
    return 0;
}
