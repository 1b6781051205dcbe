/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that know nothing of each other, each with containers of its own: threads IMAGE
 *
 * One has a container that it asks again and again, the others a new one each time; all of it goes
 * on at once, and nothing in it is shared but the plan, which nobody changes.
 */
#include <mayfly.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define N_THREADS 4
#define N_ROUNDS 5

struct worker {
    const struct mayfly_plan *plan;
    int number;
    int sum;
    struct mayfly_error error;
};

static int add(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    int numbers[2];

    if (n_argument != sizeof numbers)
        return 1;
    memcpy(numbers, argument, sizeof numbers);
    numbers[0] += numbers[1];
    memcpy(result, numbers, sizeof numbers[0]);
    *n_result = sizeof numbers[0];
    return 0;
}

static int work_in_one(struct worker *worker) {
    const struct mayfly_command command = {.shell = "echo said", .output = {.kind = MAYFLY_DATA}};
    struct mayfly_container *container = NULL;
    int r = mayfly_start(worker->plan, &container, &worker->error);

    for (int i = 0; r == 0 && i < N_ROUNDS; i++) {
        struct mayfly_result result;

        r = mayfly_exec(container, &command, &result, &worker->error);
        if (r == 0 && strcmp(result.output, "said\n") == 0)
            worker->sum++;
        mayfly_result_done(&result);
    }
    mayfly_destroy(container);
    return r;
}

static int work_in_many(struct worker *worker) {
    int r = 0;

    for (int i = 0; r == 0 && i < N_ROUNDS; i++) {
        const int numbers[2] = {worker->sum, 1};

        r = mayfly_call_once(worker->plan, add, numbers, sizeof numbers, &worker->sum,
                             sizeof worker->sum, NULL, NULL, &worker->error);
    }
    return r;
}

static void *work(void *argument) {
    struct worker *worker = argument;
    int r = worker->number == 0 ? work_in_one(worker) : work_in_many(worker);

    if (r < 0)
        fprintf(stderr, "worker %d: %s\n", worker->number, worker->error.message);
    return NULL;
}

int main(int argc, char **argv) {
    struct worker workers[N_THREADS];
    pthread_t threads[N_THREADS];
    struct mayfly_plan *plan = NULL;
    struct mayfly_error error;
    int n = 0;

    if (argc != 2)
        return 2;
    if (mayfly_plan_new(argv[1], &plan, &error) < 0 ||
        mayfly_plan_option(plan, "net", "none", &error) < 0) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    for (int i = 0; i < N_THREADS; i++) {
        workers[i] = (struct worker){.plan = plan, .number = i};
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            return 1;
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        n += workers[i].sum;
    }
    mayfly_plan_free(plan);
    printf("%d answers of %d\n", n, N_THREADS * N_ROUNDS);
    return n != N_THREADS * N_ROUNDS;
}
