/* SPDX-License-Identifier: Apache-2.0 */
/* Control files: a word or a number in one write, a few lines in one read. */
#include "cgroup_file.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#define MAX_FILE_BYTES (4u << 20)

int cgroup_file_write(int dir_fd, const char *name, const char *text) {
    _cleanup_close_ int fd = -1;

    if (fault_point("cgroup_write"))
        return -errno;
    fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

int cgroup_file_write_u64(int dir_fd, const char *name, uint64_t value) {
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, value);
    return cgroup_file_write(dir_fd, name, text);
}

int cgroup_file_read(int dir_fd, const char *name, char **ret_text) {
    return fd_read_file(dir_fd, name, MAX_FILE_BYTES, ret_text, NULL);
}

/* The number that @text begins with, up to the end of its line. */
static int parse_number(const char *text, uint64_t *ret_value) {
    _cleanup_free_ char *word = strndup(text, strcspn(text, "\n"));

    if (!word)
        return -ENOMEM;
    if (str_eq(word, "max")) {
        *ret_value = CGROUP_FILE_MAX;
        return 0;
    }
    return str_to_u64(word, UINT64_MAX, ret_value);
}

int cgroup_file_read_u64(int dir_fd, const char *name, uint64_t *ret_value) {
    _cleanup_free_ char *text = NULL;
    int r = cgroup_file_read(dir_fd, name, &text);

    return r < 0 ? r : parse_number(text, ret_value);
}

int cgroup_text_key(const char *text, const char *key, uint64_t *ret_value) {
    size_t n = strlen(key);

    for (const char *line = text; *line; line += *line == '\n') {
        if (strncmp(line, key, n) == 0 && line[n] == ' ')
            return parse_number(line + n + 1, ret_value);
        line += strcspn(line, "\n");
    }
    return -ENODATA;
}

int cgroup_file_read_key(int dir_fd, const char *name, const char *key, uint64_t *ret_value) {
    _cleanup_free_ char *text = NULL;
    int r = cgroup_file_read(dir_fd, name, &text);

    return r < 0 ? r : cgroup_text_key(text, key, ret_value);
}

int cgroup_file_await(int dir_fd, const char *key, uint64_t value, uint64_t deadline_nsec) {
    _cleanup_close_ int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
    struct pollfd wait = {.fd = fd, .events = POLLPRI};

    if (fd < 0)
        return -errno;
    for (;;) {
        char text[256];
        uint64_t found;
        ssize_t n = pread(fd, text, sizeof text - 1, 0);
        int r;

        if (n < 0)
            return -errno;
        text[n] = '\0';
        r = cgroup_text_key(text, key, &found);
        if (r < 0 || found == value)
            return r;
        /* What has changed since the read is an event. */
        r = poll(&wait, 1, clock_poll_timeout(clock_monotonic(), deadline_nsec));
        if (r == 0 || (r < 0 && errno != EINTR))
            return r == 0 ? -ETIMEDOUT : -errno;
    }
}
