/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The groups of a run, in its directory: a line each, its kind and its path.
 * Written before a group is made, so that there is none without a line; a line
 * that was cut off while it was written names none yet.  Whoever wants to pause
 * or measure a container from outside reads it, too.
 */
#include "cgroup_record.h"

#include "cgroup_base.h"
#include "cgroup_remove.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"

#include <errno.h>
#include <fcntl.h>

#define RECORD_FILE "cgroups"
#define MAX_RECORD_BYTES (1u << 20)

static const char *const kind_names[] = {
    [CGROUP_KIND_V2] = "v2",
    [CGROUP_KIND_V1] = "v1",
    [CGROUP_KIND_LEAF] = "leaf",
};

int cgroup_record_add(int run_fd, enum cgroup_kind kind, const char *path, struct err *err) {
    _cleanup_close_ int fd =
        openat(run_fd, RECORD_FILE, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    _cleanup_free_ char *line = str_printf("%s %s\n", kind_names[kind], path);
    int r = fd < 0 ? -errno : 0;

    if (!line)
        return err_nomem(err);
    if (r == 0)
        r = fd_write_all(fd, line, strlen(line));
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot write to the run's directory in the store");
    }
    return 0;
}

int cgroup_record_each(int run_fd,
                       int (*function)(void *argument, enum cgroup_kind kind, const char *path),
                       void *argument) {
    _cleanup_free_ char *text = NULL;
    int r = fd_read_file(run_fd, RECORD_FILE, MAX_RECORD_BYTES, &text, NULL);

    if (r < 0)
        return r;
    for (char *line = text, *end; r == 0 && (end = strchr(line, '\n')); line = end + 1) {
        char *path = strchr(line, ' ');

        *end = '\0';
        if (!path || path[1] != '/')
            continue;
        *path++ = '\0';
        for (size_t i = 0; r == 0 && i < N_ELEMENTS(kind_names); i++)
            if (str_eq(line, kind_names[i]))
                r = function(argument, (enum cgroup_kind)i, path);
    }
    return r;
}

static int clean_group(void *argument, enum cgroup_kind kind, const char *path) {
    (void)argument;
    if (kind != CGROUP_KIND_LEAF && cgroup_base_is_ours(path))
        (void)cgroup_remove(path);
    return 0;
}

static int clean_leaf(void *argument, enum cgroup_kind kind, const char *path) {
    (void)argument;
    if (kind == CGROUP_KIND_LEAF)
        cgroup_base_leave(path);
    return 0;
}

void cgroup_record_clean(int run_fd) {
    /* A leaf is left when it is alone. */
    if (cgroup_record_each(run_fd, clean_group, NULL) == 0)
        (void)cgroup_record_each(run_fd, clean_leaf, NULL);
}
