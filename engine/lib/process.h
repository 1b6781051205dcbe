/* SPDX-License-Identifier: Apache-2.0 */
/* Programs and functions under way; what mayfly_exec() and mayfly_pipe() are made of. */
#ifndef MAYFLY_PROCESS_H
#define MAYFLY_PROCESS_H

#include "engine/base/err.h"
#include "engine/inside/closure.h"
#include "library.h"

/**
 * struct mayfly_process
 * @socket_fd: its connection to PID 1
 * @block: of a function, mapped; NULL: a program
 * @block_bytes: its size
 */
struct mayfly_process {
    int socket_fd;
    struct closure *block;
    size_t block_bytes;
    uint64_t started_nsec;
};

#define PROCESS_INIT ((struct mayfly_process){.socket_fd = -1})

/**
 * process_start() - start what a command says
 * @stdio: its standard descriptors, lent
 *
 * Return: 0 or -errno with a text; process_end() is due either way.
 */
int process_start(struct mayfly_process *process, struct mayfly_container *container,
                  const struct mayfly_command *command, const int stdio[3], struct err *err);

/**
 * process_finish() - take the end that the connection has to tell, waiting for it
 *
 * Fills in all of @result but the outputs.
 * Return: 0 or -errno with a text.
 */
int process_finish(struct mayfly_process *process, struct mayfly_result *result, struct err *err);

/** process_end() - end it if it still runs, and free what is left. */
void process_end(struct mayfly_process *process);

/**
 * process_stdio() - the descriptors of streams that need nobody to carry bytes
 * @ret_fds: for standard input, output and error; those in @ret_owned are the caller's to close
 *
 * Streams of MAYFLY_CALLBACK, and outputs of MAYFLY_DATA, are left at -1.
 * Return: 0 or -errno with a text.
 */
int process_stdio(const struct mayfly_command *command, int ret_fds[3], int ret_owned[3],
                  struct err *err);

#endif
