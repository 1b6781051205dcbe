/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_INSIDE_H
#define MAYFLY_INSIDE_H

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/confine/emulate.h"
#include "engine/confine/user.h"
#include "engine/container.h"

#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/types.h>

/**
 * struct inside - what PID 1 knows of the container that it is in
 * @emulator: NULL unless ids are emulated
 * @root_fd: the container's root directory
 * @proc_fd: of this process's pid namespace, where /proc is another's (boot.h); -1
 * @user, @env, @workdir: of every program that asks for no other
 */
struct inside {
    const struct container *container;
    struct emulator *emulator;
    int root_fd;
    int proc_fd;
    struct user user;
    struct strv env;
    char *workdir;
};

/**
 * inside_init() - find the user, make the environment and the image's workdir
 *
 * Context: PID 1, after pivot.
 * Return: 0 or -errno with a text.
 */
int inside_init(struct inside *inside, const struct container *container, struct emulator *emulator,
                struct err *err);

/** inside_has_single_id() - whether there is one id only, so that none can be changed. */
static inline bool inside_has_single_id(const struct inside *inside) {
    return inside->container->map.mode == IDMAP_SINGLE;
}

/**
 * inside_find_user() - find a user in the image
 * @spec: USER[:GROUP]; NULL: the one of the plan, else the image's
 * @ret_user: user_done() frees
 *
 * Return: 0, or -errno with a text, also when the container has no such id.
 */
int inside_find_user(const struct inside *inside, const char *spec, struct user *ret_user,
                     struct err *err);

/**
 * inside_set_workdir() - change the directory for what comes, made if missing
 * @dir: absolute, or relative to the one before
 *
 * What is made of it belongs to the steps' user.
 * Return: 0 or -errno with a text.
 */
int inside_set_workdir(struct inside *inside, const char *dir, struct err *err);

/** inside_path() - @dir as an absolute path, relative to the workdir; to free(3); NULL: no memory.
 */
char *inside_path(const struct inside *inside, const char *dir);

/**
 * inside_open_terminal() - make a terminal of the container's own
 * @owner: who it belongs to
 * @ret_master, @ret_slave: its two sides, O_CLOEXEC
 *
 * Return: 0 or -errno with a text.
 */
int inside_open_terminal(const struct inside *inside, const struct user *owner,
                         const struct winsize *window, int *ret_master, int *ret_slave,
                         struct err *err);

/**
 * inside_copy() - begin the container's side of a copy, in a process of its own
 * @down: out of the container
 * @of_tar: the other side sends a tar's content (copy_tar.h)
 * @source: in the container when @down, else what it is called on the other side
 * @target: in the container unless @down; NULL: the workdir
 *
 * Return: its pid, or -errno with a text.
 */
pid_t inside_copy(const struct inside *inside, bool down, bool of_tar, const char *source,
                  const char *target, int socket_fd, struct err *err);

#endif
