/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_JOB_H
#define MAYFLY_JOB_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>

/** JOB_MAX_BYTES - all words of a job together; the kernel's own limit is 6 MiB. */
#define JOB_MAX_BYTES (8u << 20)

/**
 * struct job - a program that is asked for in a container that runs
 * @argv: with at least one word; argv[0] without a slash is looked up in PATH
 * @env: NAME=VALUE, over those that all programs in the container have
 * @workdir: absolute, or relative to the container's; NULL: the container's
 * @user: USER[:GROUP]; NULL: the container's
 * @term: TERM where the program has a terminal and nothing else sets it; NULL: "xterm"
 */
struct job {
    struct strv argv;
    struct strv env;
    char *workdir;
    char *user;
    char *term;
};

void job_done(struct job *job);

#define _cleanup_job_ __attribute__((cleanup(job_done)))

/** job_encode() - append a job as bytes. */
void job_encode(const struct job *job, struct buf *buf);

/**
 * job_decode() - read a job from bytes
 *
 * Return: 0, -EINVAL for what is none, -ENOMEM; job_done() is due either way.
 */
int job_decode(const void *data, size_t size, struct job *ret_job);

/** enum job_flags - how a job is started */
enum job_flags {
    JOB_TERMINAL = 1,  /* on a terminal of the container's own */
    JOB_DETACHED = 2,  /* goes on when the connection ends; on /dev/null */
    JOB_DOWNLOAD = 32, /* a copy out of the container, see job_copy() */
    JOB_UPLOAD = 64,
    JOB_UPLOAD_TAR = 256, /* the same of a tar (copy_tar.h) */
    JOB_TELL = 4,         /* MESSAGE_READY comes when it has begun */
    JOB_GIVE = 8,         /* the streams are pipes made for it: they become its user's */
    JOB_INIT = 128,       /* the image's own init, see boot.h; with JOB_TERMINAL it has a console */
    JOB_CLOSURE = 16,     /* a function instead of a program, see job_closure() */
};

/**
 * job_start() - ask PID 1 to start a program
 * @socket_fd: a connection to PID 1 that was not used before
 * @stdio: standard input, output and error, lent; with JOB_TERMINAL and JOB_DETACHED not looked at
 * @window: of the terminal; NULL: 24 lines of 80
 *
 * PID 1 answers on @socket_fd: MESSAGE_TERMINAL with the terminal's master side; then MESSAGE_DONE
 * with the exit status and, in index, the signal that ended it; or MESSAGE_ERROR, with
 * EXIT_NOT_FOUND or EXIT_NOT_EXECUTABLE where that is why.  With JOB_DETACHED, MESSAGE_DONE comes
 * as soon as it has begun.  With JOB_TELL, MESSAGE_READY comes then; its value is 0, or of JOB_INIT
 * the signal by which that is told to shut down.  The end of the connection ends the program, and
 * all in its session, unless MESSAGE_TERMINAL has brought the terminal's master side back before.
 * MESSAGE_SIGNAL sends it a signal; on a connection without a job, to all
 * programs. Context: any. Return: 0 or -errno with a text.
 */
int job_start(int socket_fd, const struct job *job, enum job_flags flags, const int stdio[3],
              const struct winsize *window, struct err *err);

/**
 * job_closure() - ask PID 1 to call a function
 * @block_fd: a struct closure (closure.h), lent
 * @stdio: as of job_start()
 *
 * Answered as job_start() is.  Only a container of which container->takes_closures is set does it.
 * Return: 0 or -errno with a text.
 */
int job_closure(int socket_fd, int block_fd, const int stdio[3], struct err *err);

/**
 * job_copy() - ask PID 1 for its side of a copy
 * @kind: JOB_DOWNLOAD, JOB_UPLOAD or JOB_UPLOAD_TAR
 * @source: in the container with JOB_DOWNLOAD, else what it is called here
 * @target: in the container, unless JOB_DOWNLOAD; NULL: the container's workdir
 * @copy_fd: the other end of a struct copy's socket (copy.h), lent
 *
 * Answered as job_start() is, once both sides are done.
 * Return: 0 or -errno with a text.
 */
int job_copy(int socket_fd, enum job_flags kind, const char *source, const char *target,
             int copy_fd, struct err *err);

#endif
