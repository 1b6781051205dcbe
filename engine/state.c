/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run owns one directory and holds a lock on it.  The kernel lets go of the
 * lock when the last process of the run ends, however it ends, so that a directory
 * without a lock is a leaving: whoever comes next may take it over and remove it.
 * Where the lock outlives the process that took it, the run was killed a moment
 * ago and its container is dying: that is waited for.
 *
 * A cleaner can come between mkdir(2) and flock(2).  The maker therefore looks,
 * once it has the lock, whether the directory still has a name; the cleaner
 * removes only what it has locked itself.
 */
#include "state.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/orphan_lock.h"
#include "base/str.h"
#include "base/sys.h"
#include "engine/cgroup/cgroup_record.h"
#include "userns.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>

#define UNDO_FILE "undo"
#define MAX_UNDO_BYTES (1u << 20)

enum store_owners state_owners(enum idmap_mode mode) {
    switch (mode) {
    case IDMAP_SUBUID:
        return STORE_OWNERS_SUBUID;
    case IDMAP_SINGLE:
        return STORE_OWNERS_SINGLE;
    default:
        return STORE_OWNERS_ROOT;
    }
}

/* Opens and locks a run's directory; -EWOULDBLOCK when it is alive, unless @wait; -ENOENT when it
 * is gone. */
static int open_locked(int runs_fd, const char *name, bool wait) {
    _cleanup_close_ int fd = openat(runs_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0)
        return -errno;
    orphan_lock_mark(fd);
    return st.st_nlink == 0 ? -ENOENT : take_fd(fd);
}

struct removal {
    int dir_fd;
    const char *name;
};

static int remove_in_namespace(void *argument, struct err *err) {
    const struct removal *removal = argument;
    int r = fd_remove_tree(removal->dir_fd, removal->name);

    return r < 0 ? err_set(err, r, "cannot remove %s", removal->name) : 0;
}

int state_remove_tree(int dir_fd, const char *name, const struct idmap *map) {
    int r = fd_remove_tree(dir_fd, name);

    if ((r == -EACCES || r == -EPERM || r == -ENOTEMPTY) && map->mode == IDMAP_SUBUID) {
        struct removal removal = {dir_fd, name};

        (void)userns_call(map, remove_in_namespace, &removal, -1, NULL);
        /* The outermost directory lies where only its owner may remove it. */
        r = fd_remove_tree(dir_fd, name);
    }
    return r;
}

static void undo_trees(int fd, const struct idmap *map) {
    _cleanup_free_ char *text = NULL;
    size_t size = 0;

    if (fd_read_file(fd, UNDO_FILE, MAX_UNDO_BYTES, &text, &size) < 0)
        return;
    /* Paths end with a NUL; one that was cut off while it was written was not made yet. */
    for (char *path = text, *end; (end = memchr(path, 0, size - (size_t)(path - text)));
         path = end + 1) {
        char *slash = strrchr(path, '/');
        _cleanup_close_ int dir = -1;

        if (end == text + size)
            break;
        if (*path != '/' || !slash || !slash[1])
            continue;
        *slash = '\0';
        dir = open(*path ? path : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir >= 0)
            (void)state_remove_tree(dir, slash + 1, map);
    }
}

int state_note_tree(const struct state *state, const char *path, struct err *err) {
    _cleanup_close_ int fd =
        openat(state->fd, UNDO_FILE, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int r = fd < 0 ? -errno : fd_write_all(fd, path, strlen(path) + 1);

    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot write to the run's directory in the store");
    }
    return 0;
}

void state_forget_trees(const struct state *state) {
    (void)sys_unlinkat(state->fd, UNDO_FILE, 0);
}

