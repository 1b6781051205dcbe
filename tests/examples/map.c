/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A function mapped over a hundred inputs (or COUNT), each in a container of its own that nobody
 * ever sees, then all of them in one container that has a name: map IMAGE [COUNT]
 */
#include <mayfly.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a container cannot keep from one call to the next when it is another one each time. */
static int square(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    int is_first = access("/visited", F_OK) != 0;
    FILE *mark = fopen("/visited", "w");
    long long answer[2];
    int number;

    if (n_argument != sizeof number || !mark || fclose(mark) != 0)
        return 1;
    memcpy(&number, argument, sizeof number);
    answer[0] = (long long)number * number;
    answer[1] = is_first;
    memcpy(result, answer, sizeof answer);
    *n_result = sizeof answer;
    return 0;
}

static int map(const struct mayfly_plan *plan, struct mayfly_container *container, int n,
               struct mayfly_error *error) {
    long long sum = 0, n_fresh = 0;

    for (int i = 1; i <= n; i++) {
        long long answer[2];
        int r = container ? mayfly_call(container, square, &i, sizeof i, answer, sizeof answer,
                                        NULL, NULL, error)
                          : mayfly_call_once(plan, square, &i, sizeof i, answer, sizeof answer,
                                             NULL, NULL, error);

        if (r < 0)
            return r;
        sum += answer[0];
        n_fresh += answer[1];
    }
    printf("%s: the sum is %lld, %lld times in a fresh container\n",
           container ? mayfly_name(container) : "anonymous", sum, n_fresh);
    return 0;
}

int main(int argc, char **argv) {
    struct mayfly_container *container = NULL;
    struct mayfly_plan *plan = NULL;
    struct mayfly_error error;
    int n, r;

    if (argc < 2)
        return 2;
    n = argc > 2 ? atoi(argv[2]) : 100;
    r = mayfly_plan_new(argv[1], &plan, &error);
    if (r == 0)
        r = mayfly_plan_option(plan, "net", "none", &error);
    if (r == 0)
        r = map(plan, NULL, n, &error);
    if (r == 0)
        r = mayfly_plan_option(plan, "name", "mapper", &error);
    if (r == 0)
        r = mayfly_start(plan, &container, &error);
    if (r == 0)
        r = map(plan, container, n, &error);
    if (r < 0)
        fprintf(stderr, "%s\n", error.message);
    mayfly_destroy(container);
    mayfly_plan_free(plan);
    return r < 0;
}
