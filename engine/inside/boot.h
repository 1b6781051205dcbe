/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_BOOT_H
#define MAYFLY_BOOT_H

#include "engine/base/err.h"
#include "inside.h"

/**
 * struct boot - an image's own init that is about to begin
 * @console_fd: the inner side of the terminal that becomes /dev/console; -1: there is no console
 * @err: what failed in boot_enter()
 */
struct boot {
    const struct inside *inside;
    int console_fd;
    struct err *err;
};

/**
 * boot_begin() - make ready for the image's init, which the next child is
 * @program: of it
 * @ret_signal: by which it is told to shut down
 *
 * The next child is process 1 of a pid namespace inside of this process's, and all later ones are
 * in it too.
 * Context: PID 1, once; with CAP_SYS_ADMIN (struct confine, @boots).
 * Return: 0 or -errno with a text.
 */
int boot_begin(struct inside *inside, const char *program, int *ret_signal, struct err *err);

/**
 * boot_enter() - mount the /proc of the new pid namespace, the console, and enter the cgroup
 * @argument: a struct boot
 *
 * Context: that child, which may still borrow PID 1's memory; as struct step, @enter.
 * Return: 0 or -errno with a text in boot->err.
 */
int boot_enter(void *argument);

#endif
