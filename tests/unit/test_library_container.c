/* SPDX-License-Identifier: Apache-2.0 */
/* libmayfly: containers, programs, functions and pipelines, in real containers of busybox alone. */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/lib/mayfly.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MSEC UINT64_C(1000000)

/* What every test here has: a root file system, a store, a plan. */
struct ground {
    struct scratch scratch;
    struct mayfly_plan *plan;
};

static void copy_busybox(const struct scratch *scratch) {
    _cleanup_close_ int from = open("/bin/busybox", O_RDONLY | O_CLOEXEC);
    _cleanup_close_ int to = openat(scratch->fd, "root/bin/busybox", O_WRONLY | O_CREAT, 0755);
    struct stat st;

    cr_assert(from >= 0 && to >= 0 && fstat(from, &st) == 0, "busybox-static is needed");
    while (st.st_size > 0) {
        ssize_t n = sendfile(to, from, NULL, (size_t)st.st_size);

        cr_assert_gt(n, 0);
        st.st_size -= n;
    }
}

static void option(const struct ground *ground, const char *name, const char *value) {
    struct mayfly_error error = {0};

    cr_assert_eq(mayfly_plan_option(ground->plan, name, value, &error), 0, "%s", error.message);
}

static void ground_init(struct ground *ground) {
    static const char *const applets[] = {"sh", "cat", "tr", "kill", "id", "head", "yes"};
    struct mayfly_error error = {0};
    char path[300];

    scratch_init(&ground->scratch);
    cr_assert_eq(chmod(ground->scratch.path, 0755), 0);
    cr_assert_eq(mkdirat(ground->scratch.fd, "root", 0755), 0);
    cr_assert_eq(mkdirat(ground->scratch.fd, "root/bin", 0755), 0);
    copy_busybox(&ground->scratch);
    for (size_t i = 0; i < N_ELEMENTS(applets); i++) {
        snprintf(path, sizeof path, "root/bin/%s", applets[i]);
        cr_assert_eq(symlinkat("busybox", ground->scratch.fd, path), 0);
    }
    snprintf(path, sizeof path, "%s/root", ground->scratch.path);
    cr_assert_eq(mayfly_plan_new(path, &ground->plan, &error), 0, "%s", error.message);
    snprintf(path, sizeof path, "%s/store", ground->scratch.path);
    cr_assert_eq(setenv("MAYFLY_STORE", path, 1), 0);
    option(ground, "net", "none");
}

static void ground_done(struct ground *ground) {
    mayfly_plan_free(ground->plan);
    scratch_done(&ground->scratch);
}

static struct mayfly_container *start(const struct ground *ground) {
    struct mayfly_container *container = NULL;
    struct mayfly_error error = {0};

    cr_assert_eq(mayfly_start(ground->plan, &container, &error), 0, "%s", error.message);
    return container;
}

static struct mayfly_result exec(struct mayfly_container *container,
                                 const struct mayfly_command *command) {
    struct mayfly_error error = {0};
    struct mayfly_result result;

    cr_assert_eq(mayfly_exec(container, command, &result, &error), 0, "%s", error.message);
    return result;
}

static int count_descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

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
    container = start(&ground);
    result = exec(container, &command);
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
    container = start(&ground);
    result = exec(container, &command);
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
    container = start(&ground);
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct mayfly_result result = exec(container, &cases[i].command);

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
    container = start(&ground);
    result = exec(container, &command);
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
    container = start(&ground);
    result = exec(container, &command);
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
    container = start(&ground);
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

/* --- containers -------------------------------------------------------------------- */

Test(library, a_container_ends_with_its_handle) {
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_process *process = NULL;
    struct mayfly_error error = {0};
    const struct mayfly_command command = {.shell = "while :; do :; done"};

    ground_init(&ground);
    option(&ground, "name", "short");
    container = start(&ground);
    cr_expect_str_eq(mayfly_name(container), "short");
    cr_expect_eq(mayfly_signal(container, 0, &error), 0, "%s", error.message);
    cr_expect_eq(mayfly_signal(container, 1000, &error), -EINVAL);
    cr_expect_eq(mayfly_wait(container, 0, &error), -ETIMEDOUT);
    cr_assert_eq(mayfly_spawn(container, &command, &process, &error), 0, "%s", error.message);
    mayfly_destroy(container);
    mayfly_destroy(NULL);
    mayfly_process_free(process);
    /* Its name is free again, so nothing is left of it. */
    container = start(&ground);
    mayfly_destroy(container);
    ground_done(&ground);
}

