/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_OUTLET_H
#define MAYFLY_OUTLET_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "mayfly.h"

/**
 * struct outlet - an output that somebody has to carry
 * @read_fd: for poll(2); -1 when there is nothing to carry, or no more
 */
struct outlet {
    const struct mayfly_stream *stream;
    int read_fd;
    int write_fd;
    struct buf buf;
};

#define OUTLET_INIT ((struct outlet){.read_fd = -1, .write_fd = -1})

/**
 * outlet_open() - begin, for a stream of MAYFLY_DATA or MAYFLY_CALLBACK; of others nothing happens
 * @stream: borrowed
 * @ret_fd: receives the end to write to, the outlet's own
 *
 * Return: 0 or -errno with a text; outlet_close() is due either way.
 */
int outlet_open(struct outlet *outlet, const struct mayfly_stream *stream, int *ret_fd,
                struct err *err);

/** outlet_release() - the end to write to is with the program alone now, so that its end is seen.
 */
void outlet_release(struct outlet *outlet);

/** outlet_read() - take what is there.  Return: 0, 1 when the callback refuses, or -errno with a
 * text. */
int outlet_read(struct outlet *outlet, struct err *err);

/** outlet_give() - hand over what MAYFLY_DATA has gathered, NUL-terminated; of others nothing. */
int outlet_give(struct outlet *outlet, char **ret_text, size_t *ret_n, struct err *err);

void outlet_close(struct outlet *outlet);

#endif
