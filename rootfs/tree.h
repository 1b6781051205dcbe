/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TREE_H
#define MAYFLY_TREE_H

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "layer_path.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/** struct tree_dir - what a directory is given when everything in it is there */
struct tree_dir {
    char *path;
    size_t index; /* of several for one path, the last counts */
    mode_t mode;
    uid_t uid; /* (uid_t)-1: as it is */
    gid_t gid;
    struct timespec mtime;
};

/**
 * struct tree - a layer's tree while it is written
 * @root_fd: lent
 * @path, @ends, @fds: the directory written to last: its path, where each part of it ends, and a
 *                     descriptor of each, so that the next entry costs no walk
 * @dirs: what tree_finish() does
 * @implied: paths of directories that were made because something lies in them; lent, or NULL
 * @literal: tree_parent() follows no links and answers -ELOOP, without a text
 * @linked: a kept descriptor was reached through a link
 * @replaced: something that an earlier entry had made was removed
 */
struct tree {
    int root_fd;
    size_t depth;
    char path[PATH_MAX];
    size_t ends[LAYER_PATH_DEPTH_MAX];
    int fds[LAYER_PATH_DEPTH_MAX];
    struct tree_dir *dirs;
    size_t n_dirs;
    size_t dirs_capacity;
    struct strv *implied;
    bool literal;
    bool linked;
    bool replaced;
};

/** tree_init() - begin to write below @root_fd, an empty directory. */
void tree_init(struct tree *tree, int root_fd);

void tree_done(struct tree *tree);

/**
 * tree_parent() - the directory that @path's last part belongs to
 * @path: normalised (layer_path_normalize()), not ""
 *
 * Missing directories are made (0755), a symbolic link on the way is followed inside the tree.
 * Return: a descriptor, lent until the next call, or -errno with a text.
 */
int tree_parent(struct tree *tree, const char *path, struct err *err);

/**
 * tree_clear() - remove whatever stands at @base, so that something else can take its place
 * @parent_fd: from tree_parent()
 *
 * Return: 0 or -errno with a text.
 */
int tree_clear(struct tree *tree, int parent_fd, const char *base, struct err *err);

/**
 * tree_mkdir() - make a directory, or keep the one that stands there
 *
 * One that takes the place of a whiteout is made opaque.  Its mode stays 0700 until tree_finish().
 * Return: 0 or -errno with a text.
 */
int tree_mkdir(struct tree *tree, int parent_fd, const char *base, struct err *err);

/**
 * tree_whiteout() - hide @base of the layers below
 *
 * What this layer itself has there stays, a directory then as an opaque one.
 * Spec: Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories"; OCI
 * image-spec, layer.md, "Whiteouts".
 */
int tree_whiteout(struct tree *tree, int parent_fd, const char *base, struct err *err);

/** tree_set_opaque() - hide all that the layers below have in the directory @name of @dir_fd. */
int tree_set_opaque(int dir_fd, const char *name, struct err *err);

/** tree_note_dir() - remember a directory's mode, owner and time; @dir->path is copied. */
int tree_note_dir(struct tree *tree, const struct tree_dir *dir, struct err *err);

/**
 * tree_finish() - give the directories what tree_note_dir() remembered, the deepest first
 *
 * Those are taken out of @implied.
 */
int tree_finish(struct tree *tree, struct err *err);

#endif
