/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receiving side of a copy.  What comes is not trusted: a name is one
 * component, entries are made and opened without following links, and the stack
 * of open directories is the only way up.
 *
 * A file is written without a name and linked into place when it is complete, so
 * that neither a failure nor a kill leaves half of one; where something is to be
 * replaced, or the file system has no nameless files, a temporary name is put on
 * record first.
 */
#include "copy.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>

#define MAX_DEPTH 512

/* A directory that is being filled; its mode and time are set when it is complete. */
struct level {
    int fd;
    uint32_t mode;
    struct timespec times[2];
};

static int fail(struct err *err, int r, const char *what) {
    errno = -r;
    return err_errno(err, "cannot write %s", what);
}

static mode_t mode_of(const struct copy *copy, const struct copy_record *record) {
    return record->mode & (copy->plain_modes ? 01777 : 07777);
}

static void times_of(const struct copy_record *record, struct timespec times[2]) {
    times[0] = times[1] = (struct timespec){
        .tv_sec = record->mtime_sec,
        .tv_nsec =
            record->mtime_nsec >= 0 && record->mtime_nsec < 1000000000 ? record->mtime_nsec : 0,
    };
}

static int own(const struct copy *copy, const struct copy_record *record, int dir_fd,
               const char *name) {
    const int flags = AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH);

    if (!copy->chown)
        return 0;
    if (copy->of_tar && fchownat(dir_fd, name, record->uid, record->gid, flags) == 0)
        return 0;
    /* The container may have no such id. */
    if (copy->of_tar && errno != EINVAL)
        return -errno;
    return fchownat(dir_fd, name, copy->uid, copy->gid, flags) < 0 ? -errno : 0;
}

int copy_temporary_name(const struct copy *copy, int dir_fd, char ret_name[COPY_NAME_BYTES]) {
    uint64_t bits;

    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        return -errno;
    snprintf(ret_name, COPY_NAME_BYTES, ".mayfly-%016llx", (unsigned long long)bits);
    return copy->note ? copy->note(copy->context, dir_fd, ret_name) : 0;
}

