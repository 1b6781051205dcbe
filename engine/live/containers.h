/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CONTAINERS_H
#define MAYFLY_CONTAINERS_H

#include "engine/base/err.h"
#include "engine/base/log.h"
#include "engine/idmap.h"
#include "life.h"
#include "rootfs/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** KEPT_ID_BYTES - an id, 64 hexadecimal digits, and its NUL; 12 of them are shown. */
#define KEPT_ID_BYTES 65
#define KEPT_SHORT_ID_DIGITS 12

enum kept_status {
    KEPT_CREATED,
    KEPT_RUNNING,
    KEPT_PAUSED,
    KEPT_EXITED,
};

enum health {
    HEALTH_NONE,
    HEALTH_STARTING,
    HEALTH_HEALTHY,
    HEALTH_UNHEALTHY,
};

/**
 * struct kept_state - how a container is, as its file "state" has it
 * @pid: of PID 1, on the host; 0: none
 * @supervisor: pid of its supervisor; 0: none
 * @exit_code: of KEPT_EXITED, as of struct action_result
 * @restarts: how often its restart policy has started it
 * @failing: looks at its health in a row that have failed
 * @created_nsec, @started_nsec, @finished_nsec: since the epoch; 0: never
 * @image_id: of an image in the store; "": of none
 * @remove: it goes when it ends
 * @run: what its run is called in the store's runs/, whatever its name is by now
 * @reason: why it ended, where there is more to say than the exit code; ""
 */
struct kept_state {
    enum kept_status status;
    enum health health;
    pid_t pid;
    pid_t supervisor;
    int exit_code;
    unsigned restarts;
    unsigned failing;
    uint64_t created_nsec;
    uint64_t started_nsec;
    uint64_t finished_nsec;
    bool remove;
    char image_id[80];
    char run[64];
    char reason[ERR_MESSAGE_BYTES];
};

/**
 * struct containers - where containers that live longer are kept, in the store
 * @fd: the directory of them, one in it for each, named by id
 * @names_fd: the directory of their names, symbolic links to ids
 */
struct containers {
    struct store store;
    struct idmap map;
    const struct log *log;
    int fd;
    int names_fd;
};

#define CONTAINERS_INIT ((struct containers){.store = STORE_INIT, .fd = -1, .names_fd = -1})

/**
 * struct kept - one of them
 * @name: to free(3)
 * @dir_fd: its directory: "config" (life_write()), "state", "name", "lock", "log", "socket", and
 *          "upper" and "work", which hold what it has changed
 * @lock_fd: the lock that whoever changes it holds, its supervisor for life; -1: not held
 * @state: as it was when it was read
 */
struct kept {
    char id[KEPT_ID_BYTES];
    char *name;
    int dir_fd;
    int lock_fd;
    struct kept_state state;
};

#define KEPT_INIT ((struct kept){.dir_fd = -1, .lock_fd = -1})

/**
 * containers_open() - open the store that this process's containers are kept in
 * @path: as of store_open()
 *
 * Context: host.
 * Return: 0 or -errno with a text; containers_close() is due either way.
 */
int containers_open(struct containers *containers, const char *path, const struct log *log,
                    struct err *err);
void containers_close(struct containers *containers);

#define _cleanup_containers_ __attribute__((cleanup(containers_close)))

/**
 * containers_create() - make a new one from its description, locked
 * @life: checked; without a name it gets one, which is added to it
 *
 * Return: 0, -EEXIST with a text when the name is taken, or -errno with a text.
 */
int containers_create(struct containers *containers, struct life *life, struct kept *ret_kept,
                      struct err *err);

/**
 * containers_find() - find one by its name, its id or the beginning of its id
 *
 * Return: 0, -ENOENT or -ENOTUNIQ with a text, or -errno with a text.
 */
int containers_find(struct containers *containers, const char *word, struct kept *ret_kept,
                    struct err *err);

/**
 * containers_list() - all of them, the newest first
 * @ret_kept: to be released by kept_list_done()
 *
 * Leavings of creations and removals that were killed are removed on the way.
 */
int containers_list(struct containers *containers, struct kept **ret_kept, size_t *ret_n,
                    struct err *err);
void kept_list_done(struct kept *kept, size_t n);

void kept_done(struct kept *kept);

#define _cleanup_kept_ __attribute__((cleanup(kept_done)))

/** kept_life() - read a container's description into @life, which was initialised.  */
int kept_life(const struct kept *kept, struct life *life, struct err *err);

/**
 * kept_lock() - lock a container, to change it or to be its supervisor
 * @wait: wait for whoever has it, but not for somebody who has started it since @kept->state was
 *        read; else -EBUSY
 *
 * The state is read anew, with @wait also when it is -EBUSY.  The lock belongs to the descriptor,
 * also across fork(2). Return: 0, -EBUSY, -ENOENT when it was removed meanwhile, or -errno; always
 * with a text.
 */
int kept_lock(struct kept *kept, bool wait, struct err *err);
void kept_unlock(struct kept *kept);

/**
 * kept_check_image() - whether an image is still the one that a container was made from
 * @reference: as people write it
 * @id: what it is now; NULL: an image of no id, a directory
 *
 * The first that comes is noted in @kept->state.
 * Return: 0 or -ESTALE with a text.
 */
int kept_check_image(struct kept *kept, const char *reference, const char *id, struct err *err);

/** kept_write_state() - replace the file "state" by @kept->state; locked.  Return: 0 or -errno. */
int kept_write_state(const struct kept *kept);

/** kept_open_run() - the directory of its run, while it lives.  Return: a descriptor or -errno. */
int kept_open_run(const struct containers *containers, const struct kept *kept);

/** kept_is_live() - whether it has a supervisor. */
static inline bool kept_is_live(const struct kept *kept) {
    return kept->state.status == KEPT_RUNNING || kept->state.status == KEPT_PAUSED;
}

/**
 * containers_rename() - give one another name
 * Return: 0, -EEXIST or -EINVAL with a text, or -errno with a text.
 */
int containers_rename(struct containers *containers, struct kept *kept, const char *name,
                      struct err *err);

/** containers_remove() - remove one, which is locked and does not live. */
int containers_remove(struct containers *containers, struct kept *kept, struct err *err);

/**
 * containers_end() - kill one if it lives, and remove it
 * Return: 0 or -errno with a text.
 */
int containers_end(struct containers *containers, struct kept *kept, struct err *err);

/** kept_status_name() - "created", "running", "paused" or "exited". */
const char *kept_status_name(enum kept_status status);

/** health_name() - "none", "starting", "healthy" or "unhealthy". */
const char *health_name(enum health health);

#endif
