/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SELINUX_H
#define MAYFLY_SELINUX_H

#include "confinement.h"
#include "engine/base/err.h"
#include "selinux_context.h"

#include <stdbool.h>

/**
 * struct selinux - the labels of a container; all zero where there is no SELinux
 * @process: of its programs; "": they keep that of who started them
 * @mount: of its files; "": none
 * @shared: of files that several containers share; "": none
 * @images: of files in images, to be read by all containers; "": none
 */
struct selinux {
    char process[SELINUX_CONTEXT_BYTES];
    char mount[SELINUX_CONTEXT_BYTES];
    char shared[SELINUX_CONTEXT_BYTES];
    char images[SELINUX_CONTEXT_BYTES];
};

/**
 * selinux_prepare() - choose a container's labels
 * @boots: its first program is an image's init
 * @runs_fd: the directory of all runs' directories, of which no other is to have the same
 * categories; @run_fd is this one's, where the labels are put on record
 *
 * A policy that knows no containers gives none, unless some are asked for.
 * Context: host.  One system call where there is no SELinux.
 * Spec: lxc_contexts(5); the kernel's selinuxfs.
 * Return: 0, or -errno with a text.
 */
int selinux_prepare(struct selinux *ret_labels, const struct confinement *wanted, bool boots,
                    int runs_fd, int run_fd, struct err *err);

/** selinux_is_here() - whether the host has SELinux; looked for once. */
bool selinux_is_here(void);

/** selinux_load() - the labels that a run has on record, none if it has none; without @shared and
 * @images. */
void selinux_load(struct selinux *ret_labels, int run_fd);

/** selinux_has_label() - whether a file, @fd of any kind, has that label. */
bool selinux_has_label(int fd, const char *label);

/** selinux_set_label() - give a file a label.  Return: 0, also where labels cannot be kept, or
 * -errno. */
int selinux_set_label(int fd, const char *label);

/**
 * selinux_relabel() - give a file, or a directory and all in it, a label, as `-v ...:z` asks for
 * @name: of it in errors; directories of the system are refused
 * @fd: of any kind
 *
 * Other file systems that are mounted in it are left alone, and so is one that keeps no labels.
 * Context: host.
 * Return: 0, or -errno with a text.
 */
int selinux_relabel(int fd, const char *name, const char *label, struct err *err);

/**
 * selinux_pipe() - pipe2(2) with O_CLOEXEC, which a container's programs may use
 * @ret_ends: as of pipe(2)
 * @labels: the container's; NULL, or none: an ordinary pipe
 * @dir_fd: where it may have a name for a moment: the run's directory
 *
 * Return: 0 or -errno.
 */
int selinux_pipe(int ret_ends[2], const struct selinux *labels, int dir_fd);

#endif