Test(library, a_signal_reaches_every_program) {
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_process *processes[2] = {NULL, NULL};
    struct mayfly_error error = {0};
    const struct mayfly_command command = {.shell = "while :; do :; done"};

    ground_init(&ground);
    container = start(&ground);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(mayfly_spawn(container, &command, &processes[i], &error), 0, "%s",
                     error.message);
    /* Both are there once a third has come and gone on the same way. */
    (void)exec(container, &(struct mayfly_command){.shell = ":"});
    cr_assert_eq(mayfly_signal(container, SIGUSR1, &error), 0, "%s", error.message);
    for (int i = 0; i < 2; i++) {
        struct mayfly_result result;

        cr_assert_eq(mayfly_process_wait(processes[i], UINT64_MAX, &result, &error), 0);
        cr_expect_eq(result.signal, SIGUSR1);
        mayfly_process_free(processes[i]);
    }
    mayfly_destroy(container);
    ground_done(&ground);
}

static int end_init(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    (void)argument;
    (void)n_argument;
    (void)result;
    *n_result = 0;
    /* The parent of all that runs in a container is its PID 1; nobody inside can end it. */
    return kill(1, SIGKILL) == 0 && kill(1, 0) == 0 ? 0 : 1;
}

Test(library, the_container_cannot_be_ended_from_inside) {
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_error error = {0};

    ground_init(&ground);
    container = start(&ground);
    cr_expect_eq(mayfly_call(container, end_init, NULL, 0, NULL, 0, NULL, NULL, &error), 0, "%s",
                 error.message);
    cr_expect_eq(mayfly_wait(container, 0, &error), -ETIMEDOUT);
    mayfly_destroy(container);
    ground_done(&ground);
}

