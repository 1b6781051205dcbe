/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DOCKER_ARCHIVE_H
#define MAYFLY_DOCKER_ARCHIVE_H

#include "archive_members.h"
#include "engine/base/err.h"
#include "image_install.h"
#include "manifest.h"

/** docker_archive_read() - read the list of images in an archive.  Return: 0 or -errno with a
 * text, -ENOENT when it is no docker-archive. */
int docker_archive_read(const struct archive_members *members, struct docker_manifest *ret_manifest,
                        struct err *err);

/**
 * docker_archive_choose() - the image that is meant
 * @selector: one of its tags, in full or as people shorten it; NULL: the only one
 *
 * Return: the image, lent, or NULL with a text that says what there is.
 */
const struct docker_image *docker_archive_choose(const struct docker_manifest *manifest,
                                                 const char *selector, struct err *err);

/** docker_archive_install() - bring an image into the store.  Return: 0 or -errno with a text. */
int docker_archive_install(const struct archive_members *members, const struct docker_image *image,
                           struct install *target, struct err *err);

#endif
