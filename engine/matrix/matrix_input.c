/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of a matrix are done once for each image, and their standard input
 * is the same each time.  A file is simply opened again.  What can be read once
 * only is kept in a file without a name, from which each run is served through a
 * pipe of its own at its own speed.
 *
 * Reading stops as soon as no run has got to the end of what is kept, so that no
 * more is taken from a pipe than the steps read, but for a pipe's length: whoever
 * shares the pipe with us finds the rest.
 */
#include "matrix_input.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK_BYTES (32 * 1024)

int matrix_input_init(struct matrix_input *input, bool together, struct err *err) {
    struct stat st;

    *input = (struct matrix_input){.spool_fd = -1};
    if (isatty(STDIN_FILENO)) {
        input->kind = together ? MATRIX_INPUT_NONE : MATRIX_INPUT_SHARED;
    } else if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
               lseek(STDIN_FILENO, 0, SEEK_CUR) >= 0) {
        input->kind = MATRIX_INPUT_FILE;
    } else if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) {
        input->kind = MATRIX_INPUT_REPLAY;
        input->spool_fd = fd_open_nameless("input");
        if (input->spool_fd < 0)
            return err_set(err, input->spool_fd, "cannot keep standard input for the images: %s",
                           strerror(-input->spool_fd));
    }
    return 0;
}

void matrix_input_done(struct matrix_input *input) {
    if (input->spool_fd >= 0)
        close(take_fd(input->spool_fd));
}

/* The same file, at the same place, with a place of its own. */
static int open_again(struct err *err) {
    off_t offset = lseek(STDIN_FILENO, 0, SEEK_CUR);
    int fd = open("/proc/self/fd/0", O_RDONLY | O_CLOEXEC);

    if (fd < 0 || lseek(fd, offset, SEEK_SET) < 0)
        return err_errno(err, "cannot open standard input anew for a further image");
    return fd;
}

int matrix_input_open(struct matrix_input *input, struct matrix_feed *feed, int *ret_fd,
                      struct err *err) {
    int pair[2];

    *feed = MATRIX_FEED_INIT;
    *ret_fd = -1;
    switch (input->kind) {
    case MATRIX_INPUT_SHARED:
        break;
    case MATRIX_INPUT_NONE:
        *ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return *ret_fd < 0 ? err_errno(err, "cannot open /dev/null") : 0;
    case MATRIX_INPUT_FILE:
        *ret_fd = open_again(err);
        return *ret_fd < 0 ? *ret_fd : 0;
    case MATRIX_INPUT_REPLAY:
        if (pipe2(pair, O_CLOEXEC) < 0 || fcntl(pair[1], F_SETFL, O_NONBLOCK) < 0)
            return err_errno(err, "cannot make a pipe");
        *ret_fd = pair[0];
        feed->fd = pair[1];
        break;
    }
    return 0;
}

void matrix_input_close(struct matrix_feed *feed) {
    if (feed->fd >= 0)
        close(take_fd(feed->fd));
}

bool matrix_input_wants_pipe(const struct matrix_input *input, const struct matrix_feed *feed) {
    return feed->fd >= 0 && feed->offset < input->size;
}

bool matrix_input_wants_more(const struct matrix_input *input, const struct matrix_feed *feed) {
    return feed->fd >= 0 && feed->offset == input->size && !input->ended;
}

int matrix_input_read(struct matrix_input *input, struct err *err) {
    char bytes[CHUNK_BYTES];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n <= 0) {
        input->ended = true;
        return 0;
    }
    if (pwrite(input->spool_fd, bytes, (size_t)n, input->size) != n)
        return err_errno(err, "cannot keep standard input for all images");
    input->size += n;
    return 0;
}

void matrix_input_write(const struct matrix_input *input, struct matrix_feed *feed) {
    while (feed->fd >= 0 && feed->offset < input->size) {
        char bytes[CHUNK_BYTES];
        ssize_t n = pread(input->spool_fd, bytes, sizeof bytes, feed->offset);
        ssize_t written = n > 0 ? write(feed->fd, bytes, (size_t)n) : n;

        if (written > 0)
            feed->offset += written;
        else if (written < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        else
            matrix_input_close(feed);
    }
    if (input->ended)
        matrix_input_close(feed);
}
