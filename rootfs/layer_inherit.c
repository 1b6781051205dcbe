/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories without an entry of their own.  The layers below are asked from
 * the highest down; the first that has anything at the path decides.
 */
#include "layer_inherit.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>

/* Return: 1 when the layer below decides about the path, 0 when it has nothing there, -errno. */
static int inherit_one(int tree_fd, int below_fd, const char *path, struct err *err) {
    _cleanup_close_ int below = fd_open_beneath(below_fd, path, O_PATH | O_NOFOLLOW, 0);
    _cleanup_close_ int own = -1;
    struct stat st, mine;

    if (below == -ENOENT)
        return 0;
    /* A link or a file on the way: the path is this layer's own. */
    if (below < 0 || fstat(below, &st) < 0 || !S_ISDIR(st.st_mode))
        return 1;
    own = fd_open_beneath(tree_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (own < 0)
        return 1; /* replaced later by the layer itself */
    if (fstat(own, &mine) < 0 ||
        ((st.st_uid != mine.st_uid || st.st_gid != mine.st_gid) &&
         fchown(own, st.st_uid, st.st_gid) < 0) ||
        fchmod(own, st.st_mode & 07777) < 0 ||
        futimens(own, (const struct timespec[2]){st.st_mtim, st.st_mtim}) < 0)
        return err_errno(err, "cannot set the mode of '%.200s'", path);
    return 1;
}

int layer_inherit(int tree_fd, int below_fd, struct strv *implied, struct err *err) {
    struct strv left = {0};
    int r = 0;

    /* From the end: what lies in a directory was implied after it. */
    for (size_t i = implied->n; i > 0 && r >= 0; i--) {
        r = inherit_one(tree_fd, below_fd, implied->items[i - 1], err);
        if (r == 0 && strv_push(&left, implied->items[i - 1]) < 0)
            r = err_nomem(err);
    }
    /* What is left is in the other order; turn it again. */
    for (size_t i = 0; i < left.n / 2; i++) {
        char *item = left.items[i];

        left.items[i] = left.items[left.n - 1 - i];
        left.items[left.n - 1 - i] = item;
    }
    strv_done(implied);
    *implied = left;
    return r < 0 ? r : 0;
}
