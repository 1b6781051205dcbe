/* SPDX-License-Identifier: Apache-2.0 */
/* libmayfly: programs and files, in real containers of busybox alone. */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "ground.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MSEC UINT64_C(1000000)

/* --- programs -------------------------------------------------------------------- */

Test(library, a_program_has_its_streams) {
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_result result;
    const struct mayfly_command command = {
        .shell = "tr a-z A-Z; echo sorry >&2; exit 37",
        .input = {.kind = MAYFLY_DATA, .data = "hello\n", .n_bytes = 6},
        .output = {.kind = MAYFLY_DATA},
        .errors = {.kind = MAYFLY_DATA},
    };

    ground_init(&ground);
    container = ground_start(&ground);
    result = ground_exec(container, &command);
    cr_expect_eq(result.end, MAYFLY_EXITED);
    cr_expect_eq(result.status, 37);
    cr_expect_eq(result.signal, 0);
    cr_expect_str_eq(result.output, "HELLO\n");
    cr_expect_eq(result.n_output, 6);
    cr_expect_str_eq(result.errors, "sorry\n");
    mayfly_result_done(&result);
    mayfly_destroy(container);
    ground_done(&ground);
}

Test(library, words_environment_and_directory) {
    static const char *const argv[] = {"sh", "-c", "echo $1 $A $PWD", "sh", "two words", NULL};
    static const char *const env[] = {"A=b", NULL};
    const struct mayfly_command command = {
        .argv = argv, .env = env, .workdir = "/bin", .output = {.kind = MAYFLY_DATA}};
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_result result;

    ground_init(&ground);
    container = ground_start(&ground);
    result = ground_exec(container, &command);
    cr_expect_str_eq(result.output, "two words b /bin\n");
    mayfly_result_done(&result);
    mayfly_destroy(container);
    ground_done(&ground);
}

Test(library, how_a_program_ends_is_a_result) {
    static const char *const missing[] = {"nowhere", NULL};
    static const struct {
        struct mayfly_command command;
        enum mayfly_end end;
        int status, signal;
    } cases[] = {
        {{.shell = "exit 0"}, MAYFLY_EXITED, 0, 0},
        {{.shell = "kill -SEGV $$"}, MAYFLY_KILLED, 139, SIGSEGV},
        {{.shell = "read x </dev/ptmx", .timeout_nsec = 100 * MSEC}, MAYFLY_TIMED_OUT, 124, 0},
        {{.argv = missing}, MAYFLY_EXITED, 127, 0},
    };
    struct ground ground;
    struct mayfly_container *container;

    ground_init(&ground);
    container = ground_start(&ground);
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct mayfly_result result = ground_exec(container, &cases[i].command);

        cr_expect_eq(result.end, cases[i].end, "%zu: %d", i, (int)result.end);
        cr_expect_eq(result.status, cases[i].status, "%zu: %d", i, result.status);
        cr_expect_eq(result.signal, cases[i].signal, "%zu: %d", i, result.signal);
        mayfly_result_done(&result);
    }
    mayfly_destroy(container);
    ground_done(&ground);
}

struct counter {
    size_t n_bytes;
    size_t limit;
};

static int count_bytes(void *context, const void *data, size_t n_bytes) {
    struct counter *counter = context;

    (void)data;
    counter->n_bytes += n_bytes;
    return counter->n_bytes >= counter->limit;
}

Test(library, a_callback_takes_output_and_may_refuse_more) {
    struct counter counter = {.limit = 1 << 20};
    const struct mayfly_command command = {
        .shell = "yes",
        .output = {.kind = MAYFLY_CALLBACK, .take = count_bytes, .context = &counter},
    };
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_result result;

    ground_init(&ground);
    container = ground_start(&ground);
    result = ground_exec(container, &command);
    cr_expect_eq(result.end, MAYFLY_REFUSED);
    cr_expect_geq(counter.n_bytes, counter.limit);
    mayfly_result_done(&result);
    mayfly_destroy(container);
    ground_done(&ground);
}

