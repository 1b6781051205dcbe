/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_FD_H
#define MAYFLY_FD_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * fd_write_all() - write everything, over short writes and EINTR
 * Return: 0 or -errno.
 */
int fd_write_all(int fd, const void *data, size_t size);

/**
 * fd_read_all() - read until the end of the file
 * @max_bytes: more than this is -EFBIG
 * @ret_data: NUL-terminated, to free(3)
 * @ret_size: bytes without that NUL; may be NULL
 *
 * Return: 0, -EFBIG, -ENOMEM, or -errno of read(2).
 */
int fd_read_all(int fd, size_t max_bytes, char **ret_data, size_t *ret_size);

/**
 * fd_read_file() - read a small regular file
 * @dir_fd: as for openat(2)
 *
 * Opens without blocking on a FIFO and takes nothing but a regular file
 * (-EINVAL otherwise), so that a path an image had a say in is safe to read.
 * Return: as fd_read_all(), or -errno of openat(2).
 */
int fd_read_file(int dir_fd, const char *path, size_t max_bytes, char **ret_data, size_t *ret_size);

/** fd_set_cloexec() - set or clear FD_CLOEXEC.  Return: 0 or -errno. */
int fd_set_cloexec(int fd, bool on);

/**
 * fd_open_in_root() - open a path as a process chrooted into @root_fd would
 * @flags: O_CLOEXEC is added
 * @mode: for O_CREAT
 *
 * Symbolic links and ".." stay below @root_fd; magic links are refused.
 * Spec: openat2(2), RESOLVE_IN_ROOT.
 * Return: a descriptor or -errno (-EAGAIN is retried).
 */
int fd_open_in_root(int root_fd, const char *path, int flags, mode_t mode);

/**
 * fd_open_beneath() - open a path that may hold no symbolic link and no way up
 * Spec: openat2(2), RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS.
 * Return: a descriptor or -errno.
 */
int fd_open_beneath(int dir_fd, const char *path, int flags, mode_t mode);

/**
 * fd_mkdir_in_root() - make a directory and those above it, and open it
 * @path: absolute or relative to @root_fd; links are followed inside the root
 * @mode: of those that are made
 * @uid, @gid: owner of those that are made; (uid_t)-1 leaves the maker's
 *
 * Return: an O_PATH descriptor of the directory, -ENOTDIR when something else is in the way, or
 * another -errno.
 */
int fd_mkdir_in_root(int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid);

/**
 * fd_send() - send a message with descriptors over a unix socket
 * @fds: @n_fds (at most 250) descriptors, lent
 *
 * Return: 0 or -errno; never raises SIGPIPE.
 */
int fd_send(int socket_fd, const void *data, size_t size, const int *fds, size_t n_fds);

/**
 * fd_receive() - receive a message with descriptors, O_CLOEXEC set
 * @ret_fds: room for @max_fds; any further descriptor is closed
 * @ret_n_fds: how many came; may be NULL when @max_fds is 0
 * @flags: of recvmsg(2)
 *
 * Return: bytes received (0 at the end of the stream), -EMSGSIZE when the message did not fit,
 * or -errno.
 */
ssize_t fd_receive(int socket_fd, void *data, size_t size, int *ret_fds, size_t max_fds,
                   size_t *ret_n_fds, int flags);

/**
 * fd_open_nameless() - a file that goes with its descriptor, for more than memory should hold
 * @name: for memfd_create(2), where neither TMPDIR nor /tmp can have such a file
 *
 * Return: a descriptor or -errno.
 */
int fd_open_nameless(const char *name);

/**
 * fd_remove_tree() - remove a file or a directory with all that is in it
 * @dir_fd, @name: the entry; @name has no slash
 *
 * Does not follow links or cross into another mount; lifts modes that forbid it (overlayfs leaves
 * a directory of mode 000).  A missing entry is no error.
 * Return: 0 or the first -errno, after having removed what it could.
 */
int fd_remove_tree(int dir_fd, const char *name);

#endif
