/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CLOSURE_H
#define MAYFLY_CLOSURE_H

#include "engine/base/err.h"
#include "step.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** typedef closure_function - as mayfly_function (lib/mayfly.h) */
typedef int closure_function(const void *argument, size_t n_argument, void *result,
                             size_t *n_result);

/**
 * struct closure - a function to be called in a container, and its answer
 * @function: valid in PID 1, whose memory is a copy of that of the process which made the container
 * @n_argument: bytes at @data
 * @n_result: bytes behind them: the room for the answer, and its length once it is there
 *
 * It lies in a memory file that both sides map.
 */
struct closure {
    closure_function *function;
    uint64_t n_argument;
    uint64_t n_result;
    _Alignas(16) char data[];
};

/** closure_bytes() - the size of a whole block; 0: too large. */
size_t closure_bytes(uint64_t n_argument, uint64_t n_result);

/** closure_result_offset() - where the answer begins in @data, aligned for any type. */
static inline size_t closure_result_offset(uint64_t n_argument) {
    return (size_t)(n_argument + 15) & ~(size_t)15;
}

/**
 * closure_spawn() - call a function in a process of its own
 * @step: the user, the directory and the standard descriptors; its words are not looked at
 * @block_fd: the memory file
 *
 * Context: PID 1, after pivot.
 * Return: its pid, or -errno with a text.
 */
pid_t closure_spawn(const struct step *step, int block_fd, struct err *err);

#endif
