/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sending side of a copy.  It walks with directory descriptors and never
 * through a symbolic link, and looks at what it has opened, not at what a name
 * stood for a moment before.
 */
#include "copy.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <fcntl.h>
#include <sys/stat.h>

static int send_entry(struct copy *copy, int dir_fd, const char *name, const char *sent_name,
                      struct err *err);

static int put(const struct copy *copy, struct copy_record *record, const char *name,
               const struct stat *st, int fd) {
    size_t used = strlen(name) + 1;

    memmove(record->text, name, used);
    if (record->kind != COPY_SYMLINK)
        record->text[used] = '\0';
    record->mode = st->st_mode & 07777;
    record->uid = st->st_uid;
    record->gid = st->st_gid;
    record->mtime_sec = st->st_mtim.tv_sec;
    record->mtime_nsec = st->st_mtim.tv_nsec;
    return copy_put(copy, record, fd);
}

static int fail(struct err *err, int r, const char *name) {
    errno = -r;
    return err_errno(err, "cannot copy %s", *name ? name : "it");
}

static int send_directory(struct copy *copy, int dir_fd, const char *name, const char *sent_name,
                          struct err *err) {
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct copy_record record = {.kind = COPY_DIRECTORY};
    struct dirent *entry;
    struct stat st;
    int r;

    if (!dir || fstat(dirfd(dir), &st) < 0) {
        r = -errno;
        if (!dir && fd >= 0)
            close(fd);
        return fail(err, r, name);
    }
    r = put(copy, &record, sent_name, &st, -1);
    if (r < 0)
        return fail(err, r, name);
    while ((errno = 0, entry = readdir(dir))) {
        if (str_is_dots(entry->d_name))
            continue;
        r = send_entry(copy, dirfd(dir), entry->d_name, entry->d_name, err);
        if (r < 0)
            return r;
    }
    if (errno != 0)
        return fail(err, -errno, name);
    record = (struct copy_record){.kind = COPY_UP};
    r = put(copy, &record, "", &st, -1);
    return r < 0 ? fail(err, r, name) : 0;
}

static int send_file(struct copy *copy, int dir_fd, const char *name, const char *sent_name,
                     struct err *err) {
    _cleanup_close_ int fd =
        openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct copy_record record = {.kind = COPY_FILE};
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(err, -errno, name);
    if (!S_ISREG(st.st_mode))
        return err_set(err, -ESTALE, "cannot copy %s: it changes while it is copied", name);
    r = put(copy, &record, sent_name, &st, fd);
    return r < 0 ? fail(err, r, name) : 0;
}

static int send_symlink(struct copy *copy, int dir_fd, const char *name, const char *sent_name,
                        const struct stat *st, struct err *err) {
    struct copy_record record = {.kind = COPY_SYMLINK};
    size_t used = strlen(sent_name) + 1;
    ssize_t n = readlinkat(dir_fd, name, record.text + used, PATH_MAX - 1);
    int r = n < 0 ? -errno : put(copy, &record, sent_name, st, -1);

    return r < 0 ? fail(err, r, name) : 0;
}

static int send_entry(struct copy *copy, int dir_fd, const char *name, const char *sent_name,
                      struct err *err) {
    struct copy_record record = {.kind = COPY_FIFO};
    struct stat st;
    int r;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail(err, -errno, name);
    switch (st.st_mode & S_IFMT) {
    case S_IFDIR:
        return send_directory(copy, dir_fd, name, sent_name, err);
    case S_IFREG:
        return send_file(copy, dir_fd, name, sent_name, err);
    case S_IFLNK:
        return send_symlink(copy, dir_fd, name, sent_name, &st, err);
    case S_IFIFO:
        r = put(copy, &record, sent_name, &st, -1);
        return r < 0 ? fail(err, r, name) : 0;
    default:
        copy->n_skipped++;
        return 0;
    }
}

int copy_send(struct copy *copy, int dir_fd, const char *name, struct err *err) {
    return copy_send_end(copy, send_entry(copy, dir_fd, name, "", err), err);
}

int copy_send_end(struct copy *copy, int r, struct err *err) {
    struct copy_record record = {.kind = COPY_END};
    int got;

    if (r == 0) {
        record.n_skipped = copy->n_skipped;
        r = copy_put(copy, &record, -1);
    } else if (r != -EPIPE) {
        copy_fail(copy, err);
        /* Until the other side has put away what it was at. */
        (void)copy_get(copy, &record, NULL);
        return r;
    }
    /* The other side's last word tells more than a socket that it has closed. */
    got = copy_get(copy, &record, NULL);
    if (got < 0)
        return err_set(err, got,
                       got == -EPIPE ? "the other side of the copy died"
                                     : "the copy was broken off");
    if (record.kind == COPY_ERROR)
        return err_set(err, record.code < 0 ? record.code : -EIO, "%s", record.text + 1);
    return r;
}
