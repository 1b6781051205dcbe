/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_WATCH_H
#define MAYFLY_WATCH_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

/** struct watch - files and directories, with all below them, that are looked after for changes */
struct watch;

/** struct watch_change - what has changed: how many paths, and the first of them, to free(3) */
struct watch_change {
    size_t n;
    char *path;
};

/* Condition of watch_wait(). */
#define WATCH_SIGNALLED 1

/**
 * watch_new() - begin to look
 * @paths: files and directories; a file is looked for by its name, so that one that is saved by
 *         renaming stays the same
 *
 * Names that editors and version control use for themselves are no changes (.git, .x.swp, x~, ...).
 * Spec: inotify(7).
 * Return: 0, -errno with a text that names the path and the mend.
 */
int watch_new(struct watch **ret_watch, const struct strv *paths, struct err *err);

void watch_free(struct watch *watch);

/** watch_ignore() - a path that a run writes, with all below it, is no change.  Return: 0 or
 * -ENOMEM. */
int watch_ignore(struct watch *watch, const char *path);

/**
 * watch_add_writable() - a directory or file that a run may write in, such as a volume
 *
 * What appears there while a run lasts, and what two runs in a row have changed, is taken for the
 * runs' own; any other change there while a run lasts is taken for a person's.
 * Return: 0 or -ENOMEM.
 */
int watch_add_writable(struct watch *watch, const char *path);

/**
 * watch_run_ended() - look at what has changed while a run has lasted
 * @ret_change: n is 0 when that was nothing, or the run's own doing
 *
 * Return: 0, -errno with a text.
 */
int watch_run_ended(struct watch *watch, struct watch_change *ret_change, struct err *err);

/**
 * watch_wait() - wait for a change, and until nothing has changed for a moment
 * @signal_fd: ends the waiting when it can be read
 *
 * Return: 0, WATCH_SIGNALLED, -errno with a text (-ENOENT: all that was watched is gone).
 */
int watch_wait(struct watch *watch, int signal_fd, struct watch_change *ret_change,
               struct err *err);

#endif
