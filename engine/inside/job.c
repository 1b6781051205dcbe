/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job's words travel in a memory file, whatever their length, as records: a
 * letter that says what it is, the text, a NUL.
 */
#include "job.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/message.h"

#include <errno.h>
#include <sys/mman.h>

enum record {
    RECORD_ARGUMENT = 'a',
    RECORD_ENV = 'e',
    RECORD_WORKDIR = 'w',
    RECORD_USER = 'u',
    RECORD_TERM = 't',
};

void job_done(struct job *job) {
    strv_done(&job->argv);
    strv_done(&job->env);
    free(job->workdir);
    free(job->user);
    free(job->term);
    *job = (struct job){0};
}

static void put(struct buf *buf, enum record record, const char *text) {
    const char letter = (char)record;

    if (!text)
        return;
    buf_append(buf, &letter, 1);
    buf_append(buf, text, strlen(text) + 1);
}

void job_encode(const struct job *job, struct buf *buf) {
    for (size_t i = 0; i < job->argv.n; i++)
        put(buf, RECORD_ARGUMENT, job->argv.items[i]);
    for (size_t i = 0; i < job->env.n; i++)
        put(buf, RECORD_ENV, job->env.items[i]);
    put(buf, RECORD_WORKDIR, job->workdir);
    put(buf, RECORD_USER, job->user);
    put(buf, RECORD_TERM, job->term);
}

static int set(char **place, const char *text) {
    free(*place);
    *place = strdup(text);
    return *place ? 0 : -ENOMEM;
}

static int take(struct job *job, char record, const char *text) {
    switch (record) {
    case RECORD_ARGUMENT:
        return strv_push(&job->argv, text);
    case RECORD_ENV:
        return strchr(text, '=') && *text != '=' ? strv_push(&job->env, text) : -EINVAL;
    case RECORD_WORKDIR:
        return *text ? set(&job->workdir, text) : -EINVAL;
    case RECORD_USER:
        return set(&job->user, text);
    case RECORD_TERM:
        return set(&job->term, text);
    default:
        return -EINVAL;
    }
}

int job_decode(const void *data, size_t size, struct job *ret_job) {
    const char *p = data, *end = p + size;
    int r = 0;

    *ret_job = (struct job){0};
    if (size == 0 || end[-1] != '\0')
        return -EINVAL;
    for (; r == 0 && p < end; p += strlen(p) + 1)
        r = take(ret_job, *p, *p ? p + 1 : p);
    return r == 0 && ret_job->argv.n == 0 ? -EINVAL : r;
}

/* A job's words as a memory file.  Return: a descriptor, or -errno with a text. */
static int write_words(const struct job *job, struct err *err) {
    _cleanup_close_ int words = memfd_create("job", MFD_CLOEXEC);
    _cleanup_buf_ struct buf bytes = BUF_INIT;

    job_encode(job, &bytes);
    if (buf_failed(&bytes))
        return err_nomem(err);
    if (bytes.size > JOB_MAX_BYTES)
        return err_set(err, -E2BIG, "the command line and the environment are too long");
    if (words < 0 || fd_write_all(words, bytes.data, bytes.size) < 0)
        return err_errno(err, "cannot ask the container to start %s", job->argv.items[0]);
    return take_fd(words);
}

int job_start(int socket_fd, const struct job *job, enum job_flags flags, const int stdio[3],
              const struct winsize *window, struct err *err) {
    bool has_stdio = !(flags & (JOB_TERMINAL | JOB_DETACHED));
    struct message message = {
        .kind = MESSAGE_RUN,
        .value = (int32_t)flags,
        .window = window ? *window : (struct winsize){.ws_row = 24, .ws_col = 80},
    };
    _cleanup_close_ int words = write_words(job, err);
    const int fds[4] = {words, stdio ? stdio[0] : -1, stdio ? stdio[1] : -1, stdio ? stdio[2] : -1};
    int r;

    if (words < 0)
        return words;
    r = message_send(socket_fd, &message, fds, has_stdio ? 4 : 1);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot ask the container to start %s", job->argv.items[0]);
    }
    return 0;
}

int job_closure(int socket_fd, int block_fd, const int stdio[3], struct err *err) {
    const struct message message = {.kind = MESSAGE_RUN, .value = JOB_CLOSURE};
    const int fds[4] = {block_fd, stdio[0], stdio[1], stdio[2]};

    if (message_send(socket_fd, &message, fds, N_ELEMENTS(fds)) < 0)
        return err_errno(err, "cannot ask the container to call a function");
    return 0;
}

int job_copy(int socket_fd, enum job_flags kind, const char *source, const char *target,
             int copy_fd, struct err *err) {
    const struct message message = {.kind = MESSAGE_RUN, .value = (int32_t)kind};
    _cleanup_close_ int words = -1;
    _cleanup_job_ struct job job = {0};
    int r = strv_push(&job.argv, source);

    if (r == 0 && target)
        r = strv_push(&job.argv, target);
    if (r < 0)
        return err_nomem(err);
    words = write_words(&job, err);
    if (words < 0)
        return words;
    if (message_send(socket_fd, &message, (int[]){words, copy_fd}, 2) < 0)
        return err_errno(err, "cannot ask the container for a copy");
    return 0;
}
