/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in a tar, by position.  One pass over the headers, the contents
 * skipped; from then on each file is a part of the archive's file that any
 * thread can read.  A member's content ends, rounded up to 512 bytes, where
 * the next header begins, which is what libarchive tells.  Should that ever be
 * wrong, the digests do not fit and nothing is taken.
 */
#include "archive_members.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "inflate.h"
#include "layer_path.h"
#include "lazy_archive.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PART_BYTES = 64 << 10,
    LINKS_MAX = 8,
};

/* A tar that is being looked through. */
struct scan {
    const struct lazy_archive *la;
    struct blob blob;
    uint64_t file_bytes;
    struct err err;
    char part[PART_BYTES];
};

static ssize_t read_callback(struct archive *archive, void *context, const void **ret_data) {
    struct scan *scan = context;
    ssize_t n = blob_read(&scan->blob, scan->part, sizeof scan->part, &scan->err);

    if (n < 0) {
        scan->la->archive_set_error(archive, EIO, "%s", "cannot read");
        return ARCHIVE_FATAL;
    }
    *ret_data = scan->part;
    return n;
}

static la_int64_t skip_callback(struct archive *archive, void *context, la_int64_t request) {
    struct scan *scan = context;
    uint64_t left = scan->file_bytes - scan->blob.offset;

    (void)archive;
    if (request < 0)
        return 0;
    if ((uint64_t)request > left)
        request = (la_int64_t)left;
    scan->blob.offset += (uint64_t)request;
    return request;
}

/* The name that a link in @from leads to, normalised; "" when it leads out. */
static void resolve_link(const char *from, const char *target, char ret_path[PATH_MAX]) {
    char path[2 * PATH_MAX];
    size_t used = 0;

    if (*target != '/')
        used = (size_t)(layer_path_base(from) - from);
    memcpy(path, from, used);
    snprintf(path + used, sizeof path - used, "%s", target);
    ret_path[0] = '\0';
    used = 0;
    for (const char *p = path; *(p += strspn(p, "/"));) {
        size_t n = strcspn(p, "/");

        if (n == 2 && p[0] == '.' && p[1] == '.') {
            while (used > 0 && ret_path[--used] != '/')
                ;
        } else if (n != 1 || *p != '.') {
            if (used + n + 2 > PATH_MAX) {
                ret_path[0] = '\0';
                return;
            }
            if (used > 0)
                ret_path[used++] = '/';
            memcpy(ret_path + used, p, n);
            used += n;
        }
        ret_path[used] = '\0';
        p += n;
    }
}

/* Notes an entry; @ret_member is NULL when it is nothing that can be asked for. */
static int note_entry(struct archive_members *members, const struct scan *scan,
                      struct archive_entry *entry, struct archive_member **ret_member,
                      struct err *err) {
    const char *name = scan->la->archive_entry_pathname(entry);
    const char *symlink = scan->la->archive_entry_symlink(entry);
    const char *hardlink = scan->la->archive_entry_hardlink(entry);
    char path[PATH_MAX], link[PATH_MAX];
    struct archive_member *items;

    *ret_member = NULL;
    if (!name || layer_path_normalize(name, path, NULL) <= 0)
        return 0;
    if (!symlink && !hardlink && scan->la->archive_entry_filetype(entry) != S_IFREG)
        return 0;
    if (members->n == ARCHIVE_MEMBERS_MAX)
        return err_set(err, -EFBIG, "more than %d files in the archive", ARCHIVE_MEMBERS_MAX);
    if ((members->n & (members->n + 1)) == 0) {
        items = reallocarray(members->items, 2 * (members->n + 1), sizeof *items);
        if (!items)
            return err_nomem(err);
        members->items = items;
    }
    if (symlink)
        resolve_link(path, symlink, link);
    else if (hardlink)
        resolve_link("", hardlink, link);
    items = &members->items[members->n];
    *items = (struct archive_member){
        .name = strdup(path),
        .link = symlink || hardlink ? strdup(link) : NULL,
        .size = (uint64_t)scan->la->archive_entry_size(entry),
    };
    if (!items->name || ((symlink || hardlink) && !items->link)) {
        free(items->name);
        free(items->link);
        return err_nomem(err);
    }
    members->n++;
    *ret_member = items;
    return 0;
}

static int scan_failed(const struct scan *scan, struct archive *archive, struct err *err) {
    const char *text = scan->la->archive_error_string(archive);

    if (scan->err.code < 0)
        return err_set(err, scan->err.code, "%s", scan->err.message);
    return err_set(err, -EBADMSG, "the archive is damaged or cut short (%s)",
                   text ? text : "no details");
}

static int scan_entries(struct archive_members *members, struct scan *scan, struct archive *archive,
                        struct err *err) {
    struct archive_member *before = NULL;

    for (;;) {
        struct archive_entry *entry;
        int r = scan->la->archive_read_next_header(archive, &entry);

        if (r != ARCHIVE_OK && r != ARCHIVE_WARN && r != ARCHIVE_EOF)
            return scan_failed(scan, archive, err);
        if (before && !before->link) {
            uint64_t end = (uint64_t)scan->la->archive_read_header_position(archive);
            uint64_t padded = (before->size + 511) & ~UINT64_C(511);

            if (end > scan->file_bytes || padded > end)
                return err_set(err, -EBADMSG, "the archive is damaged or cut short");
            before->offset = end - padded;
        }
        if (r == ARCHIVE_EOF)
            return 0;
        r = note_entry(members, scan, entry, &before, err);
        if (r < 0)
            return r;
    }
}

