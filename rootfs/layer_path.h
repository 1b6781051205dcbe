/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LAYER_PATH_H
#define MAYFLY_LAYER_PATH_H

#include "engine/base/err.h"

#include <limits.h>

/** Directories deeper than this are refused: each costs a descriptor while it is written to. */
#define LAYER_PATH_DEPTH_MAX 128

/** enum layer_name - what the last part of an entry's name says */
enum layer_name {
    LAYER_NAME_PLAIN,
    LAYER_NAME_WHITEOUT, /* .wh.NAME: NAME of the layers below is gone */
    LAYER_NAME_OPAQUE, /* .wh..wh..opq: all that the layers below have in this directory is gone */
    LAYER_NAME_RESERVED, /* .wh..wh.*: a storage driver's own, of no meaning */
};

/**
 * layer_path_normalize() - an entry's name as a path below the layer's root
 * @name: as in the archive
 * @ret_path: without leading, trailing or doubled slashes and without "."; "" is the root
 *
 * An absolute name is taken as relative, as tar does.
 * Return: the number of parts, -EINVAL with a text for one that has ".." in it or goes through a
 * whiteout, -ENAMETOOLONG with a text over the limits of Linux or LAYER_PATH_DEPTH_MAX.
 */
int layer_path_normalize(const char *name, char ret_path[PATH_MAX], struct err *err);

/** layer_path_base() - the last part of a normalised path; borrowed. */
const char *layer_path_base(const char *path);

/**
 * layer_path_classify() - tell a whiteout from a file
 * @base: last part of a normalised path
 * @ret_target: the name that LAYER_NAME_WHITEOUT is about; borrowed from @base
 *
 * Spec: OCI image-spec, layer.md, "Whiteouts".
 * Return: an enum layer_name, or -EINVAL for a whiteout of nothing, of "." or of "..".
 */
int layer_path_classify(const char *base, const char **ret_target);

#endif
