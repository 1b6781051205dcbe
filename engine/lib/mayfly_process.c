/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs and functions under way.  Each has a connection to PID 1 of its own
 * (job.h), which tells its end and ends it when it is closed.  Input that is
 * bytes lies in a memory file, so that nobody has to carry it.
 */
#include "process.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/inside/job.h"
#include "engine/message.h"
#include "engine/result.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

/* --- streams --------------------------------------------------------------------- */

static int open_null(struct err *err) {
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    return fd < 0 ? err_errno(err, "cannot open /dev/null") : fd;
}

static int open_data(const struct mayfly_stream *stream, struct err *err) {
    _cleanup_close_ int fd = memfd_create("input", MFD_CLOEXEC);

    if (fd < 0 || fd_write_all(fd, stream->data, stream->n_bytes) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return err_errno(err, "cannot keep the input");
    return take_fd(fd);
}

int process_stdio(const struct mayfly_command *command, int ret_fds[3], int ret_owned[3],
                  struct err *err) {
    const struct mayfly_stream *streams[3] = {&command->input, &command->output, &command->errors};
    int r = 0;

    for (int i = 0; i < 3; i++)
        ret_fds[i] = ret_owned[i] = -1;
    for (int i = 0; r >= 0 && i < 3; i++) {
        switch (streams[i]->kind) {
        case MAYFLY_NOTHING:
            r = ret_fds[i] = ret_owned[i] = open_null(err);
            break;
        case MAYFLY_FD:
            ret_fds[i] = streams[i]->fd;
            break;
        case MAYFLY_DATA:
            if (i == 0)
                r = ret_fds[i] = ret_owned[i] = open_data(streams[i], err);
            break;
        case MAYFLY_CALLBACK:
            if (i == 0)
                r = err_set(err, -EINVAL, "input cannot be a callback");
            break;
        }
    }
    return r < 0 ? r : 0;
}

/* --- starting -------------------------------------------------------------------- */

static int copy_words(struct strv *strv, const char *const *words) {
    int r = 0;

    for (; r == 0 && words && *words; words++)
        r = strv_push(strv, *words);
    return r;
}

static int start_program(const struct mayfly_process *process, const struct mayfly_command *command,
                         const int stdio[3], struct err *err) {
    const char *const shell[] = {"/bin/sh", "-c", command->shell, NULL};
    _cleanup_job_ struct job job = {0};
    int r = copy_words(&job.argv, command->argv ? command->argv : shell);

    if (r == 0)
        r = copy_words(&job.env, command->env);
    if (r == 0 && command->workdir && !(job.workdir = strdup(command->workdir)))
        r = -ENOMEM;
    if (r == 0 && command->user && !(job.user = strdup(command->user)))
        r = -ENOMEM;
    if (r < 0)
        return err_nomem(err);
    return job_start(process->socket_fd, &job, 0, stdio, NULL, err);
}

static int start_function(struct mayfly_process *process, const struct mayfly_command *command,
                          const int stdio[3], struct err *err) {
    size_t size = closure_bytes(command->n_argument, command->n_result);
    _cleanup_close_ int fd = memfd_create("call", MFD_CLOEXEC);
    struct closure *block;

    if (size == 0)
        return err_set(err, -E2BIG, "the argument or the room for the answer is too large");
    if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
        return err_errno(err, "cannot make room for a call");
    block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (block == MAP_FAILED)
        return err_errno(err, "cannot make room for a call");
    process->block = block;
    process->block_bytes = size;
    block->function = command->function;
    block->n_argument = command->n_argument;
    block->n_result = command->n_result;
    if (command->n_argument > 0)
        memcpy(block->data, command->argument, command->n_argument);
    return job_closure(process->socket_fd, fd, stdio, err);
}

int process_start(struct mayfly_process *process, struct mayfly_container *container,
                  const struct mayfly_command *command, const int stdio[3], struct err *err) {
    bool is_program = command->argv || command->shell;

    *process = PROCESS_INIT;
    process->started_nsec = clock_monotonic();
    if (!is_program && !command->function)
        return err_set(err, -EINVAL, "a command needs a program or a function");
    if (command->argv && !command->argv[0])
        return err_set(err, -EINVAL, "a command needs at least one word");
    if (!is_program && container->owner != getpid())
        return err_set(err, -ENOTSUP,
                       "functions run only in containers that this very process has started");
    process->socket_fd = library_connect(container, err);
    if (process->socket_fd < 0)
        return process->socket_fd;
    return is_program ? start_program(process, command, stdio, err)
                      : start_function(process, command, stdio, err);
}

/* --- the end ----------------------------------------------------------------------- */

/* What a function has left, no longer than its room whatever the block says now. */
static int take_answer(const struct mayfly_process *process, struct mayfly_result *result,
                       struct err *err) {
    size_t offset = closure_result_offset(process->block->n_argument);
    size_t room = process->block_bytes - sizeof *process->block;
    size_t n = (size_t)process->block->n_result;

    room = offset < room ? room - offset : 0;
    if (n > room)
        n = room;
    if (n == 0)
        return 0;
    result->answer = malloc(n);
    if (!result->answer)
        return err_nomem(err);
    memcpy(result->answer, process->block->data + offset, n);
    result->n_answer = n;
    return 0;
}

int process_finish(struct mayfly_process *process, struct mayfly_result *result, struct err *err) {
    struct message message;
    int r = message_receive(process->socket_fd, &message, NULL, 0, NULL);

    result->elapsed_nsec = clock_monotonic() - process->started_nsec;
    if (r < 0) {
        result->end = MAYFLY_LOST;
        result->status = EXIT_ENGINE;
        return 0;
    }
    if (message.kind == MESSAGE_ERROR && message.value == 0) {
        *err = message.err;
        return err->code < 0 ? err->code : err_set(err, -EPROTO, "the container did not do it");
    }
    result->status = message.value & 255;
    result->signal = message.kind == MESSAGE_DONE ? (int)message.index : 0;
    result->end = result->signal ? MAYFLY_KILLED : MAYFLY_EXITED;
    return process->block && result->end == MAYFLY_EXITED ? take_answer(process, result, err) : 0;
}

void process_end(struct mayfly_process *process) {
    if (process->socket_fd >= 0)
        close(take_fd(process->socket_fd));
    if (process->block)
        munmap(process->block, process->block_bytes);
    process->block = NULL;
}

/* --- public ------------------------------------------------------------------------ */

int mayfly_spawn(struct mayfly_container *container, const struct mayfly_command *command,
                 struct mayfly_process **ret_process, struct mayfly_error *error) {
    struct mayfly_process *process = malloc(sizeof *process);
    int fds[3] = {-1, -1, -1}, owned[3] = {-1, -1, -1};
    struct err err = {0};
    int r = process ? process_stdio(command, fds, owned, &err) : err_nomem(&err);

    if (process)
        *process = PROCESS_INIT;
    for (int i = 1; r == 0 && i < 3; i++)
        if (fds[i] < 0)
            r = err_set(&err, -EINVAL,
                        "a program that is left alone can write to a descriptor "
                        "or to nothing");
    if (r == 0)
        r = process_start(process, container, command, fds, &err);
    for (int i = 0; i < 3; i++)
        if (owned[i] >= 0)
            close(owned[i]);
    if (r == 0)
        *ret_process = process;
    else
        mayfly_process_free(process);
    return library_return(r, &err, error);
}

int mayfly_process_fd(const struct mayfly_process *process) {
    return process->socket_fd;
}

int mayfly_process_signal(struct mayfly_process *process, int number, struct mayfly_error *error) {
    const struct message message = {.kind = MESSAGE_SIGNAL, .value = number};
    struct err err = {0};
    int r = 0;

    if (number < 0 || number >= NSIG)
        r = err_set(&err, -EINVAL, "%d is no signal", number);
    else if (library_wait_fd(process->socket_fd, 0, &err) == 0 ||
             message_send(process->socket_fd, &message, NULL, 0) < 0)
        r = err_set(&err, -ESRCH, "it has ended");
    return library_return(r, &err, error);
}

int mayfly_process_wait(struct mayfly_process *process, uint64_t timeout_nsec,
                        struct mayfly_result *ret_result, struct mayfly_error *error) {
    struct err err = {0};
    int r;

    *ret_result = (struct mayfly_result){0};
    r = library_wait_fd(process->socket_fd, clock_add(clock_monotonic(), timeout_nsec), &err);
    if (r == 0)
        r = process_finish(process, ret_result, &err);
    return library_return(r, &err, error);
}

void mayfly_process_free(struct mayfly_process *process) {
    if (process)
        process_end(process);
    free(process);
}

void mayfly_result_done(struct mayfly_result *result) {
    free(result->output);
    free(result->errors);
    free(result->answer);
    *result = (struct mayfly_result){0};
}
