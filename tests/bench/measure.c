/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times commands, one run of each in turn, so that what disturbs the machine
 * disturbs all alike.
 *
 *   measure ROUNDS COMMAND [ARG]... [-- COMMAND [ARG]...]...
 *
 * Prints for each command, on a line, the median and the first and third
 * quartiles in microseconds, from before its start to after its end.  The
 * commands' output is thrown away; one that fails ends the measuring.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 32

static uint64_t now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t time_of(char **argv) {
    posix_spawn_file_actions_t actions;
    uint64_t began, ended;
    int status;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    began = now();
    if (posix_spawnp(&pid, *argv, &actions, NULL, argv, environ) != 0 ||
        waitpid(pid, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "measure: %s failed\n", *argv);
        exit(1);
    }
    ended = now();
    posix_spawn_file_actions_destroy(&actions);
    return ended - began;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    char **commands[MAX_COMMANDS];
    uint64_t *samples[MAX_COMMANDS];
    size_t n = 0, rounds = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;

    if (rounds == 0) {
        fprintf(stderr, "usage: measure ROUNDS COMMAND [ARG]... [-- COMMAND [ARG]...]...\n");
        return 2;
    }
    commands[n++] = argv + 2;
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--") == 0 && n < MAX_COMMANDS) {
            argv[i] = NULL;
            commands[n++] = argv + i + 1;
        }
    for (size_t i = 0; i < n; i++) {
        samples[i] = calloc(rounds, sizeof **samples);
        if (!samples[i])
            return 1;
        time_of(commands[i]); /* into the caches */
    }
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < n; i++)
            samples[i][round] = time_of(commands[i]);
    for (size_t i = 0; i < n; i++) {
        qsort(samples[i], rounds, sizeof **samples, compare);
        printf("%llu %llu %llu\n", (unsigned long long)samples[i][rounds / 2] / 1000,
               (unsigned long long)samples[i][rounds / 4] / 1000,
               (unsigned long long)samples[i][rounds * 3 / 4] / 1000);
        free(samples[i]);
    }
    return 0;
}
