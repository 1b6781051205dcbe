/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar as the sending side of a copy.  A tar names each entry by its whole path,
 * in any order, a copy walks from one to the next: so up to where both paths
 * part, and down again, through directories that are made where they are
 * missing.  A file's content is put into a nameless file, which the other side
 * gets as any other.
 */
#include "copy_tar.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "rootfs/inflate.h"
#include "rootfs/layer_path.h"
#include "rootfs/lazy_archive.h"
#include "rootfs/unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A tar on its way; @at: the directory that was sent last and is still open, as a path. */
struct tar {
    struct copy *copy;
    const struct lazy_archive *la;
    struct archive *archive;
    struct inflate *inflate;
    int in_fd;
    bool has_begun;
    char at[PATH_MAX];
    struct err source_err;
    char part[64 << 10];
};

static ssize_t read_in(void *context, void *data, size_t size, struct err *err) {
    const struct tar *tar = context;
    ssize_t n;

    do
        n = read(tar->in_fd, data, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? err_errno(err, "cannot read the tar") : n;
}

static ssize_t read_part(struct archive *archive, void *context, const void **ret_data) {
    struct tar *tar = context;
    ssize_t n = inflate_read(tar->inflate, tar->part, sizeof tar->part, &tar->source_err);

    if (n < 0)
        tar->la->archive_set_error(archive, EIO, "%s", tar->source_err.message);
    *ret_data = tar->part;
    return n < 0 ? ARCHIVE_FATAL : n;
}

static int tar_failed(const struct tar *tar, struct err *err) {
    const char *text = tar->la->archive_error_string(tar->archive);

    return err_set(err, -EBADMSG, "the tar is damaged or cut short (%s)",
                   text ? text : "no details");
}

static int put(const struct tar *tar, const struct copy_record *record, int fd, struct err *err) {
    int r = copy_put(tar->copy, record, fd);

    errno = -r;
    return r < 0 ? err_errno(err, "cannot hand over %s", record->text) : 0;
}

/* --- directories -------------------------------------------------------------- */

static int leave(struct tar *tar, struct err *err) {
    const struct copy_record record = {.kind = COPY_UP};
    char *slash = strrchr(tar->at, '/');

    *(slash ? slash : tar->at) = '\0';
    return put(tar, &record, -1, err);
}

/* Whether @path is @dir or below. */
static bool is_below(const char *path, const char *dir) {
    const char *rest = str_after(path, dir);

    return !*dir || (rest && (!*rest || *rest == '/'));
}

/* Goes to the directory @path; what is missing on the way is made of @record. */
static int go_to(struct tar *tar, const char *path, const struct copy_record *record,
                 struct err *err) {
    struct copy_record step = *record;
    int r = 0;

    while (r == 0 && !is_below(path, tar->at))
        r = leave(tar, err);
    while (r == 0 && !str_eq(path, tar->at)) {
        size_t used = strlen(tar->at), from = used + (used > 0), n = strcspn(path + from, "/");

        if (n > NAME_MAX)
            return err_set(err, -ENAMETOOLONG, "'%.200s' has a name that is too long", path);
        memcpy(tar->at, path, from + n);
        tar->at[from + n] = '\0';
        memcpy(step.text, path + from, n);
        memset(step.text + n, 0, 2);
        r = put(tar, &step, -1, err);
    }
    return r;
}

/* One that the tar has no entry of. */
static struct copy_record made_directory(void) {
    return (struct copy_record){
        .kind = COPY_DIRECTORY,
        .mode = 0755,
        .mtime_sec = (int64_t)(clock_realtime() / NSEC_PER_SEC),
    };
}

/* --- entries ------------------------------------------------------------------ */

static int send_file(struct tar *tar, const struct copy_record *record, struct err *err) {
    _cleanup_close_ int fd = fd_open_nameless("file");
    ssize_t n;
    int r = fd < 0 ? fd : 0;

    while (r == 0 && (n = tar->la->archive_read_data(tar->archive, tar->part, sizeof tar->part)))
        r = n < 0 ? tar_failed(tar, err) : fd_write_all(fd, tar->part, (size_t)n);
    if (r < 0 && r != -EBADMSG) {
        errno = -r;
        return err_errno(err, "cannot keep a file of the tar");
    }
    return r < 0 ? r : put(tar, record, fd, err);
}

static int send_link(const struct tar *tar, struct copy_record *record, const char *target,
                     struct err *err) {
    char *place = record->text + strlen(record->text) + 1;

    if (strlen(target) >= PATH_MAX)
        return err_set(err, -ENAMETOOLONG, "a link's target in the tar is too long");
    if (record->kind == COPY_LINK)
        return layer_path_normalize(target, place, err) < 0 ? err->code : put(tar, record, -1, err);
    strcpy(place, target);
    return put(tar, record, -1, err);
}

static struct copy_record record_of(const struct tar *tar, struct archive_entry *entry) {
    const struct lazy_archive *la = tar->la;

    return (struct copy_record){
        .kind = COPY_DIRECTORY,
        .mode = la->archive_entry_perm(entry) & 07777,
        .uid = (uint32_t)la->archive_entry_uid(entry),
        .gid = (uint32_t)la->archive_entry_gid(entry),
        .mtime_sec = la->archive_entry_mtime(entry),
        .mtime_nsec = la->archive_entry_mtime_nsec(entry),
    };
}

/* An entry of the directory that is open. */
static int send_named(struct tar *tar, struct archive_entry *entry, const char *name,
                      struct err *err) {
    const char *link = tar->la->archive_entry_hardlink(entry);
    const char *symlink = tar->la->archive_entry_symlink(entry);
    struct copy_record record = record_of(tar, entry);
    mode_t type = tar->la->archive_entry_filetype(entry);

    if (strlen(name) > NAME_MAX)
        return err_set(err, -ENAMETOOLONG, "'%.200s' is too long a name", name);
    strcpy(record.text, name);
    record.kind = link ? COPY_LINK : symlink ? COPY_SYMLINK : COPY_FIFO;
    if (link || symlink)
        return send_link(tar, &record, link ? link : symlink, err);
    if (type == S_IFIFO)
        return put(tar, &record, -1, err);
    record.kind = COPY_FILE;
    if (type == S_IFREG)
        return send_file(tar, &record, err);
    tar->copy->n_skipped++;
    return 0;
}

/* What the topmost directory is, an entry for it says, which then is the first. */
static int begin(struct tar *tar, const struct copy_record *record, struct err *err) {
    if (tar->has_begun)
        return 0;
    tar->has_begun = true;
    return put(tar, record, -1, err);
}

static int send_entry(struct tar *tar, struct archive_entry *entry, struct err *err) {
    const struct copy_record made = made_directory(), record = record_of(tar, entry);
    bool is_directory = !tar->la->archive_entry_hardlink(entry) &&
                        tar->la->archive_entry_filetype(entry) == S_IFDIR;
    const char *name = tar->la->archive_entry_pathname(entry), *base;
    char path[PATH_MAX], dir[PATH_MAX];
    int depth = layer_path_normalize(name ? name : "", path, err), r;

    if (depth < 0)
        return depth;
    r = begin(tar, depth == 0 && is_directory ? &record : &made, err);
    if (r < 0 || depth == 0)
        return r;
    base = layer_path_base(path);
    memcpy(dir, path, sizeof dir);
    dir[base > path ? base - path - 1 : 0] = '\0';
    r = go_to(tar, dir, &made, err);
    if (r < 0)
        return r;
    return is_directory ? go_to(tar, path, &record, err) : send_named(tar, entry, base, err);
}

static int send_all(void *argument, struct err *err) {
    struct tar *tar = argument;
    struct copy_record record = made_directory();
    struct archive_entry *entry;
    int r = 0, end = ARCHIVE_OK;

    if (tar->la->archive_read_support_format_tar(tar->archive) < ARCHIVE_WARN ||
        tar->la->archive_read_open(tar->archive, tar, NULL, read_part, NULL) != ARCHIVE_OK)
        return tar_failed(tar, err);
    while (r == 0 && (end == ARCHIVE_OK || end == ARCHIVE_WARN)) {
        end = tar->la->archive_read_next_header(tar->archive, &entry);
        if (end == ARCHIVE_OK || end == ARCHIVE_WARN)
            r = send_entry(tar, entry, err);
    }
    if (r == 0 && end != ARCHIVE_EOF)
        return tar_failed(tar, err);
    if (r == 0)
        r = begin(tar, &record, err);
    while (r == 0 && *tar->at)
        r = leave(tar, err);
    record.kind = COPY_UP;
    return r < 0 ? r : put(tar, &record, -1, err);
}

int copy_send_tar(struct copy *copy, int in_fd, struct err *err) {
    const struct lazy_archive *la = lazy_archive(err);
    struct tar *tar = la ? calloc(1, sizeof *tar) : NULL;
    const struct inflate_source source = {.read = read_in, .context = tar};
    int r = !la ? -ENOENT : !tar ? err_nomem(err) : 0;

    if (r == 0) {
        tar->copy = copy;
        tar->la = la;
        tar->in_fd = in_fd;
        tar->archive = la->archive_read_new();
        r = tar->archive ? inflate_new(&tar->inflate, &source, err) : err_nomem(err);
    }
    if (r == 0)
        r = unpack_in_locale(send_all, tar, err);
    r = copy_send_end(copy, r, err);
    if (tar) {
        inflate_free(tar->inflate);
        if (tar->archive)
            la->archive_read_free(tar->archive);
    }
    free(tar);
    return r;
}
