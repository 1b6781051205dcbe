/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that lives longer is a directory in the store.  Whoever changes it
 * holds the lock in it: a supervisor as long as the container lives, a command
 * for a moment.  A state that says "running" without a lock is of a supervisor
 * that was killed, or of a machine that went down: it is set right by whoever
 * sees it.
 *
 * A directory without a description is one that is being made or removed, and a
 * leaving when nobody holds its lock.  Between mkdir(2) and that lock its maker
 * holds one on the directory of all (flock(2), shared).
 */
#include "containers.h"

#include "ask.h"
#include "containers_private.h"
#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"
#include "engine/plan/plan_spec.h"
#include "engine/state.h"
#include "engine/userns.h"
#include "kept_name.h"
#include "kept_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>

#define MAX_FILE_BYTES (16u << 20)
/* Nobody comes by that often. */
#define REMOVAL_TRIES 100
#define KILLED_STATUS 137

static int open_folder(const struct store *store, const char *name, struct err *err) {
    int fd;

    if (sys_mkdirat(store->fd, name, 0700) < 0 && errno != EEXIST)
        return err_errno(err, "cannot make %s/%s", store->path, name);
    fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? err_errno(err, "cannot open %s/%s", store->path, name) : fd;
}

int containers_open(struct containers *containers, const char *path, const struct log *log,
                    struct err *err) {
    int r;

    *containers = CONTAINERS_INIT;
    containers->log = log;
    r = idmap_choose(&containers->map, err);
    if (r == 0)
        r = store_open(&containers->store, path, state_owners(containers->map.mode), err);
    if (r < 0)
        return r;
    containers->fd = open_folder(&containers->store, "containers", err);
    if (containers->fd < 0)
        return containers->fd;
    containers->names_fd = open_folder(&containers->store, "names", err);
    return containers->names_fd < 0 ? containers->names_fd : 0;
}

void containers_close(struct containers *containers) {
    if (containers->fd >= 0)
        close(take_fd(containers->fd));
    if (containers->names_fd >= 0)
        close(take_fd(containers->names_fd));
    store_close(&containers->store);
}

void kept_unlock(struct kept *kept) {
    if (kept->lock_fd >= 0)
        close(take_fd(kept->lock_fd));
}

void kept_done(struct kept *kept) {
    kept_unlock(kept);
    if (kept->dir_fd >= 0)
        close(take_fd(kept->dir_fd));
    free(kept->name);
    kept->name = NULL;
}

void kept_list_done(struct kept *kept, size_t n) {
    for (size_t i = 0; i < n; i++)
        kept_done(&kept[i]);
    free(kept);
}

/* Replaces a small file whole. */
int kept_write_file(int dir_fd, const char *name, const char *data, size_t size) {
    _cleanup_close_ int fd = -1;
    char temporary[32];
    int r;

    snprintf(temporary, sizeof temporary, "%s.new", name);
    fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    r = fd < 0 ? -errno : fd_write_all(fd, data, size);
    if (r == 0 && sys_renameat2(dir_fd, temporary, dir_fd, name, 0) < 0)
        r = -errno;
    return r;
}

int kept_write_state(const struct kept *kept) {
    _cleanup_buf_ struct buf text = BUF_INIT;

    kept_state_format(&kept->state, &text);
    return buf_failed(&text) ? -ENOMEM
                             : kept_write_file(kept->dir_fd, "state", text.data, text.size);
}

static int read_state(struct kept *kept) {
    _cleanup_free_ char *text = NULL, *name = NULL;
    int r = fd_read_file(kept->dir_fd, "state", MAX_FILE_BYTES, &text, NULL);

    if (r == 0)
        r = fd_read_file(kept->dir_fd, "name", MAX_FILE_BYTES, &name, NULL);
    if (r < 0)
        return r;
    kept_state_parse(text, &kept->state);
    free(kept->name);
    kept->name = take_ptr(name);
    return faccessat(kept->dir_fd, "config", F_OK, 0) < 0 ? -errno : 0;
}

/* Sets right what a supervisor that was killed has left. */
static void bury(struct kept *kept) {
    if (!kept_is_live(kept))
        return;
    kept->state.status = KEPT_EXITED;
    kept->state.health = HEALTH_NONE;
    kept->state.exit_code = KILLED_STATUS;
    kept->state.pid = kept->state.supervisor = 0;
    kept->state.finished_nsec = clock_realtime();
    snprintf(kept->state.reason, sizeof kept->state.reason,
             "its supervisor was killed, or the machine went down");
    (void)kept_write_state(kept);
}

