/* SPDX-License-Identifier: Apache-2.0 */
/* Copies into and out of a container: this side here, the other one in a child of PID 1. */
#include "engine/base/cleanup.h"
#include "engine/live/copy_job.h"
#include "library.h"

static int copy(struct mayfly_container *container, bool down, const char *source,
                const char *target, struct err *err) {
    _cleanup_close_ int job_fd = library_connect(container, err);

    return job_fd < 0 ? job_fd : copy_job(job_fd, down, source, target, err);
}

int mayfly_copy_in(struct mayfly_container *container, const char *source, const char *target,
                   struct mayfly_error *error) {
    struct err err = {0};

    return library_return(copy(container, false, source, target, &err), &err, error);
}

int mayfly_copy_out(struct mayfly_container *container, const char *source, const char *target,
                    struct mayfly_error *error) {
    struct err err = {0};

    return library_return(copy(container, true, source, target, &err), &err, error);
}
