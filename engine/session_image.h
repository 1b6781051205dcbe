/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SESSION_IMAGE_H
#define MAYFLY_SESSION_IMAGE_H

#include "base/err.h"
#include "session.h"

/**
 * session_find_image() - find the image, or bring it into the store first
 *
 * Fills session->container.image and pushes its release.
 * Context: host.
 * Return: 0, a SUPERVISE_ condition, SESSION_FALL_BACK, or -errno with a text.
 */
int session_find_image(struct session *session, struct err *err);

#endif