/* Gives the nameless file @fd the name @name, in the place of whatever has it. */
static int link_in(const struct copy *copy, int fd, int dir_fd, const char *name) {
    char self[32], temporary[COPY_NAME_BYTES];
    int r;

    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (sys_linkat(AT_FDCWD, self, dir_fd, name, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    r = copy_temporary_name(copy, dir_fd, temporary);
    if (r < 0)
        return r;
    if (sys_linkat(AT_FDCWD, self, dir_fd, temporary, AT_SYMLINK_FOLLOW) < 0)
        return -errno;
    if (sys_renameat2(dir_fd, temporary, dir_fd, name, 0) < 0) {
        r = -errno;
        unlinkat(dir_fd, temporary, 0);
        return r;
    }
    return 0;
}

static int fill(const struct copy *copy, const struct copy_record *record, int from_fd, int to_fd) {
    struct timespec times[2];
    int r = copy_data(copy, from_fd, to_fd);

    if (r == 0)
        r = own(copy, record, to_fd, "");
    if (r == 0 && fchmod(to_fd, mode_of(copy, record)) < 0)
        r = -errno;
    times_of(record, times);
    if (r == 0 && futimens(to_fd, times) < 0)
        r = -errno;
    return r;
}

static int receive_file(const struct copy *copy, const struct copy_record *record, int from_fd,
                        int dir_fd, const char *name) {
    _cleanup_close_ int fd = openat(dir_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    char temporary[COPY_NAME_BYTES];
    struct stat st;
    int r;

    if (from_fd < 0 || fstat(from_fd, &st) < 0 || !S_ISREG(st.st_mode))
        return -EPROTO;
    if (fd >= 0) {
        r = fill(copy, record, from_fd, fd);
        return r < 0 ? r : link_in(copy, fd, dir_fd, name);
    }
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
        return -errno;
    r = copy_temporary_name(copy, dir_fd, temporary);
    if (r < 0)
        return r;
    fd = openat(dir_fd, temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = fill(copy, record, from_fd, fd);
    if (r == 0 && sys_renameat2(dir_fd, temporary, dir_fd, name, 0) < 0)
        r = -errno;
    if (r < 0)
        unlinkat(dir_fd, temporary, 0);
    return r;
}

/* A symbolic link or FIFO, in the place of another or of a file. */
static int receive_special(const struct copy *copy, const struct copy_record *record, int dir_fd,
                           const char *name) {
    struct timespec times[2];
    struct stat st;
    int r;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (S_ISDIR(st.st_mode))
            return -EISDIR;
        if (sys_unlinkat(dir_fd, name, 0) < 0)
            return -errno;
    }
    if (record->kind == COPY_SYMLINK
            ? sys_symlinkat(record->text + strlen(record->text) + 1, dir_fd, name) < 0
            : sys_mknodat(dir_fd, name, S_IFIFO | (mode_of(copy, record) & 0777), 0) < 0)
        return -errno;
    r = own(copy, record, dir_fd, name);
    times_of(record, times);
    if (r == 0 && utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        r = -errno;
    return r;
}

/* One more name for a file that was written; @top_fd: the directory that the whole tar goes to. */
static int receive_link(const struct copy *copy, const struct copy_record *record, int top_fd,
                        int dir_fd, const char *name) {
    char *target = (char *)record->text + strlen(record->text) + 1, *slash = strrchr(target, '/');
    _cleanup_close_ int parent = -1;

    if (!copy->of_tar || !*target)
        return -EPROTO;
    if (slash)
        *slash = '\0';
    parent = fd_open_in_root(top_fd, slash ? target : ".", O_PATH | O_DIRECTORY, 0);
    if (parent < 0)
        return parent;
    if (sys_linkat(parent, slash ? slash + 1 : target, dir_fd, name, 0) == 0)
        return 0;
    if (errno != EEXIST || sys_unlinkat(dir_fd, name, 0) < 0)
        return -errno;
    return sys_linkat(parent, slash ? slash + 1 : target, dir_fd, name, 0) < 0 ? -errno : 0;
}

static int enter_directory(const struct copy *copy, const struct copy_record *record, int dir_fd,
                           const char *name, struct level *ret_level) {
    bool made = !str_eq(name, ".") && sys_mkdirat(dir_fd, name, 0700) == 0;

    if (!made && !str_eq(name, ".") && errno != EEXIST)
        return -errno;
    ret_level->fd =
        openat(dir_fd, name,
               O_RDONLY | O_DIRECTORY | O_CLOEXEC | (copy->of_tar && !made ? 0 : O_NOFOLLOW));
    if (ret_level->fd < 0)
        return errno == ELOOP || errno == ENOTDIR ? -EEXIST : -errno;
    ret_level->mode = made ? mode_of(copy, record) : UINT32_MAX;
    times_of(record, ret_level->times);
    return made ? own(copy, record, ret_level->fd, "") : 0;
}

/* Directories that were there keep their mode and owner. */
static int leave_directory(struct level *level) {
    int r = 0;

    if (level->mode != UINT32_MAX &&
        (fchmod(level->fd, level->mode) < 0 || futimens(level->fd, level->times) < 0))
        r = -errno;
    close(take_fd(level->fd));
    return r;
}

int copy_receive_next(struct copy *copy, struct copy_record *ret_record, int *ret_fd,
                      struct err *err) {
    int r = copy_get(copy, ret_record, ret_fd);

    if (r < 0)
        return err_set(err, r,
                       r == -EPIPE ? "the other side of the copy died" : "the copy was broken off");
    if (ret_record->kind == COPY_ERROR)
        return err_set(err, ret_record->code < 0 ? ret_record->code : -EIO, "%s",
                       ret_record->text + strlen(ret_record->text) + 1);
    if (ret_record->kind == COPY_END)
        copy->n_skipped = ret_record->n_skipped;
    return 0;
}

int copy_receive_end(const struct copy *copy, int r, const struct err *err) {
    const struct copy_record end = {.kind = COPY_END};

    if (r == 0)
        return copy_put(copy, &end, -1);
    copy_fail(copy, err);
    return r;
}

static int receive_all(struct copy *copy, int dir_fd, const char *name, struct level *levels,
                       size_t *n_levels, struct err *err) {
    for (;;) {
        struct copy_record record;
        _cleanup_close_ int fd = -1;
        int r = copy_receive_next(copy, &record, &fd, err), in;
        const char *entry;

        if (r < 0)
            return r;
        if (record.kind == COPY_END)
            return *n_levels == 0 ? 0 : err_set(err, -EPROTO, "the copy ended too early");
        in = *n_levels ? levels[*n_levels - 1].fd : dir_fd;
        entry = *n_levels ? record.text : name;
        if (record.kind != COPY_UP && *n_levels &&
            (!*entry || str_is_dots(entry) || strchr(entry, '/')))
            return err_set(err, -EPROTO, "the copy holds a bad name");
        if (record.kind == COPY_FILE)
            r = receive_file(copy, &record, fd, in, entry);
        else if (record.kind == COPY_SYMLINK || record.kind == COPY_FIFO)
            r = receive_special(copy, &record, in, entry);
        else if (record.kind == COPY_LINK && *n_levels > 0)
            r = receive_link(copy, &record, levels[0].fd, in, entry);
        else if (record.kind == COPY_DIRECTORY && *n_levels < MAX_DEPTH)
            r = enter_directory(copy, &record, in, entry, &levels[(*n_levels)++]);
        else if (record.kind == COPY_UP && *n_levels > 0)
            r = leave_directory(&levels[--*n_levels]);
        else
            r = record.kind == COPY_DIRECTORY ? -ENAMETOOLONG : -EPROTO;
        if (r < 0)
            return fail(err, r, *entry ? entry : "a directory");
    }
}

int copy_receive(struct copy *copy, int dir_fd, const char *name, struct err *err) {
    _cleanup_free_ struct level *levels = malloc(MAX_DEPTH * sizeof *levels);
    size_t n_levels = 0;
    int r = levels ? receive_all(copy, dir_fd, name, levels, &n_levels, err) : err_nomem(err);

    while (n_levels > 0)
        if (levels[--n_levels].fd >= 0)
            close(levels[n_levels].fd);
    return copy_receive_end(copy, r, err);
}
