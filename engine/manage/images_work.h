/* SPDX-License-Identifier: Apache-2.0 */
/* How images.c and images_out.c have their work done; for no one else. */
#ifndef MAYFLY_IMAGES_WORK_H
#define MAYFLY_IMAGES_WORK_H

#include "engine/base/buf.h"
#include "engine/state.h"
#include "images.h"

/**
 * struct images_work - what a child is to do
 * @function: called in the child
 * @reads: it reads layers, see userns_call_as_root(); otherwise it writes them
 * @is_remote: what it brings in comes from a registry or server
 * @reference, @flag, @argument: the caller's own
 * @answer: what the child has found out, for the parent
 */
struct images_work {
    struct images *images;
    int (*function)(struct images_work *work, struct err *err);
    bool reads;
    bool is_remote;
    const char *reference;
    bool flag;
    void *argument;
    struct state state;
    struct buf answer;
    int answer_fd;
};

/**
 * images_work_call() - have work done by a child with the ids that layers need
 * @ret_answer: what it had to say, NUL-terminated, to free(3); NULL after an error
 *
 * Return: what @work->function returned; -EINTR when it was broken off, with @images->interrupted
 * set; or another -errno, always with a text.
 */
int images_work_call(struct images_work *work, char **ret_answer, struct err *err);

#endif
