/* SPDX-License-Identifier: Apache-2.0 */
#include "unpacking.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "tarball.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* A tar that is handed out in pieces. */
struct pieces {
    const struct buf *tar;
    size_t used;
    size_t piece_bytes;
};

static ssize_t read_piece(void *context, const void **ret_data, struct err *err) {
    struct pieces *p = context;
    size_t n = p->tar->size - p->used;

    (void)err;
    if (n > p->piece_bytes)
        n = p->piece_bytes;
    *ret_data = p->tar->data + p->used;
    p->used += n;
    return (ssize_t)n;
}

/* Unpacks into the scratch directory's "tree"; the result, and what it was. */
int unpacking_counted(struct scratch *scratch, struct buf *tar, struct unpack_count *count,
                      struct err *err) {
    struct pieces pieces = {.tar = tar, .piece_bytes = 4096};
    const struct unpack_source source = {.read = read_piece, .context = &pieces};
    _cleanup_close_ int fd = -1;

    *err = (struct err){0};
    umask(0);
    cr_assert_eq(mkdirat(scratch->fd, "tree", 0755), 0);
    fd = openat(scratch->fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return unpack_layer(&source, fd, scratch_owners(), count, err);
}

int unpacking_try(struct scratch *scratch, struct buf *tar, struct err *err) {
    struct unpack_count count;
    int r = unpacking_counted(scratch, tar, &count, err);

    strv_done(&count.implied);
    return r;
}

/* Ends the tar, unpacks it, and frees it. */
void unpacking_fine(struct scratch *scratch, struct buf *tar) {
    struct err err;

    tarball_end(tar);
    cr_assert_eq(unpacking_try(scratch, tar, &err), 0, "%s", err.message);
    buf_done(tar);
}

void unpacking_refused(struct buf *tar, int code, const char *text) {
    _cleanup_scratch_ struct scratch scratch;
    struct err err;

    scratch_init(&scratch);
    tarball_end(tar);
    cr_assert_eq(unpacking_try(&scratch, tar, &err), code, "%s: %d %s", text, err.code,
                 err.message);
    cr_assert_not_null(strstr(err.message, text), "%s", err.message);
    buf_done(tar);
}

struct stat unpacking_look(const struct scratch *scratch, const char *path) {
    char full[512];
    struct stat st;

    snprintf(full, sizeof full, "tree/%s", path);
    cr_assert_eq(fstatat(scratch->fd, full, &st, AT_SYMLINK_NOFOLLOW), 0, "%s", path);
    return st;
}

bool unpacking_has(const struct scratch *scratch, const char *path) {
    char full[512];

    snprintf(full, sizeof full, "tree/%s", path);
    return faccessat(scratch->fd, full, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void unpacking_content(const struct scratch *scratch, const char *path, const char *content) {
    _cleanup_free_ char *text = NULL;
    char full[512];

    snprintf(full, sizeof full, "tree/%s", path);
    cr_assert_eq(fd_read_file(scratch->fd, full, 1 << 20, &text, NULL), 0, "%s", path);
    cr_assert_str_eq(text, content);
}

void unpacking_link(const struct scratch *scratch, const char *path, const char *target) {
    char full[512], text[512];
    ssize_t n;

    snprintf(full, sizeof full, "tree/%s", path);
    n = readlinkat(scratch->fd, full, text, sizeof text - 1);
    cr_assert_geq(n, 0, "%s", path);
    text[n] = '\0';
    cr_assert_str_eq(text, target);
}

bool unpacking_is_whiteout(const struct scratch *scratch, const char *path) {
    struct stat st = unpacking_look(scratch, path);

    return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

bool unpacking_has_xattr(const struct scratch *scratch, const char *path, const char *name,
                         const char *value) {
    char full[640], text[64];
    ssize_t n;

    snprintf(full, sizeof full, "%s/tree/%s", scratch->path, path);
    n = lgetxattr(full, name, text, sizeof text);
    return n == (ssize_t)strlen(value) && memcmp(text, value, (size_t)n) == 0;
}
