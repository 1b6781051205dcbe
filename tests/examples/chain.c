/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions composed from container to container: each takes a container, changes it, and what
 * comes of it is remembered under a name, or, when it was only a trial, forgotten: chain IMAGE
 *
 * A second chain that begins with the same functions starts from what the first one remembered.
 */
#include <mayfly.h>
#include <stdio.h>
#include <string.h>

struct machine {
    char image[256];
    int n_done; /* functions that were really carried out */
};

typedef int step(struct mayfly_container *container, struct mayfly_error *error);

static int shell(struct mayfly_container *container, const char *text, struct mayfly_error *error) {
    const struct mayfly_command command = {.shell = text};
    struct mayfly_result result;
    int r = mayfly_exec(container, &command, &result, error);
    int status = result.status;

    mayfly_result_done(&result);
    return r < 0 ? r : status;
}

static int add_user(struct mayfly_container *container, struct mayfly_error *error) {
    return shell(container, "echo fly:x:1:1::/:/bin/sh >>/etc/passwd", error);
}

static int add_tool(struct mayfly_container *container, struct mayfly_error *error) {
    return shell(container, "printf '#!/bin/sh\\necho buzz\\n' >/bin/buzz && chmod 755 /bin/buzz",
                 error);
}

static int break_it(struct mayfly_container *container, struct mayfly_error *error) {
    return shell(container, "rm /bin/buzz", error);
}

static int has_image(const char *name, struct mayfly_error *error) {
    struct mayfly_image *images = NULL;
    size_t n = 0;
    int found = 0, r = mayfly_image_list(NULL, &images, &n, error);

    for (size_t i = 0; r == 0 && i < n; i++)
        found |= images[i].name && strstr(images[i].name, name) != NULL;
    mayfly_image_list_free(images, n);
    return r < 0 ? r : found;
}

/* Carries out one function on a machine; @name: under which it is remembered; NULL: to be undone.
 */
static int apply(struct machine *machine, step *function, const char *name,
                 struct mayfly_error *error) {
    struct mayfly_container *container = NULL;
    struct mayfly_plan *plan = NULL;
    int r = name ? has_image(name, error) : 0;

    if (r == 0) {
        r = mayfly_plan_new(machine->image, &plan, error);
        if (r == 0)
            r = mayfly_plan_option(plan, "net", "none", error);
        if (r == 0)
            r = mayfly_start(plan, &container, error);
        if (r == 0)
            r = function(container, error);
        if (r == 0 && name)
            r = mayfly_commit(container, name, NULL, error);
        machine->n_done += r == 0;
        mayfly_destroy(container);
        mayfly_plan_free(plan);
        if (r != 0)
            return r;
    }
    if (r >= 0 && name)
        snprintf(machine->image, sizeof machine->image, "%s", name);
    return r < 0 ? r : 0;
}

static int run_chain(const char *image, struct mayfly_error *error) {
    struct machine machine = {.n_done = 0};
    struct mayfly_container *container = NULL;
    struct mayfly_plan *plan = NULL;
    const struct mayfly_command buzz = {.shell = "buzz && grep -c ^fly /etc/passwd",
                                        .output = {.kind = MAYFLY_DATA}};
    struct mayfly_result result = {.output = NULL};
    int r;

    snprintf(machine.image, sizeof machine.image, "%s", image);
    r = apply(&machine, add_user, "chain-user:1", error);
    if (r == 0)
        r = apply(&machine, add_tool, "chain-tool:1", error);
    if (r == 0)
        r = apply(&machine, break_it, NULL, error);
    if (r == 0)
        r = mayfly_plan_new(machine.image, &plan, error);
    if (r == 0)
        r = mayfly_plan_option(plan, "net", "none", error);
    if (r == 0)
        r = mayfly_start(plan, &container, error);
    if (r == 0)
        r = mayfly_exec(container, &buzz, &result, error);
    if (r == 0)
        printf("%d functions carried out; it says: %s", machine.n_done,
               result.output ? result.output : "");
    mayfly_result_done(&result);
    mayfly_destroy(container);
    mayfly_plan_free(plan);
    return r;
}

int main(int argc, char **argv) {
    struct mayfly_error error = {.code = 0, .message = "a function failed"};

    if (argc != 2)
        return 2;
    for (int i = 0; i < 2; i++)
        if (run_chain(argv[1], &error) != 0) {
            fprintf(stderr, "%s\n", error.message);
            return 1;
        }
    return 0;
}