static int scan_with(struct archive_members *members, struct scan *scan, struct err *err) {
    struct archive *archive;
    struct stat st;
    int r;

    scan->la = lazy_archive(err);
    if (!scan->la)
        return -ENOENT;
    if (fstat(members->fd, &st) < 0)
        return err_errno(err, "cannot look at the archive");
    scan->file_bytes = (uint64_t)st.st_size;
    scan->blob = (struct blob){.fd = members->fd, .end = scan->file_bytes};
    archive = scan->la->archive_read_new();
    if (!archive)
        return err_nomem(err);
    scan->la->archive_read_support_format_tar(archive);
    if (scan->la->archive_read_open2(archive, scan, NULL, read_callback, skip_callback, NULL) !=
        ARCHIVE_OK)
        r = scan_failed(scan, archive, err);
    else
        r = scan_entries(members, scan, archive, err);
    scan->la->archive_read_free(archive);
    return r;
}

static int scan_tar(struct archive_members *members, struct err *err) {
    struct scan *scan = calloc(1, sizeof *scan);
    int r = scan ? scan_with(members, scan, err) : err_nomem(err);

    free(scan);
    return r;
}

static ssize_t read_source(void *context, void *data, size_t size, struct err *err) {
    return blob_read(context, data, size, err);
}

static int copy_inflated(const struct store *store, struct blob *blob, int to_fd, struct err *err) {
    const struct inflate_source source = {.read = read_source, .context = blob};
    _cleanup_free_ char *part = malloc(PART_BYTES);
    struct inflate *inflate = NULL;
    uint64_t size = 0;
    ssize_t n;

    if (!part)
        return err_nomem(err);
    n = inflate_new(&inflate, &source, err);
    while (n >= 0 && (n = inflate_read(inflate, part, PART_BYTES, err)) > 0) {
        size += (uint64_t)n;
        if (size > store->max_image_bytes)
            n = err_set(err, -EFBIG, "it is larger than the limit for unpacked images");
        else if ((n = fd_write_all(to_fd, part, (size_t)n)) < 0) {
            errno = (int)-n;
            store_errno(store, "cannot decompress the archive into it", err);
        }
        if (n < 0)
            break;
    }
    inflate_free(inflate);
    return (int)n;
}

/* Puts a nameless file with the uncompressed tar in the place of a compressed one. */
static int decompress(struct archive_members *members, const struct store *store, struct err *err) {
    _cleanup_close_ int fd = -1;
    struct blob blob = {.fd = members->fd, .end = BLOB_TO_THE_END};
    char head[512];
    ssize_t n = pread(members->fd, head, sizeof head, 0);
    int r;

    if (n < 0)
        return err_errno(err, "cannot read it");
    if (n == (ssize_t)sizeof head && memcmp(head + 257, "ustar", 5) == 0)
        return 0;
    fd = openat(store->fd, "tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return store_errno(store, "cannot make a file in tmp", err);
    r = copy_inflated(store, &blob, fd, err);
    if (r < 0)
        return r;
    close(members->fd);
    members->fd = take_fd(fd);
    return 0;
}

int archive_members_open(struct archive_members *ret_members, const struct store *store, int fd,
                         struct err *err) {
    struct archive_members members = {.fd = fd};
    int r = decompress(&members, store, err);

    if (r == 0)
        r = scan_tar(&members, err);
    if (r < 0) {
        archive_members_done(&members);
        return r;
    }
    *ret_members = members;
    return 0;
}

static const struct archive_member *find(const struct archive_members *members, const char *name) {
    for (size_t i = members->n; i > 0; i--)
        if (str_eq(members->items[i - 1].name, name))
            return &members->items[i - 1];
    return NULL;
}

int archive_members_blob(const struct archive_members *members, const char *name,
                         struct blob *ret_blob, struct err *err) {
    const struct archive_member *member = NULL;
    char path[PATH_MAX];
    int n_links = 0, fd;

    if (layer_path_normalize(name, path, err) < 0)
        return -EBADMSG;
    for (member = find(members, path); member && member->link; n_links++)
        member = n_links < LINKS_MAX ? find(members, member->link) : NULL;
    if (!member)
        return err_set(err, -ENOENT, "the archive has no '%.200s'", name);
    fd = fcntl(members->fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return err_errno(err, "cannot open '%.200s'", name);
    *ret_blob = (struct blob){
        .fd = fd,
        .offset = member->offset,
        .end = member->offset + member->size,
    };
    return 0;
}

void archive_members_done(struct archive_members *members) {
    for (size_t i = 0; i < members->n; i++) {
        free(members->items[i].name);
        free(members->items[i].link);
    }
    free(members->items);
    if (members->fd >= 0)
        close(members->fd);
    *members = ARCHIVE_MEMBERS_INIT;
}
