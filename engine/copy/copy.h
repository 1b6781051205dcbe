/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_COPY_H
#define MAYFLY_COPY_H

#include "engine/base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum copy_kind {
    COPY_FILE,      /* one descriptor comes along, open for reading */
    COPY_DIRECTORY, /* its entries follow, then COPY_UP */
    COPY_SYMLINK,
    COPY_FIFO,
    COPY_LINK,  /* to a file that was sent: its path from the topmost is the target; of a tar alone
                 */
    COPY_UP,    /* the directory is complete */
    COPY_END,   /* from the sender: all was sent; from the receiver: all was written */
    COPY_ERROR, /* from either: given up, for the reason in the text */
};

/**
 * struct copy_record - one datagram of a copy
 * @text: the entry's name (empty for the topmost), a NUL, a link's target or the error, a NUL
 */
struct copy_record {
    uint32_t kind;
    uint32_t mode; /* permissions, set-user-id and the like included */
    uint32_t uid;  /* as the sender sees them */
    uint32_t gid;
    int64_t mtime_sec;
    int64_t mtime_nsec;
    int32_t code;       /* of COPY_ERROR */
    uint32_t n_skipped; /* of COPY_END from the sender: sockets and devices left out */
    char text[NAME_MAX + 1 + PATH_MAX + 1];
};

/**
 * struct copy - a copy between the two sides of a container
 * @socket_fd: a SOCK_SEQPACKET socket to the other side
 * @wait: called before what may block: wait until @fd has @events (poll(2)), or with fd -1 just
 *        look; a negative value gives the copy up; NULL: block
 * @note: called before a temporary file gets a name in the directory @dir_fd; may be NULL
 * @context: handed to both
 * @chown: give what is written to @uid and @gid
 * @of_tar: what comes is a tar's: @chown gives it to the owners that are sent where there are such,
 *          links are made, and what is there may be a link to a directory
 * @plain_modes: leave set-user-id and set-group-id bits out
 * @make_directories: a download makes those that its target lacks
 * @n_skipped: how many entries could not be copied for being sockets or devices
 */
struct copy {
    int socket_fd;
    int (*wait)(void *context, int fd, short events);
    int (*note)(void *context, int dir_fd, const char *name);
    void *context;
    int chown;
    uid_t uid;
    gid_t gid;
    bool of_tar;
    int plain_modes;
    bool make_directories;
    uint32_t n_skipped;
};

/**
 * copy_send() - send a file or a directory with all that is in it
 * @dir_fd, @name: the entry, itself when it is a symbolic link; "." for @dir_fd
 *
 * Context: any.
 * Return: 0 when the other side has written it all; its error, or -errno with a text.
 */
int copy_send(struct copy *copy, int dir_fd, const char *name, struct err *err);

/**
 * copy_receive() - write what the other side sends
 * @dir_fd, @name: where the topmost entry goes; "." for into @dir_fd itself (directories only)
 *
 * Files appear whole or not at all and replace what was there; directories merge.  No name
 * that the other side sends leads out of where it belongs.
 * Return: 0, the sender's error, or -errno with a text.
 */
int copy_receive(struct copy *copy, int dir_fd, const char *name, struct err *err);

/** copy_send_end() - the end of what was sent, with @r; what copy_send() returns then. */
int copy_send_end(struct copy *copy, int r, struct err *err);

/**
 * copy_receive_next() - the next record
 * @ret_fd: what comes with it; the caller closes it
 *
 * Return: 0, the sender's error, or -errno with a text.
 */
int copy_receive_next(struct copy *copy, struct copy_record *ret_record, int *ret_fd,
                      struct err *err);

/** copy_receive_end() - tell the other side that all is written, unless @r is an error; Return: it.
 */
int copy_receive_end(const struct copy *copy, int r, const struct err *err);

/**
 * copy_fail() - tell the other side that there will be no copy
 * @err: why
 */
void copy_fail(const struct copy *copy, const struct err *err);

/** COPY_NAME_BYTES - room for the name that copy_temporary_name() makes. */
#define COPY_NAME_BYTES 32

/** copy_temporary_name() - make up a name in @dir_fd and put it on record.  Return: 0 or -errno. */
int copy_temporary_name(const struct copy *copy, int dir_fd, char ret_name[COPY_NAME_BYTES]);

/** copy_get(), copy_put() - one record.  Return: 0 or -errno; -EPIPE when the other side is gone.
 */
int copy_get(const struct copy *copy, struct copy_record *ret_record, int *ret_fd);
int copy_put(const struct copy *copy, const struct copy_record *record, int fd);

/** copy_data() - copy the rest of a file, holes kept.  Return: 0 or -errno. */
int copy_data(const struct copy *copy, int from_fd, int to_fd);

#endif