Test(library, much_output_arrives_whole) {
    const struct mayfly_command command = {
        .shell = "yes | head -c 10000000; yes 2>&1 | head -c 3000000 >&2",
        .output = {.kind = MAYFLY_DATA},
        .errors = {.kind = MAYFLY_DATA},
    };
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_result result;

    ground_init(&ground);
    container = ground_start(&ground);
    result = ground_exec(container, &command);
    cr_expect_eq(result.n_output, 10000000);
    cr_expect_eq(result.n_errors, 3000000);
    mayfly_result_done(&result);
    mayfly_destroy(container);
    ground_done(&ground);
}

Test(library, a_program_under_way_is_signalled_and_waited_for) {
    struct mayfly_command command = {
        .shell = "trap 'exit 5' TERM; echo up; while :; do :; done",
        .output = {.kind = MAYFLY_FD},
    };
    int fds[2];
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_process *process = NULL;
    struct mayfly_error error = {0};
    struct mayfly_result result;
    char word[3];

    ground_init(&ground);
    container = ground_start(&ground);
    cr_assert_eq(pipe(fds), 0);
    command.output.fd = fds[1];
    cr_assert_eq(mayfly_spawn(container, &command, &process, &error), 0, "%s", error.message);
    cr_assert_eq(read(fds[0], word, 3), 3);
    cr_expect_eq(mayfly_process_wait(process, 0, &result, &error), -ETIMEDOUT);
    cr_expect_eq(mayfly_process_signal(process, -1, &error), -EINVAL);
    cr_expect_eq(mayfly_process_signal(process, SIGTERM, &error), 0, "%s", error.message);
    cr_expect_eq(poll(&(struct pollfd){.fd = mayfly_process_fd(process), .events = POLLIN}, 1, -1),
                 1);
    cr_expect_eq(mayfly_process_signal(process, SIGTERM, &error), -ESRCH);
    cr_expect_eq(mayfly_process_wait(process, UINT64_MAX, &result, &error), 0, "%s", error.message);
    cr_expect_eq(result.status, 5);
    mayfly_process_free(process);
    mayfly_process_free(NULL);
    close(fds[0]);
    close(fds[1]);
    mayfly_destroy(container);
    ground_done(&ground);
}

/* --- files ------------------------------------------------------------------------- */

Test(library, files_go_in_and_come_out) {
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_error error = {0};
    struct mayfly_result result;
    char in[300], out[300], text[20] = "";
    _cleanup_close_ int fd = -1;

    ground_init(&ground);
    scratch_write(&ground.scratch, "in.txt", "there", 5);
    snprintf(in, sizeof in, "%s/in.txt", ground.scratch.path);
    snprintf(out, sizeof out, "%s/out.txt", ground.scratch.path);
    container = ground_start(&ground);
    cr_assert_eq(mayfly_copy_in(container, in, "/made/", &error), 0, "%s", error.message);
    result =
        ground_exec(container, &(struct mayfly_command){.shell = "echo and back >>/made/in.txt"});
    cr_expect_eq(result.status, 0);
    cr_assert_eq(mayfly_copy_out(container, "/made/in.txt", out, &error), 0, "%s", error.message);
    fd = open(out, O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    cr_expect_str_eq(text, "thereand back\n");
    cr_expect_eq(mayfly_copy_in(container, "/nowhere/x", "/", &error), -ENOENT, "%s",
                 error.message);
    cr_expect(strstr(error.message, "/nowhere/x"), "%s", error.message);
    cr_expect_eq(mayfly_copy_out(container, "/nowhere/y", out, &error), -ENOENT);
    cr_expect(strstr(error.message, "/nowhere/y"), "%s", error.message);
    mayfly_destroy(container);
    ground_done(&ground);
}
