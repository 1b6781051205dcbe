/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new container: its directory, its id and its name.  A name is a symbolic link,
 * made before the description and removed after it; one whose container is gone is
 * anybody's.
 */
#include "containers.h"

#include "containers_private.h"
#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"
#include "engine/plan/plan_spec.h"
#include "engine/state.h"
#include "kept_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>

/* Makes @name stand for @id, unless another container has it. */
static int take_name(struct containers *containers, const char *name, const char *id) {
    char owner[KEPT_ID_BYTES + 1] = "";

    for (int tries = 0; tries < 10; tries++) {
        struct kept kept = KEPT_INIT;
        int r;

        if (sys_symlinkat(id, containers->names_fd, name) == 0)
            return 0;
        if (errno != EEXIST)
            return -errno;
        if (readlinkat(containers->names_fd, name, owner, sizeof owner - 1) < 0)
            continue;
        if (str_eq(owner, id))
            return 0;
        r = kept_is_id(owner) ? kept_open(containers, owner, &kept) : -ENOENT;
        /* One that is being made has its name already, and its lock. */
        if (r == -ENOENT && kept.dir_fd >= 0 && kept_is_locked(&kept))
            r = 0;
        kept_done(&kept);
        if (r == 0)
            return -EEXIST;
        kept_drop_name(containers, name, owner);
    }
    return -EEXIST;
}

static int name_taken(const char *name, struct err *err) {
    return err_set(err, -EEXIST,
                   "the name %s is taken by another container: choose one, or remove that with "
                   "'mayfly rm %s'",
                   name, name);
}

static int choose_name(struct containers *containers, struct life *life, const char *id,
                       struct err *err) {
    char name[KEPT_NAME_BYTES];
    int r = life->plan.name ? take_name(containers, life->plan.name, id) : -EEXIST;

    if (r == -EEXIST && life->plan.name)
        return name_taken(life->plan.name, err);
    for (unsigned tries = 0; r == -EEXIST && tries < 100; tries++) {
        kept_name_make(id, tries, name);
        r = take_name(containers, name, id);
        if (r == 0)
            return life_set(life, "name", name, err);
    }
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot name the container in %s", containers->store.path);
    }
    return 0;
}

/* Whoever removes leavings stays away until the new directory's own lock is taken. */
static int make_directory(struct containers *containers, struct kept *kept, struct err *err) {
    unsigned char bytes[(KEPT_ID_BYTES - 1) / 2];
    int r;

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return err_errno(err, "cannot make an id");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(kept->id + 2 * i, 3, "%02x", bytes[i]);
    (void)flock(containers->fd, LOCK_SH);
    if (sys_mkdirat(containers->fd, kept->id, 0700) < 0)
        return err_errno(err, "cannot make a directory in %s/containers", containers->store.path);
    kept->dir_fd = openat(containers->fd, kept->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r = kept->dir_fd < 0 ? -errno : kept_take_lock(kept, true, true);
    (void)flock(containers->fd, LOCK_UN);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot open a directory in %s/containers", containers->store.path);
    }
    return 0;
}

static int write_kept(struct kept *kept, const struct life *life, struct err *err) {
    _cleanup_buf_ struct buf config = BUF_INIT;
    int r;

    life_write(life, &config);
    kept->name = strdup(life->plan.name);
    if (buf_failed(&config) || !kept->name)
        return err_nomem(err);
    kept->state = (struct kept_state){
        .status = KEPT_CREATED, .created_nsec = clock_realtime(), .remove = life->remove};
    r = kept_write_file(kept->dir_fd, "name", kept->name, strlen(kept->name));
    if (r == 0)
        r = kept_write_state(kept);
    if (r == 0)
        r = kept_write_file(kept->dir_fd, "config", config.data, config.size);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot write the container's description");
    }
    return 0;
}

int containers_create(struct containers *containers, struct life *life, struct kept *ret_kept,
                      struct err *err) {
    int r;

    *ret_kept = KEPT_INIT;
    r = make_directory(containers, ret_kept, err);
    if (r == 0)
        r = choose_name(containers, life, ret_kept->id, err);
    if (r == 0)
        r = write_kept(ret_kept, life, err);
    if (r < 0) {
        if (ret_kept->dir_fd >= 0) {
            kept_drop_name(containers, life->plan.name, ret_kept->id);
            (void)state_remove_tree(containers->fd, ret_kept->id, &containers->map);
        }
        kept_done(ret_kept);
    }
    return r;
}

int containers_rename(struct containers *containers, struct kept *kept, const char *name,
                      struct err *err) {
    int r;

    if (!plan_spec_name_ok(name))
        return err_set(err, -EINVAL,
                       "'%s' is not a name; use up to 63 letters, digits, '_', '.', '-', a letter "
                       "or digit first",
                       name);
    if (str_eq(name, kept->name))
        return err_set(err, -EEXIST, "container %s has that name", name);
    r = take_name(containers, name, kept->id);
    if (r == -EEXIST)
        return name_taken(name, err);
    if (r == 0)
        r = kept_write_file(kept->dir_fd, "name", name, strlen(name));
    if (r < 0) {
        kept_drop_name(containers, name, kept->id);
        errno = -r;
        return err_errno(err, "cannot rename container %s", kept->name);
    }
    kept_drop_name(containers, kept->name, kept->id);
    return 0;
}
