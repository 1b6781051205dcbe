/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of a test's own, and the store in it. */
#include "scratch.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

enum store_owners scratch_owners(void) {
    return geteuid() == 0 ? STORE_OWNERS_ROOT : STORE_OWNERS_SINGLE;
}

void scratch_init(struct scratch *scratch) {
    const char *base = getenv("TMPDIR");
    char path[320];
    struct err err = {0};

    *scratch = (struct scratch){.fd = -1, .store = STORE_INIT};
    snprintf(scratch->path, sizeof scratch->path, "%s/mayfly-test-XXXXXX", base ? base : "/tmp");
    cr_assert_not_null(mkdtemp(scratch->path));
    scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(scratch->fd, 0);
    snprintf(path, sizeof path, "%s/store", scratch->path);
    cr_assert_eq(store_open(&scratch->store, path, scratch_owners(), &err), 0, "%s", err.message);
}

void scratch_done(struct scratch *scratch) {
    store_close(&scratch->store);
    close(scratch->fd);
    fd_remove_tree(AT_FDCWD, scratch->path);
}

void scratch_write(const struct scratch *scratch, const char *path, const void *data, size_t size) {
    _cleanup_close_ int fd =
        openat(scratch->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    cr_assert_geq(fd, 0, "%s", path);
    cr_assert_eq(fd_write_all(fd, data, size), 0);
}

void scratch_age(const struct scratch *scratch, const char *path) {
    struct stat st;
    uint64_t ripe_nsec, now_nsec;

    cr_assert_eq(fstatat(scratch->fd, path, &st, 0), 0);
    ripe_nsec = (uint64_t)st.st_ctim.tv_sec * NSEC_PER_SEC + (uint64_t)st.st_ctim.tv_nsec +
                150 * NSEC_PER_MSEC;
    while ((now_nsec = clock_realtime()) < ripe_nsec)
        poll(NULL, 0, clock_poll_timeout(now_nsec, ripe_nsec));
}

size_t scratch_count(const struct scratch *scratch, const char *folder) {
    _cleanup_closedir_ DIR *dir = NULL;
    struct dirent *entry;
    size_t n = 0;
    int fd = openat(scratch->store.fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    cr_assert_geq(fd, 0);
    dir = fdopendir(fd);
    cr_assert_not_null(dir);
    while ((entry = readdir(dir)))
        n += !str_is_dots(entry->d_name);
    return n;
}
