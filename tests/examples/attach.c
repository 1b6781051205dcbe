/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks after a container that somebody else runs: says what it is called, how it is and what is in
 * its /etc/hostname, asks it to end, and says how it did: attach CONTAINER
 */
#include <mayfly.h>
#include <signal.h>
#include <stdio.h>

static const char *const words[] = {"not asked", "starting", "healthy", "unhealthy"};

static int look_after(struct mayfly_container *container, struct mayfly_error *error) {
    const struct mayfly_command command = {.shell = "cat /proc/sys/kernel/hostname",
                                           .output = {.kind = MAYFLY_DATA}};
    enum mayfly_health health = MAYFLY_NOT_ASKED;
    struct mayfly_result result;
    int r = mayfly_health(container, &health, error);

    if (r == 0)
        r = mayfly_exec(container, &command, &result, error);
    if (r < 0)
        return r;
    printf("%s is %s: %s", mayfly_name(container), words[health], result.output);
    mayfly_result_done(&result);
    r = mayfly_signal(container, SIGUSR1, error);
    if (r == 0)
        r = mayfly_wait(container, UINT64_MAX, error);
    if (r == 0)
        printf("%s\n", error->message);
    return r;
}

int main(int argc, char **argv) {
    struct mayfly_container *container = NULL;
    struct mayfly_error error;
    int r;

    if (argc != 2)
        return 2;
    r = mayfly_attach(argv[1], &container, &error);
    if (r == 0)
        r = look_after(container, &error);
    if (r < 0)
        fprintf(stderr, "%s\n", error.message);
    mayfly_destroy(container);
    return r < 0;
}
