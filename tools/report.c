/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of --json and --junit.  A reader that watches for it sees the old file or the
 * new one, never a part: the text goes to a temporary file in the same
 * directory, which then takes the name.  A path that is something else than a
 * regular file (a FIFO, /dev/fd/3, a symbolic link) is opened and written to
 * as it is, since a rename would put a file in its place.
 */
#include "report.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

/* The directory that @path stands in; NULL when memory ran out. */
static char *directory_of(const char *path) {
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/* Whether @path is to be replaced rather than written into. */
static bool is_replaced(const char *path) {
    struct stat st;

    return lstat(path, &st) < 0 ? errno == ENOENT : S_ISREG(st.st_mode);
}

int report_check(const char *option, const char *path, struct err *err) {
    _cleanup_free_ char *directory = directory_of(path);
    struct stat st;

    if (!directory)
        return err_nomem(err);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return err_set(err, -EISDIR, "%s %s: is a directory; name a file", option, path);
    if (faccessat(AT_FDCWD, is_replaced(path) ? directory : path, W_OK, AT_EACCESS) < 0)
        return err_errno(err, "%s %s: cannot be written", option, path);
    return 0;
}

static int replace(const char *option, const char *path, const struct buf *text, struct err *err) {
    _cleanup_free_ char *temporary = str_printf("%s.XXXXXX", path);
    _cleanup_close_ int fd = -1;
    mode_t mask;
    int r;

    if (!temporary)
        return err_nomem(err);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "%s %s", option, path);
    /* mkostemp's 0600 is for secrets; this is an ordinary file. */
    mask = umask(0);
    umask(mask);
    (void)fchmod(fd, 0666 & ~mask);
    r = fd_write_all(fd, text->data, text->size);
    if (r == 0 && sys_renameat2(AT_FDCWD, temporary, AT_FDCWD, path, 0) < 0)
        r = -errno;
    if (r < 0) {
        (void)sys_unlinkat(AT_FDCWD, temporary, 0);
        errno = -r;
        return err_errno(err, "%s %s", option, path);
    }
    return 0;
}

/*
 * Another name of a stream that is open already, such as /dev/stderr, is that
 * stream: emptying the file behind it would lose what was said before.
 */
static int open_stream(int fd) {
    struct stat st, stream;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return fd;
    for (int i = STDOUT_FILENO; i <= STDERR_FILENO; i++)
        if (fstat(i, &stream) == 0 && stream.st_dev == st.st_dev && stream.st_ino == st.st_ino)
            return i;
    return ftruncate(fd, 0) < 0 ? -1 : fd;
}

static int write_into(const char *option, const char *path, const struct buf *text,
                      struct err *err) {
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    int out = fd < 0 ? -1 : open_stream(fd), r;

    if (out < 0)
        return err_errno(err, "%s %s", option, path);
    sigaction(SIGPIPE, &ignore, &old);
    r = fd_write_all(out, text->data, text->size);
    sigaction(SIGPIPE, &old, NULL);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "%s %s", option, path);
    }
    return 0;
}

int report_write(const char *option, const char *path, const struct buf *text, struct err *err) {
    if (buf_failed(text))
        return err_nomem(err);
    return is_replaced(path) ? replace(option, path, text, err)
                             : write_into(option, path, text, err);
}
