/* SPDX-License-Identifier: Apache-2.0 */
/* A tar as the receiving side of a copy: entries in the order in which they come. */
#include "copy_tar.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "rootfs/tar_header.h"

#include <errno.h>
#include <sys/stat.h>

/* A tar that is written; @path: of the entry under way, as long as @depth directories are open. */
struct tar {
    int out_fd;
    struct buf path;
    size_t depth;
};

static int write_buf(const struct tar *tar, const struct buf *buf, struct err *err) {
    int r = buf_failed(buf) ? -ENOMEM : fd_write_all(tar->out_fd, buf->data, buf->size);

    errno = -r;
    return r < 0 ? err_errno(err, "cannot write the tar") : 0;
}

static int write_content(const struct tar *tar, int fd, uint64_t size, struct err *err) {
    _cleanup_buf_ struct buf padding = BUF_INIT;
    static char part[64 << 10];

    for (uint64_t left = size; left > 0;) {
        ssize_t n = read(fd, part, left < sizeof part ? (size_t)left : sizeof part);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "cannot read %s", tar->path.data);
        if (n == 0)
            return err_set(err, -ESTALE, "cannot copy %s: it changes while it is copied",
                           tar->path.data);
        if (fd_write_all(tar->out_fd, part, (size_t)n) < 0)
            return err_errno(err, "cannot write the tar");
        left -= (uint64_t)n;
    }
    tar_header_pad(&padding, size);
    return write_buf(tar, &padding, err);
}

static int write_entry(const struct tar *tar, const struct copy_record *record, int fd,
                       struct err *err) {
    static const char types[] = {
        [COPY_FILE] = '0', [COPY_DIRECTORY] = '5', [COPY_SYMLINK] = '2', [COPY_FIFO] = '6'};
    _cleanup_buf_ struct buf header = BUF_INIT;
    struct stat st = {0};
    struct tar_header entry = {
        .path = tar->path.data,
        .type = types[record->kind],
        .mode = record->mode & 07777,
        .uid = record->uid,
        .gid = record->gid,
        .mtime = {.tv_sec = record->mtime_sec, .tv_nsec = record->mtime_nsec},
        .link = record->kind == COPY_SYMLINK ? record->text + strlen(record->text) + 1 : NULL,
    };
    int r;

    if (record->kind == COPY_FILE && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
        return err_set(err, -EPROTO, "the other side sends what is no file");
    entry.size = (uint64_t)st.st_size;
    tar_header_encode(&entry, &header);
    r = write_buf(tar, &header, err);
    return r < 0 || record->kind != COPY_FILE ? r : write_content(tar, fd, entry.size, err);
}

/* Appends what an entry is called to the path of its directory. */
static int descend(struct tar *tar, const struct copy_record *record, const char *name,
                   struct err *err) {
    if (tar->depth > 0)
        name = record->text;
    if (!*name || strchr(name, '/') || (tar->depth > 0 && str_is_dots(name)))
        return err_set(err, -EPROTO, "the copy holds a bad name");
    buf_puts(&tar->path, name);
    if (record->kind == COPY_DIRECTORY)
        buf_puts(&tar->path, "/");
    return buf_failed(&tar->path) ? err_nomem(err) : 0;
}

/* Cuts the last part off. */
static void ascend(struct tar *tar) {
    size_t n = tar->path.size;

    n -= n > 0;
    while (n > 0 && tar->path.data[n - 1] != '/')
        n--;
    tar->path.size = n;
    if (tar->path.data)
        tar->path.data[n] = '\0';
}

static int receive(struct tar *tar, const struct copy_record *record, int fd, const char *name,
                   struct err *err) {
    bool is_directory = record->kind == COPY_DIRECTORY;
    int r;

    if (record->kind == COPY_UP && tar->depth > 0) {
        tar->depth--;
        ascend(tar);
        return 0;
    }
    if (record->kind > COPY_FIFO)
        return err_set(err, -EPROTO, "the copy is out of order");
    r = descend(tar, record, name, err);
    if (r == 0)
        r = write_entry(tar, record, fd, err);
    tar->depth += is_directory;
    if (!is_directory)
        ascend(tar);
    return r;
}

int copy_receive_tar(struct copy *copy, int out_fd, const char *name, struct err *err) {
    struct copy_record record = {.kind = COPY_END};
    _cleanup_buf_ struct buf end = BUF_INIT;
    struct tar tar = {.out_fd = out_fd, .path = BUF_INIT};
    int r;

    do {
        _cleanup_close_ int fd = -1;

        r = copy_receive_next(copy, &record, &fd, err);
        if (r == 0 && record.kind != COPY_END)
            r = receive(&tar, &record, fd, name, err);
    } while (r == 0 && record.kind != COPY_END);
    tar_header_end(&end);
    if (r == 0)
        r = write_buf(&tar, &end, err);
    buf_done(&tar.path);
    return copy_receive_end(copy, r, err);
}
