/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What writes to layers or reads them does so in a child, in the user namespace
 * whose ids the layers carry; what it has found out comes back through an
 * anonymous file.  A directory of the state, as of a run, lets the next command
 * wait for the child of one that was killed.
 */
#include "images_work.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/confine/importer.h"
#include "engine/userns.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* More than this no child has to tell. */
#define ANSWER_BYTES_MAX (64U << 20)

static int run_work(void *argument, struct err *err) {
    struct images_work *work = argument;
    struct importer importer;
    int r;

    importer_begin(&importer, &work->images->store, work->is_remote);
    r = work->function(work, err);
    importer_end(&importer);
    if (r == 0 && buf_failed(&work->answer))
        r = err_nomem(err);
    if (r == 0 && work->answer.size > 0) {
        r = fd_write_all(work->answer_fd, work->answer.data, work->answer.size);
        if (r < 0)
            err_set(err, r, "cannot hand over the result");
    }
    buf_done(&work->answer);
    return r;
}

/* The signal that has broken off a call, when there is one. */
static void note_interruption(struct images *images) {
    int number;

    while ((number = signals_next(images->signals.fd)) > 0)
        if (number != SIGWINCH && images->interrupted == 0)
            images->interrupted = number;
}

int images_work_call(struct images_work *work, char **ret_answer, struct err *err) {
    struct images *images = work->images;
    _cleanup_close_ int answer_fd = memfd_create("mayfly", MFD_CLOEXEC);
    _cleanup_close_ int interrupt_fd = signals_open_ends(err);
    int r;

    if (answer_fd < 0)
        return err_errno(err, "cannot make an anonymous file");
    if (interrupt_fd < 0)
        return interrupt_fd;
    work->answer_fd = answer_fd;
    r = state_create(&work->state, &images->store, NULL, err);
    if (r < 0)
        return r;
    r = work->reads ? userns_call_as_root(&images->map, run_work, work, interrupt_fd, err)
                    : userns_call(&images->map, run_work, work, interrupt_fd, err);
    if (r == -EINTR)
        note_interruption(images);
    if (r > 0)
        r = -EPERM; /* the maps were granted a moment ago */
    if (r < 0)
        (void)store_clean(&images->store);
    (void)state_destroy(&work->state, &images->map, NULL);
    if (r == 0 && (lseek(answer_fd, 0, SEEK_SET) < 0 ||
                   fd_read_all(answer_fd, ANSWER_BYTES_MAX, ret_answer, NULL) < 0))
        r = err_nomem(err);
    return r;
}
