/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors and paths.  Every path that an image or a container had a say in
 * is resolved by openat2(2) inside a directory that is held open, so that
 * neither "..", nor a link, nor a rename under way leads out of it.
 */
#include "fd.h"

#include "cleanup.h"
#include "str.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

int fd_write_all(int fd, const void *data, size_t size) {
    const char *p = data;

    while (size > 0) {
        ssize_t n = write(fd, p, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

int fd_read_all(int fd, size_t max_bytes, char **ret_data, size_t *ret_size) {
    _cleanup_free_ char *data = NULL;
    size_t size = 0, capacity = 0;

    for (;;) {
        ssize_t n;

        if (capacity - size < 2) {
            size_t want = capacity ? capacity * 2 : 4096;
            char *p = realloc(data, want);

            if (!p)
                return -ENOMEM;
            data = p;
            capacity = want;
        }
        n = read(fd, data + size, capacity - size - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        size += (size_t)n;
        if (size > max_bytes)
            return -EFBIG;
    }
    data[size] = '\0';
    *ret_data = take_ptr(data);
    if (ret_size)
        *ret_size = size;
    return 0;
}

int fd_read_file(int dir_fd, const char *path, size_t max_bytes, char **ret_data,
                 size_t *ret_size) {
    _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    return fd_read_all(fd, max_bytes, ret_data, ret_size);
}

int fd_open_nameless(const char *name) {
    const char *directory = getenv("TMPDIR");
    int fd =
        open(directory && *directory ? directory : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0)
        fd = memfd_create(name, MFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int fd_set_cloexec(int fd, bool on) {
    int flags = fcntl(fd, F_GETFD);

    if (flags < 0 || fcntl(fd, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC) < 0)
        return -errno;
    return 0;
}

static int open_resolved(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve) {
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
        .resolve = resolve,
    };
    int fd;

    /* A rename elsewhere in the tree makes the kernel give up on "..": it says to try again. */
    do
        fd = sys_openat2(dir_fd, path, &how);
    while (fd < 0 && (errno == EAGAIN || errno == EINTR));
    return fd < 0 ? -errno : fd;
}

int fd_open_in_root(int root_fd, const char *path, int flags, mode_t mode) {
    return open_resolved(root_fd, *path ? path : ".", flags, mode,
                         RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int fd_open_beneath(int dir_fd, const char *path, int flags, mode_t mode) {
    return open_resolved(dir_fd, *path ? path : ".", flags, mode,
                         RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

int fd_mkdir_in_root(int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid) {
    _cleanup_close_ int dir = fd_open_in_root(root_fd, path, O_PATH | O_DIRECTORY, 0);
    char part[NAME_MAX + 1], parent[PATH_MAX];
    size_t used = 0;

    if (dir != -ENOENT)
        return take_fd(dir);
    dir = fd_open_in_root(root_fd, "/", O_PATH | O_DIRECTORY, 0);
    /* Each prefix is resolved from the root anew, so that links in it keep their meaning. */
    for (const char *p = path; dir >= 0 && *(p += strspn(p, "/"));) {
        size_t n = strcspn(p, "/");
        int next;

        if (n > NAME_MAX || used + n + 2 > sizeof parent)
            return -ENAMETOOLONG;
        memcpy(part, p, n);
        part[n] = '\0';
        parent[used++] = '/';
        memcpy(parent + used, part, n + 1);
        used += n;
        p += n;
        next = fd_open_in_root(root_fd, parent, O_PATH | O_DIRECTORY, 0);
        if (next == -ENOENT) {
            if (sys_mkdirat(dir, part, mode) < 0 && errno != EEXIST)
                return -errno;
            next = fd_open_beneath(dir, part, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
            if (next >= 0 && uid != (uid_t)-1 && fchownat(next, "", uid, gid, AT_EMPTY_PATH) < 0) {
                int r = -errno;

                close(next);
                next = r;
            }
        }
        close(dir);
        dir = next;
    }
    return take_fd(dir);
}

int fd_send(int socket_fd, const void *data, size_t size, const int *fds, size_t n_fds) {
    union {
        char bytes[CMSG_SPACE(250 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {.iov_base = (void *)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    if (n_fds > 250)
        return -E2BIG;
    if (n_fds > 0) {
        struct cmsghdr *c = &control.align;

        memset(&control, 0, CMSG_SPACE(n_fds * sizeof(int)));
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
    }
    do
        n = sendmsg(socket_fd, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

ssize_t fd_receive(int socket_fd, void *data, size_t size, int *ret_fds, size_t max_fds,
                   size_t *ret_n_fds, int flags) {
    union {
        char bytes[CMSG_SPACE(250 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {.iov_base = data, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    size_t n_fds = 0;
    int n_resets = 0;
    ssize_t n;

    /*
     * A peer that has closed with something unread makes the first call fail, although what it
     * said before is still to be read.
     */
    do
        n = recvmsg(socket_fd, &message, flags | MSG_CMSG_CLOEXEC);
    while (n < 0 && (errno == EINTR || (errno == ECONNRESET && n_resets++ == 0)));
    if (n < 0)
        return -errno;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        size_t n_here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < n_here; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (n_fds < max_fds)
                ret_fds[n_fds++] = fd;
            else
                close(fd);
        }
    }
    if (ret_n_fds)
        *ret_n_fds = n_fds;
    if (message.msg_flags & MSG_TRUNC)
        return -EMSGSIZE;
    return n;
}

/* How deep a removal goes before it moves what is deeper up into the outermost directory. */
#define MAX_REMOVAL_DEPTH 64

/*
 * A removal under way.  However deep a tree is, neither descriptors nor the
 * stack may run out: each level holds one of both.
 */
struct removal {
    dev_t device;
    int top_fd; /* the outermost directory; -1 before it is open */
    unsigned depth;
    uint64_t n_moved;
};

static int remove_at(struct removal *removal, int dir_fd, const char *name);

static int empty_once(struct removal *removal, DIR *dir) {
    struct dirent *entry;
    int first = 0;

    while ((errno = 0, entry = readdir(dir))) {
        int r;

        if (str_is_dots(entry->d_name))
            continue;
        r = remove_at(removal, dirfd(dir), entry->d_name);
        if (r < 0 && first == 0)
            first = r;
    }
    return first < 0 ? first : -errno;
}

/* Empties the directory that @dir_fd, which this closes, is open on. */
static int empty_directory(struct removal *removal, int dir_fd) {
    _cleanup_closedir_ DIR *dir = fdopendir(dir_fd);
    bool is_top = removal->top_fd < 0;
    uint64_t n_moved = 0;
    int r;

    if (!dir) {
        close(dir_fd);
        return -errno;
    }
    if (is_top)
        removal->top_fd = dirfd(dir);
    removal->depth++;
    r = empty_once(removal, dir);
    /* Each move takes some of the depth away, so this comes to an end. */
    while (is_top && removal->n_moved != n_moved) {
        n_moved = removal->n_moved;
        rewinddir(dir);
        r = empty_once(removal, dir);
    }
    removal->depth--;
    return r;
}

static int move_up(struct removal *removal, int dir_fd, const char *name) {
    char moved[40];
    int r;

    do {
        snprintf(moved, sizeof moved, ".mayfly-removed-%llu",
                 (unsigned long long)removal->n_moved++);
        r = sys_renameat2(dir_fd, name, removal->top_fd, moved, RENAME_NOREPLACE);
    } while (r < 0 && errno == EEXIST);
    return r < 0 ? -errno : 0;
}

static int remove_at(struct removal *removal, int dir_fd, const char *name) {
    struct stat st;
    int fd, r;

    if (sys_unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM && errno != EACCES)
        return -errno;
    r = -errno;
    /* Most are empty by now; the ones that are not say so. */
    if (sys_unlinkat(dir_fd, name, AT_REMOVEDIR) == 0)
        return 0;
    if (errno == ENOTDIR)
        return r;
    fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES && fchmodat(dir_fd, name, 0700, 0) == 0)
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return errno == ENOTDIR ? r : -errno; /* a file, in a directory that is not ours */
    if (fstat(fd, &st) < 0 || st.st_dev != removal->device) {
        close(fd);
        return -EXDEV;
    }
    if ((st.st_mode & 0700) != 0700)
        (void)fchmod(fd, 0700);
    if (removal->depth == MAX_REMOVAL_DEPTH) {
        close(fd);
        return move_up(removal, dir_fd, name);
    }
    r = empty_directory(removal, fd);
    if (sys_unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return r < 0 ? r : -errno;
    return 0;
}

int fd_remove_tree(int dir_fd, const char *name) {
    struct stat st;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    return remove_at(&(struct removal){.device = st.st_dev, .top_fd = -1}, dir_fd, name);
}
