/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TEST_IMPORTING_H
#define MAYFLY_TEST_IMPORTING_H

#include "engine/base/buf.h"
#include "rootfs/image.h"
#include "scratch.h"

#include <stddef.h>

/** importing_tar() - a tar with one file, whose name is also its content; buf_done() frees. */
struct buf importing_tar(const char *name);

/** importing_ref() - a reference to something in the scratch directory; static. */
const char *importing_ref(const struct scratch *scratch, const char *prefix, const char *path);

/** importing_find() - image_find(), which must not fail.  Return: 0 or IMAGE_MISSING. */
int importing_find(const struct scratch *scratch, struct image *image, const char *reference);

/** importing_fine() - import what is not there, and find it. */
void importing_fine(const struct scratch *scratch, struct image *image, const char *reference);

/** importing_refused() - import what must not get in, and look whether anything did. */
void importing_refused(const struct scratch *scratch, const char *reference, const char *says);

/** importing_layer_has() - that a layer has a file of that name, which is also its content. */
void importing_layer_has(const struct scratch *scratch, const struct image *image, size_t i,
                         const char *name);

#endif
