/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_STATE_H
#define MAYFLY_STATE_H

#include "base/err.h"
#include "base/log.h"
#include "idmap.h"
#include "rootfs/store.h"

#include <stdbool.h>

/**
 * struct state - the directory of a run, which outlives it only when the run was killed
 * @runs_fd: the store's directory of runs
 * @fd: this run's directory, held under an exclusive flock(2) as long as the run lives
 * @name: its name in @runs_fd, also the container's; to free(3)
 * @is_left: something on record could not be removed: the directory stays for the next command
 *
 * It holds the overlays' upper and work directories, and the files "undo" and "cgroups" that name
 * what was made elsewhere and has to go.  A directory that nobody holds is a leaving of a killed
 * run: the next command finishes its unwinding.
 *
 * What a run has started dies with it, but not in the same instant: PID 1 and an import share the
 * lock, and that command waits for them.
 */
struct state {
    int runs_fd;
    int fd;
    char *name;
    bool is_left;
};

#define STATE_INIT ((struct state){.runs_fd = -1, .fd = -1})

/** state_owners() - the kind of store that a mode's runs and images are kept in. */
enum store_owners state_owners(enum idmap_mode mode);

/**
 * state_create() - make and lock the directory of a new run
 * @name: of the container; NULL: random
 *
 * Return: 0, -EBUSY with a text when a container of that name lives, or -errno with a text.
 */
int state_create(struct state *state, const struct store *store, const char *name, struct err *err);

/**
 * state_note_tree() - put on record a file or tree outside of the store that has to be removed
 * @path: absolute
 *
 * Return: 0 or -errno with a text.
 */
int state_note_tree(const struct state *state, const char *path, struct err *err);

/** state_forget_trees() - all that was on record has been dealt with. */
void state_forget_trees(const struct state *state);

/**
 * state_remove_tree() - remove a tree, also one that holds files of subordinate ids
 *
 * Return: as fd_remove_tree().
 */
int state_remove_tree(int dir_fd, const char *name, const struct idmap *map);

/**
 * state_destroy() - remove the run's directory and let go of it
 * @map: for the removal of files that belong to subordinate ids
 *
 * Return: 0 or -errno with a text.
 */
int state_destroy(struct state *state, const struct idmap *map, struct err *err);

/**
 * state_clean() - finish the unwinding of all runs and imports that were killed
 *
 * Context: host.  Two system calls when there are none.
 */
void state_clean(const struct store *store, const struct idmap *map, const struct log *log);

#endif
