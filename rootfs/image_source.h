/* SPDX-License-Identifier: Apache-2.0 */
/* What finding and importing an image have in common. */
#ifndef MAYFLY_IMAGE_SOURCE_H
#define MAYFLY_IMAGE_SOURCE_H

#include "engine/base/err.h"
#include "image_index.h"
#include "ref.h"

#include <sys/stat.h>

/**
 * image_source_stat() - look at what the index knows an image by
 *
 * The archive itself; of a layout its index.json, since all else there is named by content.
 * Return: 0 or -errno with a text.
 */
int image_source_stat(const struct ref *ref, struct stat *ret_st, struct err *err);

/** image_source_name_error() - say that a name or an address is not known.  Return: -errno. */
int image_source_name_error(const struct ref *ref, struct err *err);

#endif
