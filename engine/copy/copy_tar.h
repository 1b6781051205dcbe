/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_COPY_TAR_H
#define MAYFLY_COPY_TAR_H

#include "copy.h"
#include "engine/base/err.h"

/**
 * copy_send_tar() - send what is in a tar, as if it were a directory
 * @in_fd: the tar, compressed or not; read to its end
 *
 * The other side's struct copy has @of_tar set.  Devices are left out.
 * Context: host.  Loads libarchive.
 * Return: 0 when the other side has written it all; its error, or -errno with a text.
 */
int copy_send_tar(struct copy *copy, int in_fd, struct err *err);

/**
 * copy_receive_tar() - write what the other side sends as a tar
 * @out_fd: where to
 * @name: what the topmost entry is called in it
 *
 * Owners are the numbers that the other side sees.  When it fails, the tar has no end.
 * Context: host.
 * Return: 0, the sender's error, or -errno with a text.
 */
int copy_receive_tar(struct copy *copy, int out_fd, const char *name, struct err *err);

#endif