Test(library, an_owner_that_dies_takes_its_containers_along) {
    struct ground ground;
    struct mayfly_container *container;
    int fds[2];
    char byte;
    pid_t pid;

    ground_init(&ground);
    option(&ground, "name", "owned");
    cr_assert_eq(pipe(fds), 0);
    /* So that the holder's end can be waited for. */
    cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid = fork();
    if (pid == 0) {
        const struct mayfly_command command = {
            .shell = "echo; while :; do :; done",
            .output = {.kind = MAYFLY_FD, .fd = fds[1]},
        };
        struct mayfly_process *process;

        if (mayfly_start(ground.plan, &container, NULL) == 0 &&
            mayfly_spawn(container, &command, &process, NULL) == 0)
            pause();
        _exit(1);
    }
    close(fds[1]);
    cr_assert_eq(read(fds[0], &byte, 1), 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    /* The program's end: nobody else holds its output. */
    cr_expect_eq(read(fds[0], &byte, 1), 0);
    close(fds[0]);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    container = start(&ground);
    mayfly_destroy(container);
    ground_done(&ground);
}

Test(library, what_cannot_be_started_is_said) {
    struct mayfly_container *container = NULL;
    struct mayfly_error error = {0};
    struct mayfly_plan *plan = NULL;
    struct ground ground;

    ground_init(&ground);
    cr_assert_eq(mayfly_plan_new("/nowhere/at/all", &plan, &error), 0);
    cr_expect_eq(mayfly_start(plan, &container, &error), -ENOENT, "%s", error.message);
    cr_expect(strstr(error.message, "/nowhere/at/all"), "%s", error.message);
    cr_expect_null(container);
    mayfly_plan_free(plan);
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
    container = start(&ground);
    cr_assert_eq(mayfly_copy_in(container, in, "/made/", &error), 0, "%s", error.message);
    result = exec(container, &(struct mayfly_command){.shell = "echo and back >>/made/in.txt"});
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

/* --- functions --------------------------------------------------------------------- */

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
    return count_descriptors() == 6 ? 0 : 9; /* three, that of the directory, "." and ".." */
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

static int empty(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    (void)argument;
    (void)n_argument;
    (void)result;
    *n_result = 0;
    return 0;
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
    container = start(&ground);
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
    container = start(&ground);
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
    result = exec(container, &endless);
    cr_expect_eq(result.end, MAYFLY_TIMED_OUT);
    cr_expect_eq(result.status, 124);
    mayfly_result_done(&result);
    cr_expect_eq(mayfly_exec(container, &nothing, &result, &error), -EINVAL);
    /* The container is none the worse for it. */
    cr_expect_eq(mayfly_call(container, empty, NULL, 0, NULL, 0, NULL, NULL, &error), 0, "%s",
                 error.message);
    mayfly_destroy(container);
    ground_done(&ground);
}

Test(library, a_thousand_calls_leave_nothing) {
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_error error = {0};
    struct mallinfo2 before, after;
    int n_descriptors;

    ground_init(&ground);
    /* What the C library keeps for itself is there after the first few. */
    for (int i = 0; i < 10; i++)
        cr_assert_eq(mayfly_call_once(ground.plan, empty, NULL, 0, NULL, 0, NULL, NULL, &error), 0,
                     "%s", error.message);
    n_descriptors = count_descriptors();
    before = mallinfo2();
    container = start(&ground);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(mayfly_call(container, empty, NULL, 0, NULL, 0, NULL, NULL, &error), 0, "%s",
                     error.message);
    mayfly_destroy(container);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(mayfly_call_once(ground.plan, empty, NULL, 0, NULL, 0, NULL, NULL, &error), 0,
                     "%s", error.message);
    after = mallinfo2();
    cr_expect_eq(after.uordblks, before.uordblks, "%zu, %zu", before.uordblks, after.uordblks);
    cr_expect_eq(count_descriptors(), n_descriptors);
    cr_expect(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    cr_expect_eq(scratch_count(&ground.scratch, "runs"), 0);
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

/* --- pipelines --------------------------------------------------------------------- */

/* Copies standard input to standard output, in capitals. */
static int capitals(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    char block[4096];
    ssize_t n;

    (void)argument;
    (void)n_argument;
    (void)result;
    *n_result = 0;
    while ((n = read(0, block, sizeof block)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            block[i] = (char)(block[i] >= 'a' && block[i] <= 'z' ? block[i] - 32 : block[i]);
        if (write(1, block, (size_t)n) != n)
            return 1;
    }
    return n < 0;
}

Test(library, data_goes_through_a_row_of_containers) {
    struct ground ground;
    struct mayfly_error error = {0};
    struct mayfly_result result;
    size_t failed = 0;
    const struct mayfly_stream input = {.kind = MAYFLY_DATA, .data = "may\n", .n_bytes = 4};
    const struct mayfly_stream output = {.kind = MAYFLY_DATA};

    ground_init(&ground);
    {
        const struct mayfly_stage stages[] = {
            {ground.plan, {.shell = "cat; echo fly"}},
            {ground.plan, {.function = capitals}},
            {ground.plan, {.shell = "tr Y y"}},
        };

        cr_assert_eq(mayfly_pipe(stages, 3, &input, &output, 0, &failed, &result, &error), 0, "%s",
                     error.message);
        cr_expect_eq(failed, 3);
        cr_expect_eq(result.status, 0);
        cr_expect_str_eq(result.output, "MAy\nFLy\n");
        mayfly_result_done(&result);
    }
    ground_done(&ground);
}

Test(library, the_first_stage_that_fails_ends_all) {
    struct ground ground;
    struct mayfly_error error = {0};
    struct mayfly_result result;
    size_t failed = 0;
    const struct mayfly_stream nothing = {.kind = MAYFLY_NOTHING};
    const struct mayfly_stream output = {.kind = MAYFLY_DATA};

    ground_init(&ground);
    {
        const struct mayfly_stage fails[] = {
            {ground.plan, {.shell = "while :; do :; done"}},
            {ground.plan, {.shell = "exit 7"}},
            {ground.plan, {.shell = "cat"}},
        };
        const struct mayfly_stage enough[] = {
            {ground.plan, {.shell = "exec yes"}},
            {ground.plan, {.shell = "head -n 1"}},
        };

        cr_assert_eq(mayfly_pipe(fails, 3, &nothing, &nothing, 0, &failed, &result, &error), 0);
        cr_expect_eq(failed, 1);
        cr_expect_eq(result.status, 7);
        mayfly_result_done(&result);
        cr_assert_eq(mayfly_pipe(enough, 2, &nothing, &output, 0, &failed, &result, &error), 0);
        cr_expect_eq(failed, 2);
        cr_expect_str_eq(result.output, "y\n");
        mayfly_result_done(&result);
        cr_assert_eq(
            mayfly_pipe(fails, 1, &nothing, &nothing, 200 * MSEC, &failed, &result, &error), 0);
        cr_expect_eq(result.end, MAYFLY_TIMED_OUT);
        mayfly_result_done(&result);
        cr_expect_eq(mayfly_pipe(fails, 0, &nothing, &nothing, 0, &failed, &result, &error),
                     -EINVAL);
    }
    ground_done(&ground);
}
