/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMAGE_VALUE_H
#define MAYFLY_IMAGE_VALUE_H

#include "engine/manage/images.h"
#include "image_table.h"
#include "value.h"

/**
 * image_value_whole() - all that is known of an image, in docker's form
 * @entries: of images_list(), for its names and its size
 */
struct value *image_value_whole(const struct image *image, const struct image_entries *entries);

#endif