int kept_open_run(const struct containers *containers, const struct kept *kept) {
    char path[sizeof kept->state.run + sizeof "runs/"];
    int fd;

    if (!kept->state.run[0])
        return -ENOENT;
    snprintf(path, sizeof path, "runs/%s", kept->state.run);
    fd = openat(containers->store.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

bool kept_is_id(const char *name) {
    return strlen(name) == KEPT_ID_BYTES - 1 &&
           strspn(name, "0123456789abcdef") == KEPT_ID_BYTES - 1;
}

void kept_drop_name(struct containers *containers, const char *name, const char *id) {
    char target[KEPT_ID_BYTES + 1] = "";

    if (name && readlinkat(containers->names_fd, name, target, sizeof target - 1) > 0 &&
        str_eq(target, id))
        (void)sys_unlinkat(containers->names_fd, name, 0);
}

int containers_remove(struct containers *containers, struct kept *kept, struct err *err) {
    unsigned n_tries = 0;
    int r;

    /* From here on nobody takes it for a container. */
    if (sys_unlinkat(kept->dir_fd, "config", 0) < 0 && errno != ENOENT)
        return err_errno(err, "cannot remove container %s", kept->name);
    kept_drop_name(containers, kept->name, kept->id);
    /* Who comes by meanwhile takes it for what a kill has left, and begins with a lock in it. */
    do
        r = state_remove_tree(containers->fd, kept->id, &containers->map);
    while (r == -ENOTEMPTY && n_tries++ < REMOVAL_TRIES);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot remove what container %s has left in the store", kept->name);
    }
    return 0;
}

/* Opens the one of an id.  Return: 0, -ENOENT when there is none, or -errno. */
int kept_open(struct containers *containers, const char *id, struct kept *kept) {
    int r;

    *kept = KEPT_INIT;
    memcpy(kept->id, id, KEPT_ID_BYTES);
    kept->dir_fd = openat(containers->fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    r = kept->dir_fd < 0 ? -errno : read_state(kept);
    if ((r == -ENOENT && kept->dir_fd >= 0) ||
        (r == 0 && kept_is_live(kept) && !kept_is_locked(kept))) {
        /* It is being made or removed at the moment, or nobody does it any more. */
        bool was_killed = r == 0;
        int locked = flock(containers->fd, LOCK_EX | LOCK_NB) < 0
                         ? -errno
                         : kept_take_lock(kept, false, true);

        (void)flock(containers->fd, LOCK_UN);
        if (locked < 0)
            return r == 0 ? 0 : -ENOENT;
        r = read_state(kept);
        if (r == 0)
            bury(kept);
        if (r == -ENOENT || (r == 0 && kept->state.status == KEPT_EXITED && kept->state.remove)) {
            (void)containers_remove(containers, kept, NULL);
            r = -ENOENT;
        }
        kept_unlock(kept);
        if (was_killed)
            state_clean(&containers->store, &containers->map, containers->log);
    }
    return r;
}

static int find_by_prefix(struct containers *containers, const char *word, char ret_id[],
                          struct err *err) {
    int fd = openat(containers->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    size_t n = 0;

    while (dir && (entry = readdir(dir)))
        if (kept_is_id(entry->d_name) && str_after(entry->d_name, word) && n++ == 0)
            memcpy(ret_id, entry->d_name, KEPT_ID_BYTES);
    if (n > 1)
        return err_set(err, -ENOTUNIQ, "%zu containers' ids begin with '%s': give more of it", n,
                       word);
    return n == 1 ? 0 : -ENOENT;
}

int containers_find(struct containers *containers, const char *word, struct kept *ret_kept,
                    struct err *err) {
    char id[KEPT_ID_BYTES + 1] = "";
    int r = -ENOENT;

    *ret_kept = KEPT_INIT;
    if (plan_spec_name_ok(word) &&
        readlinkat(containers->names_fd, word, id, sizeof id - 1) == KEPT_ID_BYTES - 1)
        r = 0;
    else if (*word && strlen(word) < KEPT_ID_BYTES &&
             word[strspn(word, "0123456789abcdef")] == '\0')
        r = find_by_prefix(containers, word, id, err);
    if (r == 0)
        r = kept_open(containers, id, ret_kept);
    if (r < 0)
        kept_done(ret_kept);
    if (r == -ENOENT)
        return err_set(err, r, "there is no container '%s'; 'mayfly ps -a' lists them", word);
    if (r < 0 && r != -ENOTUNIQ) {
        errno = -r;
        return err_errno(err, "cannot look at container %s", word);
    }
    return r;
}

static int newest_first(const void *a, const void *b) {
    const struct kept *one = a, *other = b;

    if (one->state.created_nsec != other->state.created_nsec)
        return one->state.created_nsec < other->state.created_nsec ? 1 : -1;
    return strcmp(one->id, other->id);
}

/* A name goes before its container does, and comes after it: one alone was left by a kill. */
static void sweep_names(struct containers *containers) {
    int fd = openat(containers->names_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char id[KEPT_ID_BYTES + 1] = "";

        if (readlinkat(containers->names_fd, entry->d_name, id, sizeof id - 1) > 0 &&
            kept_is_id(id) && faccessat(containers->fd, id, F_OK, 0) < 0 && errno == ENOENT)
            kept_drop_name(containers, entry->d_name, id);
    }
}

int containers_list(struct containers *containers, struct kept **ret_kept, size_t *ret_n,
                    struct err *err) {
    int fd = openat(containers->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct kept *kept = NULL, *more;
    struct dirent *entry;
    size_t n = 0;

    if (!dir)
        return err_errno(err, "cannot list the containers in %s", containers->store.path);
    while ((entry = readdir(dir))) {
        if (!kept_is_id(entry->d_name))
            continue;
        more = reallocarray(kept, n + 1, sizeof *kept);
        if (!more) {
            kept_list_done(kept, n);
            return err_nomem(err);
        }
        kept = more;
        if (kept_open(containers, entry->d_name, &kept[n]) == 0)
            n++;
        else
            kept_done(&kept[n]);
    }
    sweep_names(containers);
    if (n > 1)
        qsort(kept, n, sizeof *kept, newest_first);
    *ret_kept = kept;
    *ret_n = n;
    return 0;
}

int kept_life(const struct kept *kept, struct life *life, struct err *err) {
    _cleanup_free_ char *data = NULL;
    size_t size = 0;
    int r = fd_read_file(kept->dir_fd, "config", MAX_FILE_BYTES, &data, &size);

    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot read the description of container %s", kept->name);
    }
    r = life_read(life, data, size, err);
    if (r == 0)
        r = str_set(&life->plan.name, kept->name, err);
    return r < 0 ? err_wrap(err, "container %s", kept->name) : 0;
}

int kept_check_image(struct kept *kept, const char *reference, const char *id, struct err *err) {
    char *known = kept->state.image_id;

    if (*known && id && !str_eq(known, id))
        return err_set(
            err, -ESTALE,
            "container %s was made from another image: %s is %.12s by now, and was %.12s",
            kept->name, reference, id, known);
    snprintf(known, sizeof kept->state.image_id, "%s", id ? id : "");
    return 0;
}

int kept_lock(struct kept *kept, bool wait, struct err *err) {
    int r = kept_take_lock(kept, wait, false);

    if (r == -EBUSY && wait)
        (void)read_state(kept);
    if (r == -EBUSY)
        return err_set(err, r, "container %s is running, or another command is at it", kept->name);
    if (r == 0)
        r = read_state(kept);
    if (r == -ENOENT)
        return err_set(err, r, "container %s was removed", kept->name);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot lock container %s", kept->name);
    }
    bury(kept);
    return 0;
}

int containers_end(struct containers *containers, struct kept *kept, struct err *err) {
    int r;

    /* Again, when somebody has started it in between. */
    do {
        r = kept_is_live(kept) ? ask_simple(kept, ASK_STOP, 0, NULL, err) : 0;
        if (r == -ENOTCONN || r == -EPIPE) /* it has ended by itself */
            r = 0;
        if (r == 0)
            r = kept_lock(kept, true, err);
    } while (r == -EBUSY);
    if (r == -ENOENT) /* with --rm */
        return 0;
    return r < 0 ? r : containers_remove(containers, kept, err);
}
