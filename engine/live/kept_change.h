/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEPT_CHANGE_H
#define MAYFLY_KEPT_CHANGE_H

#include "engine/base/err.h"
#include "life.h"
#include "rootfs/image.h"

/**
 * kept_change_config() - have an image start its programs as a container of it does
 *
 * What its maker said counts before what the image says: program, variables, user, directory,
 * labels, stop signal.
 * Return: 0 or -ENOMEM with a text.
 */
int kept_change_config(const struct life *life, struct image_config *config, struct err *err);

/**
 * kept_change_apply() - do what lines of a Dockerfile say to an image's configuration
 * @lines: each CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR, in letters
 *         of any case, and its words
 *
 * Loads jansson for lists in brackets.
 * Spec: Dockerfile reference; docker-commit(1), "--change".
 * Return: 0, -EINVAL with a text, -ENOMEM.
 */
int kept_change_apply(struct image_config *config, const struct strv *lines, struct err *err);

#endif