static int create_named(struct state *state, const char *name) {
    bool existed = sys_mkdirat(state->runs_fd, name, 0700) < 0;
    int fd;

    if (existed && errno != EEXIST)
        return -errno;
    /* Before its lock is taken a new one is a leaving to every cleaner, who removes it at once. */
    fd = open_locked(state->runs_fd, name, !existed);
    if (fd >= 0 && existed) {
        /* A run of this name was killed a moment ago; what its own ids are is not known here. */
        const struct idmap map = {.mode = IDMAP_SINGLE};

        cgroup_record_clean(fd);
        undo_trees(fd, &map);
        (void)state_remove_tree(state->runs_fd, name, &map);
        close(fd);
        return -ENOENT;
    }
    if (fd < 0)
        return fd;
    state->name = strdup(name);
    if (!state->name) {
        close(fd);
        return -ENOMEM;
    }
    state->fd = fd;
    return 0;
}

int state_create(struct state *state, const struct store *store, const char *name,
                 struct err *err) {
    char random_name[16];
    uint64_t bits;
    int r = 0;

    *state = STATE_INIT;
    state->runs_fd = openat(store->fd, "runs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (state->runs_fd < 0)
        return err_errno(err, "cannot open %s/runs", store->path);
    for (int tries = 0;; tries++) {
        if (!name) {
            if (getrandom(&bits, sizeof bits, 0) != sizeof bits) {
                r = -errno;
                break;
            }
            snprintf(random_name, sizeof random_name, "%012" PRIx64,
                     bits & UINT64_C(0xffffffffffff));
        }
        r = create_named(state, name ? name : random_name);
        if (r == 0)
            return 0;
        if (r == -EWOULDBLOCK && name)
            break;
        /* A cleaner came in between, or the name was taken: again. */
        if ((r != -ENOENT && r != -EWOULDBLOCK) || tries == 100)
            break;
    }
    close(take_fd(state->runs_fd));
    if (r == -EWOULDBLOCK && name)
        return err_set(err, -EBUSY, "a container named %s is running: choose another --name", name);
    errno = -r;
    return err_errno(err, "cannot make a directory in %s/runs", store->path);
}

int state_destroy(struct state *state, const struct idmap *map, struct err *err) {
    int r = 0;

    if (state->fd >= 0) {
        r = state->is_left ? 0 : state_remove_tree(state->runs_fd, state->name, map);
        close(take_fd(state->fd));
    }
    if (r < 0) {
        errno = -r;
        r = err_errno(err, "cannot remove the run's directory %s from the store", state->name);
    }
    if (state->runs_fd >= 0)
        close(take_fd(state->runs_fd));
    free(state->name);
    state->name = NULL;
    return r;
}

/* Waits for the processes of a killed run.  Return: the locked directory, or -EWOULDBLOCK. */
static int await_death(int runs_fd, const char *name) {
    _cleanup_close_ int fd = openat(runs_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || orphan_lock_take(fd) < 0 || fstat(fd, &st) < 0 || st.st_nlink == 0)
        return -EWOULDBLOCK;
    return take_fd(fd);
}

static void clean_one(int runs_fd, const char *name, const struct idmap *map,
                      const struct log *log) {
    _cleanup_close_ int fd = open_locked(runs_fd, name, false);
    int r;

    if (fd == -EWOULDBLOCK)
        fd = await_death(runs_fd, name);
    if (fd < 0)
        return;
    log_debug(log, "removing what the killed run %s left", name);
    cgroup_record_clean(fd);
    undo_trees(fd, map);
    r = state_remove_tree(runs_fd, name, map);
    if (r < 0)
        log_warning(log, "cannot remove what the killed run %s left in the store: %s", name,
                    strerror(-r));
}

static int clean_imports(void *argument, struct err *err) {
    (void)err;
    return store_clean(argument) < 0 ? -EIO : 0;
}

void state_clean(const struct store *store, const struct idmap *map, const struct log *log) {
    int runs_fd = openat(store->fd, "runs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = runs_fd < 0 ? NULL : fdopendir(runs_fd);
    struct dirent *entry;

    if (!dir && runs_fd >= 0)
        close(runs_fd);
    while (dir && (entry = readdir(dir)))
        if (!str_is_dots(entry->d_name))
            clean_one(dirfd(dir), entry->d_name, map, log);
    if (store_clean(store) > 0 && map->mode == IDMAP_SUBUID) {
        (void)userns_call(map, clean_imports, (void *)store, -1, NULL);
    }
}
