/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_RELABEL_H
#define MAYFLY_RELABEL_H

#include "base/err.h"
#include "container.h"

/**
 * relabel_store() - give SELinux's label of images to the store, when it has none yet
 *
 * Whatever is unpacked later inherits it.  The kernel looks at the files of layers themselves when
 * a program maps them, whatever label the container's root has. Context: host, the labels chosen;
 * nothing is done without any. Return: 0 or -errno with a text.
 */
int relabel_store(const struct container *container, struct err *err);

/**
 * relabel_sources() - give SELinux's labels to what a container is shown of the host's
 *
 * Volumes that ask for it, and kept directories: what one run has written there with its own
 * categories is the next one's to read.
 * Context: host, the labels chosen; nothing is done without any.
 * Return: 0 or -errno with a text.
 */
int relabel_sources(const struct container *container, struct err *err);

#endif
